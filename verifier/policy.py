"""Policy files: what a verifier has to see, written down once and the same for everybody (docs/policy.md).

A policy asks for facts about work, pay and qualifications. It has no words for ratings, reviews, replies and disputes,
so that leaving them out can never count against a worker; and none for points or ranks.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from vc.errors import Finding, Malformed, Rejected, Unsupported
from work.purposes import PURPOSES, Judgement, judge
from work.types import LANGUAGES, TYPES, Claim, StatementType, Words

MAX_POLICY: Final = 1 << 16  # bytes
MAX_REQUIREMENTS: Final = 16
MAX_NAMES: Final = 256  # issuers of a list, or values of a claim
MAX_AGE: Final = 3660  # days
# What a policy cannot ask for: an opinion, or what somebody says of one (docs/policy.md).
OPINIONS: Final = frozenset({"Rating", "RatingBand", "RatingContext", "Review", "Reply", "Dispute", "DisputeOutcome"})
# What adds up over several platforms. Time on one platform and time on another may be the same time.
ADDS: Final = frozenset(
    {"averageAtLeast3m", "averageAtLeast6m", "averageAtLeast12m", "total12m"}
    | {"jobsAtLeast", "jobsCompleted", "hoursAtLeast", "totalDurationHours"}
)
_NUMBERS: Final = frozenset({"money", "count", "hours"})
_DAYS: Final = frozenset({"date", "month"})
_TODAY: Final = "today"
_DAY: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?\Z")
_MEMBERS: Final = frozenset(
    {"claim", "atLeast", "oneOf", "notBefore", "where", "issuers", "maxAgeDays", "addUp", "because"}
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that has to be seen. Of ``at_least``, ``one_of`` and ``not_before`` at most one is there; without any,
    it has to be shown and no more.

    ``at_least`` of a ladder is in the unit of its steps. ``where`` are values that other claims of the same statement
    must have. ``issuers`` are legal identifiers; empty for every issuer of the trust list. ``max_age`` counts the days
    since the last month that the statement covers was over.
    """

    type: StatementType
    claim: Claim | None
    at_least: Decimal | None = None
    one_of: tuple[str, ...] = ()
    not_before: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    issuers: frozenset[str] = frozenset()
    max_age: int | None = None
    add_up: bool = False
    because: Words = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        """``Earnings.averageAtLeast12m``, or ``Qualification``."""
        return f"{self.type.name}.{self.claim.name}" if self.claim else self.type.name

    def earliest_month(self, at: datetime) -> str:
        """The earliest last month that is not too old at ``at``; empty where age does not matter."""
        if self.max_age is None:
            return ""
        return f"{at.date() - timedelta(days=self.max_age):%Y-%m}"

    def earliest_day(self, at: datetime) -> date | None:
        """The day that a date has to reach; None where none has to. Of a month, its last day counts."""
        if not self.not_before:
            return None
        text = self.not_before
        return at.date() if text == _TODAY else date.fromisoformat(text if len(text) > 7 else f"{text}-01")


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy: for one purpose, all of its requirements have to be met."""

    name: Words
    purpose: str
    requirements: tuple[Requirement, ...]
    sha256: str


def parse_policy(raw: bytes, *, where: str = "policy") -> PolicyFile:
    """A policy file (TOML, docs/policy.md).

    Raises :class:`Malformed`, :class:`Unsupported` for a claim or a purpose that is not known or that no policy can
    depend on, and :class:`Rejected` for what must not be asked for the purpose.
    """
    members = _toml(raw, where)
    extra = members.keys() - {"name", "purpose", "lists", "require"}
    if extra:
        raise Malformed(f"{where} /{min(extra)[:40]}", "is no member of a policy", code="BAD_POLICY")
    purpose = members.get("purpose")
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        raise Unsupported("purpose", f"{purpose}; known are {', '.join(PURPOSES)}", code="UNKNOWN_PURPOSE")
    lists = _lists(members.get("lists", {}), where)
    entries = members.get("require")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_REQUIREMENTS:
        raise Malformed(f"{where} /require", f"needs 1 to {MAX_REQUIREMENTS} requirements", code="BAD_POLICY")
    requirements = tuple(_requirement(entry, lists, f"{where} /require/{n}") for n, entry in enumerate(entries))
    findings = tuple(_forbidden(requirements, purpose))
    if findings:
        raise Rejected(findings)
    return PolicyFile(_words(members.get("name"), f"{where} /name"), purpose, requirements, sha256(raw).hexdigest())


def _toml(raw: bytes, where: str) -> dict[str, Any]:
    if len(raw) > MAX_POLICY:
        raise Malformed(where, f"more than {MAX_POLICY} bytes", code="TOO_LARGE")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(where, f"not TOML: {str(error)[:120]}", code="BAD_POLICY") from None


def _forbidden(requirements: tuple[Requirement, ...], purpose: str) -> Iterator[Finding]:
    for number, one in enumerate(requirements):
        for claim in (one.claim.name if one.claim else "", *one.where):
            if judge(PURPOSES[purpose], one.type.name, claim) is Judgement.never:
                name = f"{one.type.name}.{claim}" if claim else one.type.name
                yield Finding("NEVER_ASK", f"{name} must not be asked for {purpose}", f"/require/{number}")


def _requirement(entry: object, lists: Mapping[str, frozenset[str]], where: str) -> Requirement:
    if not isinstance(entry, dict):
        raise Malformed(where, "not a table", code="BAD_POLICY")
    extra = entry.keys() - _MEMBERS
    if extra:
        raise Malformed(f"{where}/{min(extra)[:40]}", "is no member of a requirement", code="BAD_POLICY")
    kind, claim = _claim(entry.get("claim"), where)
    conditions = [name for name in ("atLeast", "oneOf", "notBefore") if name in entry]
    if len(conditions) > 1 or (conditions and claim is None):
        raise Malformed(where, "takes one of atLeast, oneOf and notBefore, about a claim", code="BAD_POLICY")
    made = Requirement(
        kind,
        claim,
        at_least=_at_least(entry, claim, where),
        one_of=_one_of(entry, claim, where),
        not_before=_not_before(entry, claim, where),
        where=_where(entry.get("where", {}), kind, where),
        issuers=_issuers(entry.get("issuers"), lists, f"{where}/issuers"),
        max_age=_max_age(entry.get("maxAgeDays"), f"{where}/maxAgeDays"),
        add_up=_add_up(entry, claim, where),
        because=_words(entry["because"], f"{where}/because") if "because" in entry else MappingProxyType({}),
    )
    if claim is not None and made.at_least is not None and _is_money(kind, claim) and "currency" not in made.where:
        raise Malformed(f"{where}/where", "say in which currency: where = {currency = …}", code="BAD_POLICY")
    return made


def _claim(name: object, where: str) -> tuple[StatementType, Claim | None]:
    type_name, _, claim_name = name.partition(".") if isinstance(name, str) else ("", "", "")
    kind = TYPES.get(type_name)
    if type_name in OPINIONS:
        why = f"{type_name}: a policy cannot depend on opinions, or on their absence; look at them in the report"
        raise Unsupported("requirement", why, code="POLICY_OPINION")
    if kind is None:
        known = ", ".join(known for known in TYPES if known not in OPINIONS)
        raise Unsupported("statement type", f"{type_name[:80] or 'none'} at {where}; known are {known}")
    if not claim_name:
        return kind, None
    claim = kind.claims.get(claim_name)
    if claim is None:
        raise Unsupported("claim", f"{claim_name[:80]} at {where}; {kind.name} has {', '.join(kind.claims)}")
    return kind, claim


def _at_least(entry: Mapping[str, Any], claim: Claim | None, where: str) -> Decimal | None:
    if "atLeast" not in entry:
        if claim is not None and claim.ladder:
            raise Malformed(where, f"{claim.name} is a ladder: add atLeast", code="BAD_POLICY")
        return None
    number = entry["atLeast"]
    if claim is None or not (claim.ladder or claim.kind in _NUMBERS):
        raise Malformed(f"{where}/atLeast", "the claim is not a number", code="BAD_POLICY")
    if type(number) is not int or not 0 < number <= 10**12:
        raise Malformed(f"{where}/atLeast", "not a whole number above 0", code="BAD_POLICY")
    if claim.ladder and not entry.get("addUp") and number > max(claim.ladder):
        raise Malformed(f"{where}/atLeast", f"the highest step is {max(claim.ladder)}", code="BAD_POLICY")
    return Decimal(number)


def _one_of(entry: Mapping[str, Any], claim: Claim | None, where: str) -> tuple[str, ...]:
    if "oneOf" not in entry:
        return ()
    assert claim is not None
    return _values(entry["oneOf"], claim, f"{where}/oneOf")


def _values(given: object, claim: Claim, where: str) -> tuple[str, ...]:
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list) or not 0 < len(values) <= MAX_NAMES:
        raise Malformed(where, "not a text, or a list of texts", code="BAD_POLICY")
    wrong = [value for value in values if not isinstance(value, str) or not claim.accepts(value)]
    if wrong:
        known = f"; known are {', '.join(claim.words)}" if claim.words else ""
        raise Malformed(where, f"{str(wrong[0])[:60]} is no value of {claim.name}{known}", code="BAD_POLICY")
    return tuple(values)


def _not_before(entry: Mapping[str, Any], claim: Claim | None, where: str) -> str:
    if "notBefore" not in entry:
        return ""
    if claim is None or claim.kind not in _DAYS:
        raise Malformed(f"{where}/notBefore", "the claim is not a date", code="BAD_POLICY")
    value = entry["notBefore"]
    text = value.isoformat() if type(value) is date else value
    if text == _TODAY or (isinstance(text, str) and _DAY.match(text) and _is_day(text)):
        return text
    raise Malformed(f"{where}/notBefore", 'not a date, a month or "today"', code="BAD_POLICY")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError:
        return False
    return True


def _where(given: object, kind: StatementType, where: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(given, dict) or len(given) > MAX_REQUIREMENTS:
        raise Malformed(f"{where}/where", "not a table of claims", code="BAD_POLICY")
    unknown = given.keys() - kind.claims.keys()
    if unknown:
        raise Unsupported("claim", f"{min(unknown)[:80]} at {where}/where; {kind.name} has {', '.join(kind.claims)}")
    found = {name: _values(value, kind.claims[name], f"{where}/where/{name}") for name, value in given.items()}
    return MappingProxyType(found)


def _lists(given: object, where: str) -> Mapping[str, frozenset[str]]:
    if not isinstance(given, dict) or len(given) > MAX_REQUIREMENTS:
        raise Malformed(f"{where} /lists", "not a table of lists", code="BAD_POLICY")
    return {name: _texts(value, f"{where} /lists/{name[:40]}") for name, value in given.items()}


def _issuers(given: object, lists: Mapping[str, frozenset[str]], where: str) -> frozenset[str]:
    if given is None:
        return frozenset()
    if isinstance(given, str):
        if given not in lists:
            raise Malformed(where, f"there is no list {given[:60]} under [lists]", code="BAD_POLICY")
        return lists[given]
    return _texts(given, where)


def _texts(given: object, where: str) -> frozenset[str]:
    texts = given if isinstance(given, list) else []
    if not 0 < len(texts) <= MAX_NAMES or not all(isinstance(one, str) and 0 < len(one) <= 512 for one in texts):
        raise Malformed(where, f"not a list of 1 to {MAX_NAMES} texts", code="BAD_POLICY")
    return frozenset(texts)


def _max_age(given: object, where: str) -> int | None:
    if given is None:
        return None
    if type(given) is not int or not 0 <= given <= MAX_AGE:
        raise Malformed(where, f"not a number of days from 0 to {MAX_AGE}", code="BAD_POLICY")
    return given


def _add_up(entry: Mapping[str, Any], claim: Claim | None, where: str) -> bool:
    given = entry.get("addUp", False)
    if type(given) is not bool:
        raise Malformed(f"{where}/addUp", "not true or false", code="BAD_POLICY")
    if given and (claim is None or claim.name not in ADDS or "atLeast" not in entry):
        known = ", ".join(sorted(ADDS))
        raise Malformed(f"{where}/addUp", f"only these add up over platforms: {known}", code="BAD_POLICY")
    return given


def _is_money(kind: StatementType, claim: Claim) -> bool:
    basis = kind.claims[claim.basis.claim] if claim.basis else claim
    return basis.kind in {"money", "monthMoney"}


def _words(given: object, where: str) -> Words:
    if isinstance(given, str) and 0 < len(given) <= 200:
        return MappingProxyType(dict.fromkeys(LANGUAGES, given))
    match given:
        case {"en": str(en), "fr": str(fr), **rest} if not rest and 0 < len(en) <= 200 and 0 < len(fr) <= 200:
            return MappingProxyType({"en": en, "fr": fr})
    raise Malformed(where, "not a text of at most 200 characters, or one in en and one in fr", code="BAD_POLICY")
