"""The table of what can be wrong with an answer: one otherwise perfect answer, one thing wrong, the finding expected.

A trust list that is rolled back, frozen, mixed, half-written or signed by too few is in tests/test_trust_list.py.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from issuer.copies import Job, Slot, sign_copy
from issuer.formats import Format
from tests.line import AT, SAMPLES, Shown, answer, copy, credential, entry, holder_key, issuer_keys, rand_from, request
from tests.test_verify import SPOILT, THIEF, signed_again
from tests.test_wallet_sdjwt import asked
from vc.canon import to_json
from vc.errors import VcError
from vc.jose import sign_jws
from vc.multibase import decode_base64url, encode_base64url
from vc.sdjwt import parse_sd_jwt
from vc.secure import sign
from vc.status import MIN_ENTRIES, new_list, set_statuses, status_list_credential
from vc.token_status import StatusListToken, TokenStatusList, new_statuses, sign_status_jwt
from vc.token_status import set_statuses as set_tokens
from vc.trust import parse_trust
from vc.verify import Policy
from verifier.check import policy
from verifier.decision import Outcome
from verifier.judge import judge
from verifier.policy import PolicyFile, parse_policy
from verifier.report import Report, Verdict, refused
from verifier.standing import Standing
from verifier.trust_store import load
from wallet.choose import Copy, plan
from wallet.present import present
from wallet.receive import same_statement
from wallet.sdjwt import credential_of, holder_of, read_kept
from work import CONTEXTS
from work.statement import Statement

DAY: Final = timedelta(days=1)
MIDNIGHT: Final = AT.replace(hour=0, minute=0)
SLOT: Final = Slot("1", 94567, "https://platform.example/status/1")
BBS, SD, JWT = Format.BBS, Format.ECDSA_SD, Format.SD_JWT
REFUSED, CANNOT_TELL, UNKNOWN = Standing.REFUSED, Standing.CANNOT_TELL, Standing.UNKNOWN_ISSUER
REVOKED, EXPIRED, STALE = Standing.REVOKED, Standing.EXPIRED, Standing.STALE


@dataclass
class Case:
    """An answer with all that it is checked against, to be spoilt in one place."""

    shown: Shown
    trust: dict[str, Any]
    at: datetime = AT
    policy: Policy = field(default_factory=lambda: policy(accept_possession=False))
    rules: PolicyFile | None = None

    @property
    def text(self) -> str:
        """The SD-JWT of the answer."""
        ((text,),) = self.shown.answer["vp_token"].values()
        return str(text)

    @text.setter
    def text(self, value: str) -> None:
        self.shown.answer["vp_token"] = {name: [value] for name in self.shown.answer["vp_token"]}

    @property
    def platform(self) -> dict[str, Any]:
        """The issuer's entry in the trust file."""
        found: dict[str, Any] = self.trust["issuers"][0]
        return found

    def report(self) -> Report:
        trust = parse_trust(json.dumps(self.trust).encode(), contexts=CONTEXTS)
        raw = json.dumps(self.shown.answer).encode()
        return judge(raw, self.shown.request, trust=trust, policy=self.policy, at=self.at, rules=self.rules)[0]


Spoil: TypeAlias = Callable[[Case], None]
Row: TypeAlias = tuple[str, Spoil, str, Standing]


# ---- the perfect one, in three formats -------------------------------------------------------------------------------


def bits(purpose: str, value: int = 0, *, by: Any = None, **changes: Any) -> dict[str, Any]:
    """A Bitstring Status List of the platform, as a trust file has it."""
    url, key = f"{SLOT.url}/{purpose}", by or issuer_keys().public
    raw = set_statuses(new_list(), {SLOT.place: value})
    made = status_list_credential(
        raw, url=url, issuer=key.did, purposes=(purpose,), valid_from=MIDNIGHT, valid_until=AT + 5 * DAY
    )
    signed = sign({**made, **changes}, key=key, created=MIDNIGHT, contexts=CONTEXTS)
    return {"url": url, "asOf": "2026-11-24T00:00:00Z", "credential": signed}


