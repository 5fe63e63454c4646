"""The guard, in plain words: verdicts grouped, law, counter-offer, what can be recognised, copies that run low."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.errors import Malformed
from vc.oid4vp import LDP_VC, SD_JWT_VC, ClaimQuery, Request, credential_query, sd_jwt_query
from wallet.choose import Proposal, purpose_of
from wallet.guard import CounterOffer, Judged, Offered, Withheld, assess
from wallet.held import LOW
from wallet.plain import MAX_NAME, plain
from wallet.traces import Trace, traces
from work.contexts import URL
from work.phrases import listed, typeset
from work.purposes import Judgement
from work.subject import SUBJECT, path_of
from work.types import LANGUAGES, TYPES
from work.vct import claims_path
from work.wording import label, say

MAX_NAMES: Final = 6  # of claims of one type on a line: who asks for hundreds must not hide the rest
MAX_VALUES: Final = 3  # of a claim with many, on a line of the ledger
MAX_GROUPS: Final = 8  # statement types on a line

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("guard.toml").read_text(encoding="utf-8"))
)


def tell(key: str, lang: str, **fields: str | int) -> str:
    """One sentence of ``guard.toml``, in the language's own spacing."""
    return typeset(_TEXTS[lang][key].format_map(fields), lang)


def verdict_lines(request: Request, lang: str) -> Iterator[str]:
    """How everything that is asked looks for its purpose: a line for each verdict, and for each law of a "never"."""
    judged = assess(request)
    for judgement in Judgement:
        groups: dict[str, list[tuple[str, str]]] = {}
        for one in judged:
            if one.judgement is judgement:
                law = one.law[lang] if one.law and judgement is Judgement.never else ""
                groups.setdefault(law, []).append((one.type, one.claim))
        for law, places in groups.items():
            yield tell(f"verdict_{judgement}", lang, claims=named(places, lang), law=law)
        if groups and judgement is Judgement.never and (purpose := purpose_of(request)):
            yield typeset(purpose.law[lang], lang)


def named(places: Iterable[tuple[str, str]], lang: str) -> str:
    """Claims by type, a bounded number of each."""
    groups: dict[str, list[str]] = {}
    for kind, claim in places:
        groups.setdefault(kind, [])
        if claim:
            groups[kind].append(claim_label(kind, claim, lang))
    told = [
        tell("group", lang, type=type_label(kind, lang), claims=", ".join(_some(names, MAX_NAMES, lang)))
        if names
        else type_label(kind, lang)
        for kind, names in groups.items()
    ]
    return listed(_some(told, MAX_GROUPS, lang), lang)


def _some(names: Sequence[str], most: int, lang: str) -> list[str]:
    rest = len(names) - most
    return [*names[:most], *([tell("more", lang, count=rest)] if rest > 0 else [])]


def type_label(kind: str, lang: str) -> str:
    """A statement type by its name for people, or what the request calls it."""
    return label(kind, lang) if kind in TYPES else plain(kind, MAX_NAME)


def claim_label(kind: str, claim: str, lang: str) -> str:
    """A claim by its name for people, or what the request calls it."""
    if claim == SUBJECT:
        return tell("everything", lang)
    return label(kind, lang, claim) if kind in TYPES and claim in TYPES[kind].claims else plain(claim, MAX_NAME)


def ledger_values(shown: Mapping[str, Json], lang: str) -> str:
    """What a line of the ledger says was shown of a statement: claims by name, and of many values the first few."""
    kind, claims = str(shown.get("type")), shown.get("claims")
    values: dict[str, list[str]] = {}
    for one in claims if isinstance(claims, list) else []:
        if isinstance(one, dict):
            values.setdefault(str(one.get("claim")), []).append(plain(str(one.get("value"))))
    told = []
    for claim, found in values.items():
        first, rest = ", ".join(found[:MAX_VALUES]), len(found) - MAX_VALUES
        text = tell("ledger_more", lang, values=first, count=rest) if rest > 0 else first
        name = claim_label(kind, claim.removeprefix(f"{kind}."), lang)
        told.append(tell("ledger_values", lang, claim=name, values=text) if text else name)
    return listed(_some(told, MAX_NAMES, lang), lang) or "-"


def counter_lines(offer: CounterOffer, lang: str) -> Iterator[str]:
    """The counter-offer, what would be learnt and what not, and how it can be given."""
    if offer.purpose is None:
        yield tell("counter_no_purpose", lang)
        return
    if not offer.says_less:
        yield tell("counter_same", lang)
        return
    if not offer.offered:
        yield tell("counter_nothing", lang)
        return
    yield tell("counter", lang)
    for one in offer.offered:
        text = offered_text(one, lang)
        yield f"  - {tell('counter_optional', lang, text=text) if one.optional else text}"
    yield tell("counter_learn", lang, kept=_learnt(offer, lang), withheld=_hidden(offer, lang))
    if offer.instead:
        yield tell("counter_message", lang)
        return
    yield tell("counter_answer", lang)
    if not offer.complete:
        yield tell("counter_partial", lang)


