"""A policy and its outcome in words, in English and French: part of the report, and ``ouvrage verifier policy``."""

from collections.abc import Iterator
from decimal import Decimal

from verifier.blocks import Block
from verifier.decision import Counted, Decision, Further, Judged
from verifier.policy import PolicyFile, Requirement
from verifier.words import clean, phrase
from work.ladders import MAX_RUNG, rung
from work.phrases import day, month, number
from work.types import Claim
from work.wording import label, say


def decision_block(decision: Decision, lang: str) -> Block:
    """The outcome, and each requirement with what counts and what would settle it."""
    return Block(
        phrase("decision.heading", lang, policy=decision.policy.name[lang]),
        paragraphs=(
            phrase(f"decision.{decision.outcome}", lang),
            phrase("decision.about", lang),
            phrase("decision.human", lang),
        ),
        blocks=tuple(_judged(one, lang) for one in decision.judged),
    )


def policy_lines(policy: PolicyFile, lang: str) -> Iterator[str]:
    """What a policy asks for, a sentence each."""
    for one in policy.requirements:
        yield f"{_sentence(demanded(one, lang))} {' '.join(_conditions(one, lang))}".strip()


def demanded(need: Requirement, lang: str) -> str:
    """What one requirement asks to see, without its conditions."""
    claim = need.claim
    if claim is None:
        return phrase("decision.shown", lang, what=label(need.type.name, lang))
    named = label(need.type.name, lang, claim.name)
    about = phrase("decision.of", lang, what=named, type=label(need.type.name, lang))
    if need.at_least is not None:
        return phrase("decision.of", lang, what=_at_least(need, claim, lang), type=label(need.type.name, lang))
    if need.not_before:
        earliest = phrase("decision.today", lang) if need.not_before == "today" else _date(need.not_before, lang)
        return phrase("decision.not_before", lang, what=about, day=earliest)
    if need.one_of:
        return phrase("decision.one_of", lang, what=about, values=_or(claim, need.one_of, lang))
    return about


def _at_least(need: Requirement, claim: Claim, lang: str) -> str:
    assert need.at_least is not None
    if claim.ladder and need.at_least <= MAX_RUNG:
        return say(need.type.name, claim.name, (rung(int(need.at_least)),), lang)
    named = label(need.type.name, lang, claim.name)
    return phrase("decision.at_least", lang, what=named, value=_number(str(need.at_least), lang))


def _conditions(need: Requirement, lang: str) -> Iterator[str]:
    for name, values in need.where.items():
        claim = need.type.claims[name]
        named = label(need.type.name, lang, name)
        yield phrase("decision.where", lang, what=named, values=_or(claim, values, lang))
    if need.issuers:
        yield phrase("decision.issuers", lang, names=", ".join(sorted(need.issuers)))
    if need.max_age is not None:
        yield phrase("decision.age", lang, days=str(need.max_age))
    if need.add_up:
        yield phrase("decision.adds", lang)
    if need.because:
        yield phrase("decision.because", lang, why=need.because[lang])


def _judged(one: Judged, lang: str) -> Block:
    need = one.requirement
    settle = tuple(_further(each, need, lang) for each in one.further)
    return Block(
        phrase(f"decision.one.{one.outcome}", lang, what=_sentence(demanded(need, lang), stop="")),
        paragraphs=(" ".join(_conditions(need, lang)),) if any(_conditions(need, lang)) else (),
        items=(
            *(_counted(each, need, lang) for each in one.counted),
            *(_total(one, lang)),
            *dict.fromkeys(phrase(f"decision.aside.{why}", lang) for _, why in one.aside),
        ),
        facts=((phrase("decision.further", lang), phrase("or", lang).join(settle)),) if settle else (),
    )


def _counted(one: Counted, need: Requirement, lang: str) -> str:
    claim = need.claim
    if claim is None or not one.value:
        return phrase("decision.counted.shown", lang, issuer=one.issuer)
    if need.at_least is None:
        values = tuple(one.value.split(", ")) if claim.words else (one.value,)
        return phrase("decision.counted.exact", lang, issuer=one.issuer, value=_or(claim, values, lang))
    how = "exact" if one.exact else "least"
    return phrase(f"decision.counted.{how}", lang, issuer=one.issuer, value=_number(one.value, lang))


def _total(one: Judged, lang: str) -> Iterator[str]:
    if len(one.counted) > 1 and one.total:
        exact = all(each.exact for each in one.counted)
        yield phrase(f"decision.total.{'exact' if exact else 'least'}", lang, value=_number(one.total, lang))


def _further(one: Further, need: Requirement, lang: str) -> str:
    what = label(one.type, lang, one.claim) if one.claim else label(one.type, lang)
    claim = need.type.claims.get(one.claim)
    if one.values and claim is not None and claim.ladder:
        what = say(one.type, one.claim, one.values[:1], lang)
    elif one.values and claim is not None:
        what = f"{what} ({_or(claim, one.values, lang)})"
    parts = [what[:1].lower() + what[1:]]
    if one.issuer:
        parts.append(phrase("decision.further_of", lang, issuer=one.issuer))
    elif one.other:
        parts.append(phrase("decision.further_other", lang))
    if one.since:
        parts.append(phrase("decision.further_since", lang, month=month(one.since, lang)))
    return " ".join(parts)


def _or(claim: Claim, values: tuple[str, ...], lang: str) -> str:
    return phrase("or", lang).join(
        claim.words[value][lang] if value in claim.words else clean(value) for value in values
    )


def _number(value: str, lang: str) -> str:
    return number(f"{Decimal(value):f}", lang)


def _date(text: str, lang: str) -> str:
    return day(text, lang) if len(text) > 7 else month(text, lang)


def _sentence(text: str, stop: str = ".") -> str:
    return text[:1].upper() + text[1:] + stop