def token(value: int = 0, *, by: Any = None, entries: int = MIN_ENTRIES, **changes: Any) -> dict[str, Any]:
    """A Status List Token of the platform, as a trust file has it."""
    key, uri = by or issuer_keys().jwt, SLOT.token().uri
    values = {SLOT.place: value} if entries > SLOT.place else {}
    statuses = TokenStatusList.of(set_tokens(new_statuses(entries, bits=2), values, bits=2), bits=2)
    made = replace(StatusListToken(uri, MIDNIGHT, statuses, AT + 5 * DAY), **changes)
    signed = sign_status_jwt(made, key=key, kid=key.verification_method)
    return {"url": uri, "asOf": "2026-11-24T00:00:00Z", "token": signed}


def copy_of(body: str, form: Format) -> Copy:
    if form is not JWT:
        return copy(json.loads(body))
    held = read_kept(body)
    read = credential_of(held)
    return Copy(b"0" * 16, body, read, same_statement(read), holder_of(held), 0)


@cache
def perfect_answer(form: Format, worker: str = "worker") -> str:
    statement = Statement("Earnings", "worker-1", SAMPLES["Earnings"])
    slot = None if form is BBS else SLOT
    job = Job(statement, statement.digest(), holder_key(worker).did, form, slot)
    made = sign_copy(job, keys=issuer_keys(), at=AT, rand=rand_from(form))
    request_ = asked(sd=form is JWT)
    (proposal,) = plan(request_, [copy_of(made.body, form)], contexts=CONTEXTS, at=AT).proposals
    shown = present(
        proposal, request=request_, key=holder_key(worker), contexts=CONTEXTS, at=AT, rand=rand_from(f"show {worker}")
    )
    return json.dumps({"vp_token": {proposal.query.id: [shown]}})


@cache
def trust_text() -> str:
    lists = [bits("revocation"), bits("suspension"), bits("message"), token()]
    head = {"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z"}
    return json.dumps({**head, "issuers": [entry(issuer_keys())], "statusLists": lists})


def perfect(form: Format) -> Case:
    return Case(Shown(asked(sd=form is JWT), json.loads(perfect_answer(form))), json.loads(trust_text()))


@pytest.mark.parametrize("form", list(Format))
def test_the_perfect_one_is_valid(form: Format) -> None:
    report = perfect(form).report()
    assert (report.verdict, report.standing) == (Verdict.VALID, (Standing.VALID_AS_OF, ())), report.reasons
    assert report.proven[0].claims["averageAtLeast12m"] == ("001500",)


# ---- time, trust, policy and request: alike in every format ----------------------------------------------------------


def later(days: int) -> Spoil:
    """The check so many days later, with a trust file of that day."""

    def spoil(case: Case) -> None:
        case.at = AT + days * DAY
        case.trust["asOf"] = f"{case.at:%Y-%m-%dT00:00:00Z}"
        for one in case.trust["statusLists"]:
            one["asOf"] = case.trust["asOf"]

    return spoil


def trusting(**changes: Any) -> Spoil:
    return lambda case: case.trust.update(changes)


def platform(**changes: Any) -> Spoil:
    return lambda case: case.platform.update(changes)


def windows(**window: Any) -> Spoil:
    """Another window of validity for every key of the platform."""

    def spoil(case: Case) -> None:
        for key in case.platform["keys"]:
            key.update(window)

    return spoil


def other_request(client: str = "") -> Spoil:
    def spoil(case: Case) -> None:
        asked_ = case.shown.request
        changed = replace(asked_, nonce="n" * 43) if not client else replace(asked_, client_id=client)
        case.shown = Shown(changed, case.shown.answer)

    return spoil


def answered(value: Any) -> Spoil:
    return lambda case: case.shown.answer.update(vp_token=value)


def under(name: str) -> Spoil:
    """The presentation as the answer to another query."""
    return lambda case: case.shown.answer.update(vp_token={name: next(iter(case.shown.answer["vp_token"].values()))})


def twice(case: Case) -> None:
    case.shown.answer["vp_token"] = {name: own * 2 for name, own in case.shown.answer["vp_token"].items()}


def stranger(case: Case) -> None:
    case.trust["issuers"] = [entry(issuer_keys("another"))]


def nobody(case: Case) -> None:
    case.trust["issuers"] = []