def offered_text(one: Offered, lang: str) -> str:
    """One thing that the counter-offer shows: a rung as a sentence, anything else by its name."""
    if one.rung:
        try:
            return plain(say(one.type, one.claim, one.rung, lang, beside=one.beside))
        except Malformed:  # a rung that no ladder of ours has: what else the issuer wrote is not repeated
            pass
    return named([(one.type, one.claim)], lang)


def _learnt(offer: CounterOffer, lang: str) -> str:
    return named(((one.type, one.claim) for one in offer.offered), lang)


def _hidden(offer: CounterOffer, lang: str) -> str:
    return named(((one.type, one.claim) for one in offer.withheld), lang)


def counter_json(offer: CounterOffer) -> dict[str, Json]:
    """The counter-offer for scripts, and the heart of the message to the verifier."""
    return {
        "wouldShow": [_offered_json(one) for one in offer.offered],
        "wouldNotShow": [_withheld_json(one) for one in offer.withheld],
        "answerable": not offer.instead and bool(offer.answer.proposals),
        "complete": offer.complete,
    }


def _offered_json(one: Offered) -> dict[str, Json]:
    members: dict[str, Json] = {"claim": f"{one.type}.{one.claim}" if one.claim else one.type}
    if one.rung:
        members["atLeast"] = int(one.rung)
    if one.instead_of:
        members["insteadOf"] = list(one.instead_of)
    return {**members, "optional": one.optional}


def _withheld_json(one: Withheld) -> dict[str, Json]:
    claim = f"{one.type}.{one.claim}" if one.claim else one.type
    return {"claim": claim, "why": one.why.value, "law": dict(one.law) if one.law else None}


def judged_json(one: Judged) -> dict[str, Json]:
    """One verdict for scripts."""
    claim = f"{one.type}.{one.claim}" if one.claim else one.type
    return {"claim": claim, "verdict": one.judgement.value, "law": dict(one.law) if one.law else None}


def message(offer: CounterOffer) -> dict[str, Json]:
    """A counter-offer to hand to the verifier: what would be shown, and the query that asks for just that."""
    ask = [_ask(one) for one in offer.offered]
    made: dict[str, Json] = {
        "type": "OuvrageCounterOffer",
        "to": offer.request.client_id,
        "nonce": offer.request.nonce,
        "purpose": offer.purpose.code if offer.purpose else None,
        **{name: value for name, value in counter_json(offer).items() if name.startswith("would")},
        "ask": list[Json](ask),
        "text": {lang: _message_text(offer, ask, lang) for lang in LANGUAGES},
    }
    formats = {query.format for query in offer.request.queries}
    if formats in ({LDP_VC}, {SD_JWT_VC}):
        made["dcql_query"] = {"credentials": _queries(offer, sd_jwt=formats == {SD_JWT_VC})}
    return made


def _message_text(offer: CounterOffer, ask: Sequence[str], lang: str) -> str:
    return tell(
        "message_text",
        lang,
        purpose=offer.purpose.labels[lang] if offer.purpose else tell("why_unknown", lang),
        kept=listed((offered_text(one, lang) for one in offer.offered), lang) or tell("message_ask_nothing", lang),
        withheld=_hidden(offer, lang),
        ask=", ".join(ask),
    )


def _ask(one: Offered) -> str:
    """As ``ouvrage verifier request --claim`` takes it."""
    return f"{one.type}.{one.claim}{f'>={int(one.rung)}' if one.rung else ''}" if one.claim else one.type


def _queries(offer: CounterOffer, *, sd_jwt: bool) -> list[Json]:
    by_type: dict[str, list[Offered]] = {}
    for one in offer.offered:
        by_type.setdefault(one.type, []).append(one)
    binding = any(query.holder_binding for query in offer.request.queries)
    queries: list[Json] = []
    for name, group in by_type.items():
        kind = TYPES[name]  # of another type everything is unusual, and nothing offered
        path = claims_path if sd_jwt else path_of
        claims = [
            ClaimQuery(one.claim, path(kind.claims[one.claim]), (one.rung,) if one.rung else ())
            for one in group
            if one.claim in kind.claims
        ]
        if sd_jwt:
            queries.append(sd_jwt_query(name, [kind.vct], claims, holder_binding=binding))
        else:
            queries.append(credential_query(name, [f"{URL}#{kind.credential_type}"], claims, holder_binding=binding))
    return queries


def trace_lines(proposal: Proposal, lang: str) -> Iterator[str]:
    """What of a showing can be recognised again."""
    yield from (_trace(proposal, trace, lang) for trace in traces(proposal))


def _trace(proposal: Proposal, trace: Trace, lang: str) -> str:
    claims = named(((proposal.type, claim) for claim in trace.claims), lang)
    return tell(f"trace_{trace.reason}", lang, claims=claims, times=trace.times)


def traces_json(proposal: Proposal) -> list[Json]:
    """The same for scripts."""
    return [
        {"reason": trace.reason.value, "claims": list[Json](trace.claims), "times": trace.times}
        for trace in traces(proposal)
    ]


def low_text(unused: int, lang: str, *, own: bool) -> str:
    """That few unused copies are left, and what to do; empty where there are enough."""
    if unused > LOW:
        return ""
    key = "low_own" if own else {0: "low_none", 1: "low_one"}.get(unused, "low")
    return tell(key, lang, count=unused)