EVERYWHERE: Final[list[Row]] = [
    ("answer to another request", other_request(), "CHALLENGE_MISMATCH", REFUSED),
    ("answer to another verifier", other_request(client="landlord.example"), "DOMAIN_MISMATCH", REFUSED),
    ("nothing answered", answered({}), "NO_PRESENTATION", REFUSED),
    ("no presentation in it", answered({"Earnings": []}), "NO_PRESENTATION", REFUSED),
    ("answers what was not asked", under("Rating"), "NOT_ASKED", REFUSED),
    ("two where one was asked", twice, "NO_PRESENTATION", REFUSED),
    ("trust list too old", trusting(asOf="2026-10-01T00:00:00Z"), "STALE_TRUST", STALE),
    ("trust list from next week", trusting(asOf="2026-12-01T00:00:00Z"), "WRONG_CLOCK", CANNOT_TELL),
    ("trust list names others", stranger, "ISSUER_NOT_TRUSTED", UNKNOWN),
    ("trust list names nobody", nobody, "ISSUER_NOT_TRUSTED", UNKNOWN),
    ("issuer not trusted with this type", platform(mayAttest=["RatingCredential"]), "TYPE_NOT_TRUSTED", REFUSED),
    ("key began to count later", windows(validFrom="2026-11-25T00:00:00Z"), "KEY_OUT_OF_WINDOW", REFUSED),
    (
        "key had stopped counting",
        windows(validFrom="2025-01-01T00:00:00Z", validUntil="2026-10-30T00:00:00Z"),
        "KEY_OUT_OF_WINDOW",
        REFUSED,
    ),
]


# ---- bbs-2023 and ecdsa-sd-2023: the presentation, the proof, the words, the binding ---------------------------------


def cannot(code: str) -> Standing:
    """What uses a technique that is not known here is not refused: another program may know it."""
    return CANNOT_TELL if code in ("UNSUPPORTED_SUITE", "UNKNOWN_CONTEXT") else REFUSED


def on_answer(spoil: Callable[[Shown], None]) -> Spoil:
    return lambda case: spoil(case.shown)


LINKED: Final[list[Row]] = [
    *((spoil.__name__.replace("_", " "), on_answer(spoil), code, cannot(code)) for spoil, code in SPOILT),
    ("expired", later(42), "EXPIRED", EXPIRED),
    ("a number for a presentation", answered({"Earnings": [7]}), "NOT_AN_OBJECT", REFUSED),
]
SD_CODES: Final = {"status that nobody holds": "PROOF_INVALID"}  # what this suite finds by another check


def not_accepted(case: Case) -> None:
    case.policy = replace(case.policy, suites=frozenset({"eddsa-rdfc-2022"}))


def without_key(case: Case) -> None:
    """A statement that names no key of the worker, shown by any wallet."""
    bare = answer(case.shown.request, credential(bound=False), bound=False)["vp_token"]["Earnings"][0]
    held = case.shown.answer["vp_token"]["Earnings"][0]
    held["verifiableCredential"] = [bare]
    signed_again(case.shown, key=THIEF)


BBS_ALONE: Final[list[Row]] = [
    ("a signature of a kind not accepted", not_accepted, "SUITE_NOT_ALLOWED", REFUSED),
    ("names no key of the worker", without_key, "BINDING_TOO_WEAK", REFUSED),
]


# ---- status ----------------------------------------------------------------------------------------------------------


def listing(made: Callable[[], dict[str, Any]], **changes: Any) -> Spoil:
    """Another list in the place of the one with the same address."""

    def spoil(case: Case) -> None:
        new = {**made(), **changes}
        case.trust["statusLists"] = [one for one in case.trust["statusLists"] if one["url"] != new["url"]] + [new]

    return spoil


def without_list(case: Case) -> None:
    case.trust["statusLists"] = []


def another_list(case: Case) -> None:
    """The list of suspensions under the address of that of revocations."""
    listing(partial(bits, "suspension"), url=f"{SLOT.url}/revocation")(case)


def changed_list(case: Case) -> None:
    for one in case.trust["statusLists"]:
        if one["url"].endswith("/revocation"):
            one["credential"]["credentialSubject"]["encodedList"] = bits("revocation", 1)["credential"][
                "credentialSubject"
            ]["encodedList"]


WITHDRAWN: Final = partial(bits, "revocation")
SD_STATUS: Final[list[Row]] = [
    ("revoked", listing(partial(bits, "revocation", 1)), "REVOKED", REVOKED),
    ("suspended", listing(partial(bits, "suspension", 1)), "SUSPENDED", REVOKED),
    ("status list not held", without_list, "STATUS_UNKNOWN", CANNOT_TELL),
    ("status list too old", listing(WITHDRAWN, asOf="2026-11-10T00:00:00Z"), "STATUS_STALE", STALE),
    ("status list from next week", listing(WITHDRAWN, asOf="2026-12-01T00:00:00Z"), "STATUS_STALE", STALE),
    (
        "status list past its end",
        listing(partial(bits, "revocation", validUntil="2026-11-24T06:00:00Z")),
        "STATUS_STALE",
        STALE,
    ),
    ("status list of another place", another_list, "STATUS_VERIFICATION_ERROR", CANNOT_TELL),
    ("status list changed", changed_list, "STATUS_VERIFICATION_ERROR", CANNOT_TELL),
    (
        "status list by a stranger",
        listing(partial(bits, "revocation", by=THIEF)),
        "STATUS_VERIFICATION_ERROR",
        CANNOT_TELL,
    ),
]
JWT_STATUS: Final[list[Row]] = [
    ("revoked", listing(partial(token, 1)), "REVOKED", REVOKED),
    ("suspended", listing(partial(token, 2)), "SUSPENDED", REVOKED),
    ("status list not held", without_list, "STATUS_UNKNOWN", CANNOT_TELL),
    ("status list too old", listing(token, asOf="2026-11-10T00:00:00Z"), "STATUS_STALE", STALE),
    ("status list from next month", listing(token, asOf="2026-12-24T00:00:00Z"), "STATUS_STALE", STALE),
    ("status list past its end", listing(partial(token, expires=AT - DAY / 8)), "STATUS_STALE", STALE),
    (
        "status list of another place",
        listing(partial(token, uri=f"{SLOT.url}/other")),
        "STATUS_VERIFICATION_ERROR",
        CANNOT_TELL,
    ),
    ("status list by a stranger", listing(partial(token, by=THIEF)), "STATUS_VERIFICATION_ERROR", CANNOT_TELL),
    ("status list without the place", listing(partial(token, entries=1 << 16)), "RANGE_ERROR", REFUSED),
    (
        "status list is none",
        listing(lambda: {**token(), "token": "e30.e30.c2ln"}),
        "STATUS_VERIFICATION_ERROR",
        CANNOT_TELL,
    ),
]


# ---- SD-JWT: the disclosures, the signature, the key binding ---------------------------------------------------------


def rebound(case: Case, *, key: Any = None, typ: str = "kb+jwt", sd_hash: str = "", **changes: Any) -> None:
    """Sign the key binding anew, with other members."""
    parsed = parse_sd_jwt(case.text)
    said: dict[str, Any] = {
        "iat": int(AT.timestamp()),
        "aud": case.shown.request.client_id,
        "nonce": case.shown.request.nonce,
        "sd_hash": sd_hash or encode_base64url(sha256(parsed.bare.encode()).digest()),
        **changes,
    }
    said = {name: value for name, value in said.items() if value is not None}
    case.text = parsed.bare + sign_jws(to_json(said), key=key or holder_key(), typ=typ)


def binding(**changes: Any) -> Spoil:
    return lambda case: rebound(case, **changes)


def unbound(case: Case) -> None:
    case.text = parse_sd_jwt(case.text).bare


def with_parts(change: Callable[[list[str]], list[str]], *, sign_again: bool = True) -> Spoil:
    """Other disclosures between the signed part and the key binding."""

    def spoil(case: Case) -> None:
        jwt, *disclosures, bound = case.text.split("~")
        case.text = "~".join([jwt, *change(disclosures), bound])
        if sign_again:
            rebound(case)

    return spoil


def encoded(*parts: Any) -> str:
    return encode_base64url(to_json(list(parts)))


def raised(parts: list[str]) -> list[str]:
    """A higher step in the place of the one that was shown."""
    return [
        encode_base64url(decode_base64url(one, where="", limit=4096).replace(b"001500", b"003000")) for one in parts
    ]


def payload_changed(case: Case, *, header: bool = False) -> None:
    jwt, *rest = case.text.split("~")
    parts = jwt.split(".")
    place = 0 if header else 1
    read = json.loads(decode_base64url(parts[place], where="", limit=1 << 16))
    read.update({"alg": "none"} if header else {"exp": 4102444800})
    parts[place] = encode_base64url(json.dumps(read, separators=(",", ":")).encode())
    case.text = "~".join([".".join(parts), *rest])
    if not header:
        rebound(case)


def resigned(*, key: Any = None, typ: str = "dc+sd-jwt", **changes: Any) -> Spoil:
    """The issuer's part with other members, signed by it or by somebody else."""

    def spoil(case: Case) -> None:
        jwt, *rest = case.text.split("~")
        read = json.loads(decode_base64url(jwt.split(".")[1], where="", limit=1 << 16))
        signer = key or issuer_keys().jwt
        said = {name: value for name, value in {**read, **changes}.items() if value is not None}
        header = {"kid": signer.verification_method}
        case.text = "~".join([sign_jws(to_json(said), key=signer, typ=typ, header=header), *rest])
        rebound(case)

    return spoil


WEEK: Final = 7 * 86400
NOW: Final = int(AT.timestamp())
JWT_ALONE: Final[list[Row]] = [
    ("a step raised", with_parts(raised), "DISCLOSURE_INVALID", REFUSED),
    (
        "a disclosure added",
        with_parts(lambda own: [*own, encoded("salt", "total_12m", "1")]),
        "DISCLOSURE_INVALID",
        REFUSED,
    ),
    ("a disclosure repeated", with_parts(lambda own: [*own, own[0]]), "DISCLOSURE_INVALID", REFUSED),
    ("a disclosure that is none", with_parts(lambda own: [*own, "e30"]), "DISCLOSURE_INVALID", REFUSED),
    ("a disclosure taken away", with_parts(lambda own: own[1:], sign_again=False), "SD_HASH_MISMATCH", REFUSED),
    ("the signed part changed", payload_changed, "PROOF_INVALID", REFUSED),
    ("the signature taken off", partial(payload_changed, header=True), "UNSUPPORTED_SUITE", CANNOT_TELL),
    ("nobody bound it", unbound, "HOLDER_PROOF_MISSING", REFUSED),
    ("bound by a thief", binding(key=THIEF), "PROOF_INVALID", REFUSED),
    ("bound to another request", binding(nonce="n" * 43), "CHALLENGE_MISMATCH", REFUSED),
    ("bound to another verifier", binding(aud="landlord.example"), "DOMAIN_MISMATCH", REFUSED),
    ("bound to other claims", binding(sd_hash=encode_base64url(bytes(32))), "SD_HASH_MISMATCH", REFUSED),
    ("bound two months ago", binding(iat=NOW - 9 * WEEK), "BINDING_STALE", REFUSED),
    ("bound next week", binding(iat=NOW + WEEK), "BINDING_STALE", REFUSED),
    ("bound at no time", binding(iat=None), "MISSING", REFUSED),
    ("bound for no nonce", binding(nonce=None), "BAD_SD_JWT", REFUSED),
    ("bound by another kind of signature", binding(typ="jwt"), "PURPOSE_MISMATCH", REFUSED),
    ("of another type", resigned(vct="https://elsewhere.example/badge"), "NOT_WHAT_WAS_ASKED", REFUSED),
    ("of no type", resigned(vct=None), "NOT_WHAT_WAS_ASKED", REFUSED),
    ("another kind of document", resigned(typ="jwt"), "PURPOSE_MISMATCH", REFUSED),
    ("signed by a stranger", resigned(key=THIEF, iss=THIEF.did), "ISSUER_NOT_TRUSTED", UNKNOWN),
    ("signed by a stranger in the issuer's name", resigned(key=THIEF), "METHOD_NOT_ISSUERS", REFUSED),
    ("its end is past", resigned(exp=NOW - 2 * 86400), "EXPIRED", EXPIRED),
    ("its beginning is to come", resigned(nbf=NOW + WEEK), "NOT_YET_VALID", REFUSED),
    ("names no key", resigned(cnf=None), "BINDING_TOO_WEAK", REFUSED),
    (
        "names another's key",
        resigned(cnf={"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}),
        "PROOF_INVALID",
        REFUSED,
    ),
    ("a status that is none", resigned(status=7), "NOT_AN_OBJECT", REFUSED),
    (
        "a status without a place",
        resigned(status={"status_list": {"uri": "x"}}),
        "STATUS_VERIFICATION_ERROR",
        CANNOT_TELL,
    ),
    ("not an SD-JWT", lambda case: setattr(case, "text", "junk"), "BAD_SD_JWT", REFUSED),
]

TABLE: Final[list[tuple[Format, Row]]] = [
    *((form, row) for form in Format for row in EVERYWHERE),
    *((form, row) for form in (BBS, SD) for row in LINKED),
    *((BBS, row) for row in BBS_ALONE),
    *((SD, row) for row in SD_STATUS),
    *((JWT, row) for row in (*JWT_STATUS, *JWT_ALONE)),
]


@pytest.mark.parametrize(("form", "row"), TABLE, ids=[f"{form}: {row[0]}" for form, row in TABLE])
def test_one_thing_wrong(form: Format, row: Row) -> None:
    name, spoil, code, standing = row
    code = SD_CODES.get(name, code) if form is SD else code
    case = perfect(form)
    spoil(case)
    report = case.report()
    told = {reason.code for reason in report.reasons}
    assert report.verdict is not Verdict.VALID
    assert report.proven == ()
    assert told == {code}
    assert report.standing[0] is standing


def test_the_table_has_at_least_sixty_rows_each_with_a_name_of_its_own() -> None:
    names = {(form, row[0]) for form, row in TABLE}
    assert len(names) == len(TABLE)
    assert len({row[0] for _, row in TABLE}) >= 60


# ---- a policy: what was shown does not meet it -----------------------------------------------------------------------

RULES: Final = """
name = {en = "Income", fr = "Revenu"}
purpose = "credit.consumer.eu"
[[require]]
claim = "Earnings.averageAtLeast12m"
atLeast = 1500
where = {currency = "USD"}
issuers = ["000 000 001"]
maxAgeDays = 600
"""
POLICIES: Final = {
    "more than the step that was shown": ("1500", "1600", Outcome.CANNOT_TELL),
    "a claim that was kept back": ("averageAtLeast12m", "averageAtLeast3m", Outcome.CANNOT_TELL),
    "a statement that was not shown": (
        'claim = "Earnings.averageAtLeast12m"\natLeast = 1500\nwhere = {currency = "USD"}',
        'claim = "WorkHistory"',
        Outcome.CANNOT_TELL,
    ),
    "another currency": ("USD", "EUR", Outcome.CANNOT_TELL),
    "another issuer": ("000 000 001", "000 000 002", Outcome.CANNOT_TELL),
    "newer than what was shown": ("maxAgeDays = 600", "maxAgeDays = 1", Outcome.CANNOT_TELL),
}


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_is_not_met_is_not_said_to_be(form: Format, name: str) -> None:
    old, new, outcome = POLICIES[name]
    case = perfect(form)
    case.rules = parse_policy(RULES.encode())
    met = case.report().decision
    assert met is not None
    assert met.outcome is Outcome.MET
    assert old in RULES
    case.rules = parse_policy(RULES.replace(old, new).encode())
    decision = case.report().decision
    assert decision is not None
    assert decision.outcome is outcome


# ---- a trust list that is missing or damaged trusts nobody -----------------------------------------------------------


def written(raw: bytes) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(raw)


TRUSTS: Final[dict[str, tuple[Callable[[Path], Any], str]]] = {
    "missing": (lambda _: None, "FILE_MISSING"),
    "empty": (written(b""), "NOT_JSON"),
    "half-written": (lambda path: path.write_bytes(trust_text().encode()[:5000]), "NOT_JSON"),
    "of another kind": (written(b'{"type": "Something"}'), "BAD_TRUST"),
    "of a later version": (
        lambda path: path.write_text(trust_text().replace('"version": 1', '"version": 2')),
        "BAD_TRUST",
    ),
    "a folder without a list": (lambda path: path.mkdir(), "FILE_MISSING"),
    "one key for two": (
        lambda path: path.write_text(
            json.dumps({**json.loads(trust_text()), "issuers": [entry(issuer_keys()), entry(issuer_keys())]})
        ),
        "BAD_TRUST",
    ),
}


@pytest.mark.parametrize("name", TRUSTS)
def test_a_trust_file_that_cannot_be_read_trusts_nobody(name: str, tmp_path: Path) -> None:
    make, code = TRUSTS[name]
    make(tmp_path / "trust")
    with pytest.raises(VcError) as caught:
        load(tmp_path / "trust")
    assert caught.value.code == code
    report = refused(request(), caught.value, trust=None, at=AT)
    assert report.standing[0] is CANNOT_TELL
    assert report.proven == ()
