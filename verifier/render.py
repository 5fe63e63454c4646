"""The report for people: as text for a terminal and as one page to read and print, in English and French.

Both are drawn from the same blocks, so that neither says more than the other.
"""

from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vc.errors import Unsupported
from vc.verify import Assurance
from verifier.asked import Asked, Demand, NotShown
from verifier.blocks import Block, Page, page_text
from verifier.decision_words import decision_block
from verifier.proven import Proven, Said
from verifier.references import Reference
from verifier.report import Report, Unchecked, Verdict
from verifier.words import MAX_SENTENCE, clean, day, explained, phrase
from work.phrases import day as day_of
from work.phrases import month, number, typeset
from work.purposes import PURPOSES, law
from work.statement import Claims
from work.types import LANGUAGES, TYPES, Claim
from work.wording import is_matter, label, lines, say

_TOLD_APART: Final = ("sourceMethod", "category")  # in words of their own
_FACTS: Final = frozenset({*_TOLD_APART, "periodStart", "periodEnd"})  # told beside the sentences
_SHARES: Final = frozenset({"approvalShare", "goldAccuracy"})


def to_text(report: Report, lang: str) -> str:
    """The report for a terminal. Raises :class:`Unsupported` for a language other than "en" and "fr"."""
    return page_text(compose(report, lang))


def to_html(report: Report, lang: str) -> str:
    """The report as one page that asks for nothing else: no script, no image, no address to fetch.

    Raises :class:`Unsupported` for a language other than "en" and "fr".
    """
    return report_page(report, lang)[0]


def report_page(report: Report, lang: str) -> tuple[str, str]:
    """The same, and the policy in it, for who serves the page. Raises as :func:`to_html`."""
    css = files("verifier").joinpath("templates", "report.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(css.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return _template().render(page=compose(report, lang), css=css, policy=policy), policy


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("verifier"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def compose(report: Report, lang: str) -> Page:
    """The report as blocks of sentences. Raises :class:`Unsupported`."""
    if lang not in LANGUAGES:
        raise Unsupported("language", lang)
    return Page(
        lang=lang,
        title=phrase("title", lang),
        verdict=_verdict(report, lang),
        meaning=" ".join(_meaning(report, lang)),
        blocks=tuple(_blocks(report, lang)),
    )


def _blocks(report: Report, lang: str) -> Iterator[Block]:
    if report.reasons:
        yield _reasons(report, lang)
    if report.asked is not None:
        yield _asked(report.asked, lang)
    if report.proven:
        heading = "proven.heading_own" if _word_of(report) == "own" else "proven.heading"
        yield Block(phrase(heading, lang), blocks=tuple(_proven(one, lang) for one in report.proven))
    if report.decision is not None:
        yield decision_block(report.decision, lang)
    if report.verdict is Verdict.VALID and report.not_shown:
        yield _not_shown(report.not_shown, lang)
    unchecked = tuple(_unchecked(one, report, lang) for one in report.unchecked)
    yield Block(phrase("unchecked.heading", lang), items=unchecked)
    yield _keeping(report, lang)
    yield _again(report, lang)


def _verdict(report: Report, lang: str) -> str:
    at = day(report.at, lang)
    if report.trust_as_of is None:
        return phrase(f"verdict_alone.{report.verdict}", lang, at=at)
    return phrase(f"verdict.{_word_of(report)}", lang, at=at, trust=day(report.trust_as_of, lang))


def _meaning(report: Report, lang: str) -> Iterator[str]:
    yield phrase(f"meaning.{_word_of(report)}", lang)
    if _word_of(report) != "own":  # of which the verdict says already that nobody vouches for it
        yield phrase(f"standing.{report.standing[0]}", lang)
    if any(one.answers for one in report.proven):
        yield phrase("meaning.answers", lang)


def _word_of(report: Report) -> str:
    """The verdict, and of a valid answer whose word it is: issuers', partly or only the worker's own."""
    own = [one.assurance is Assurance.SELF_ASSERTED for one in report.proven]
    if report.verdict is not Verdict.VALID or not any(own):
        return report.verdict
    return "own" if all(own) else "partly"


def _reasons(report: Report, lang: str) -> Block:
    texts = (f"{explained(reason.code, lang)} ({clean(reason.code)})" for reason in report.reasons)
    return Block(phrase(f"reasons.heading.{report.verdict}", lang), items=tuple(dict.fromkeys(texts)))


def _asked(asked: Asked, lang: str) -> Block:
    purpose = PURPOSES.get(asked.purpose)
    never = (
        phrase("asked.never", lang, what=_demand(demand, lang), law=law(purpose, demand.type, demand.claim, lang))
        for demand in asked.never
        if purpose is not None
    )
    return Block(
        phrase("asked.heading", lang),
        warnings=tuple(never),
        facts=(
            (phrase("asked.by", lang), phrase("asked.by_value", lang, name=asked.verifier)),
            (
                phrase("asked.purpose", lang),
                purpose.labels[lang] if purpose else phrase("asked.purpose_unknown", lang),
            ),
            (
                phrase("asked.necessity", lang),
                clean(asked.necessity) or phrase("asked.necessity_missing", lang),
            ),
        ),
    )


def _demand(demand: Demand, lang: str) -> str:
    kind = TYPES.get(demand.type)
    if kind is None:
        return phrase("demand.claim" if demand.claim else "demand.type", lang, type=demand.type, claim=demand.claim)
    claim = kind.claims.get(demand.claim)
    named = label(kind.name, lang)
    if claim is None or not demand.values:
        name = _lower(label(kind.name, lang, claim.name)) if claim else demand.claim
        return phrase("demand.claim" if name else "demand.type", lang, type=named, claim=name)
    values = phrase("or", lang).join(_value(kind.name, claim, value, lang) for value in demand.values)
    return phrase("demand.claim", lang, type=named, claim=values)


def _value(type_name: str, claim: Claim, value: str, lang: str) -> str:
    """One value that was asked for, in words: "at least 1 500 a month on average over 12 months"."""
    if claim.ladder and claim.accepts(value):
        return _lower(say(type_name, claim.name, (value,), lang))
    return phrase("demand.value", lang, claim=_lower(label(type_name, lang, claim.name)), value=value)


def _proven(one: Proven, lang: str) -> Block:
    told = tuple(lines(one.type, one.claims, lang)) if one.claims else ()
    monthly = {name for name in one.claims if TYPES[one.type].claims[name].fill == "before"}
    main = [line for line in told if line.claim not in _FACTS and is_matter(one.type, line.claim)]
    items = tuple(_sentence(line.text) for line in main if line.claim not in monthly)
    return Block(
        phrase(
            "proven.one" if one.issuer else "proven.own",
            lang,
            type=label(one.type, lang) if one.type else phrase("proven.unknown_type", lang),
            issuer=one.issuer,
        ),
        warnings=tuple(_warnings(one, lang)),
        paragraphs=() if main or not one.claims else (phrase("proven.nothing", lang),),
        items=items,
        series=tuple(_sentence(line.text) for line in main if line.claim in monthly),
        beside=tuple(_answer(said, lang) for said in one.answers),
        facts=(
            *_reading([_lower(line.text) for line in told if line.claim not in _FACTS and line not in main], lang),
            *_facts(one, lang),
        ),
        blocks=() if one.context is None else (_context(one.claims, one.context, lang),),
    )


def _answer(said: Said, lang: str) -> Block:
    """The worker's own words beside what they are about, in the same size, and marked as theirs."""
    text = said.text("text")
    evidence = [item for item in said.claims.get("evidenceDigests", ()) if item != "none"]
    fields = {}
    if said.type == "Dispute":
        text = "" if text == "none" else text
        ground = TYPES["Dispute"].claims["ground"].words[said.text("ground")]
        fields = {"since": day_of(said.text("opened"), lang), "ground": ground[lang]}
    return Block(
        phrase(f"said.{said.type}", lang, **fields),
        quotes=tuple(clean(line, MAX_SENTENCE) for line in text.split("\n") if line.strip()),
        quotes_lang=clean(said.text("lang")),
        paragraphs=(phrase("said.own" if text else "said.alone", lang),),
        items=(phrase("said.evidence", lang, count=str(len(evidence))),) if evidence else (),
    )


def _warnings(one: Proven, lang: str) -> Iterator[str]:
    if one.assurance is Assurance.SELF_ASSERTED:
        yield phrase("weaker.own", lang)
    yield from (phrase(f"note.{code}", lang) for code in one.notes)
    source = one.source or "unstated"
    about_itself = one.type and TYPES[one.type].about == "platform"
    if source != "platformNative" and not about_itself and one.issuer:
        yield phrase(f"weaker.{source}", lang, issuer=one.issuer)
    if one.unread:
        yield phrase("proven.unread", lang, names=", ".join(one.unread))
    if not one.purpose_allowed:
        yield phrase("proven.terms", lang)


def _facts(one: Proven, lang: str) -> Iterator[tuple[str, str]]:
    named = "proven.by_value" if one.issuer else "proven.by_worker"
    signer = phrase(named, lang, name=one.issuer, identifier=one.legal_identifier)
    yield phrase("proven.by", lang), signer
    yield phrase("proven.period", lang), _period(one, lang)
    known = TYPES[one.type].claims if one.type else {}
    yield from ((label(one.type, lang, name), _word(one, name, lang)) for name in _TOLD_APART if name in known)
    yield phrase("proven.binding", lang), phrase(f"binding.{one.binding}", lang)
    until = one.valid_until
    yield phrase("proven.until", lang), phrase("proven.until_missing", lang) if until is None else day(until, lang)


def _reading(texts: list[str], lang: str) -> Iterator[tuple[str, str]]:
    if texts:
        yield (
            phrase("proven.reading", lang),
            clean(_joined(texts, lang), MAX_SENTENCE),
        )


def _joined(texts: list[str], lang: str) -> str:
    return "; ".join(texts) if lang == "en" else typeset(" ; ", lang).join(texts)


def _word(one: Proven, name: str, lang: str) -> str:
    value = one.claims.get(name)
    words = TYPES[one.type].claims[name].words
    return words[value][lang] if isinstance(value, str) and value in words else phrase("source.unstated", lang)


def _period(one: Proven, lang: str) -> str:
    start, end = one.period
    if not end:
        return phrase("proven.period_missing", lang)
    if not start:
        return phrase("proven.up_to", lang, end=month(end, lang))
    return phrase("proven.from_to", lang, start=month(start, lang), end=month(end, lang))


def _context(rating: Claims, reference: Reference, lang: str) -> Block:
    """The platform's own spread of ratings; where in it the rating lies is not said, for that would rank a person."""
    return Block(phrase("context.heading", lang), items=tuple(_spread(rating, reference, lang)))


def _spread(rating: Claims, reference: Reference, lang: str) -> Iterator[str]:
    claims = {name: value for name, value in reference.statement.claims.items() if isinstance(value, str)}
    halves = [item.removeprefix("50 ") for item in reference.statement.claims["percentiles"] if item.startswith("50 ")]
    if len(halves) == 1:
        yield phrase("context.half", lang, value=_figure(halves[0], rating, lang))
    if claims["shareAtMax"] != "notPublished":
        yield phrase("context.best", lang, share=_percent(claims["shareAtMax"], lang))
    if claims["populationMean"] != "notPublished":
        yield phrase("context.mean", lang, value=_figure(claims["populationMean"], rating, lang))
    population = claims["population"]
    yield phrase(
        "context.as_of",
        lang,
        issuer=reference.issuer.name,
        month=month(claims["asOf"], lang),
        population=phrase("context.unpublished", lang) if population == "notPublished" else number(population, lang),
    )
    sources = reference.statement.claims["knownBiasNotes"]
    yield phrase("context.bias", lang, sources=", ".join(sorted(sources)))


def _figure(value: str, rating: Claims, lang: str) -> str:
    """A figure on the scale of the rating: a share in percent, anything else as it is."""
    share = rating["computation"] in _SHARES and (rating["worstRating"], rating["bestRating"]) == ("0", "1")
    return _percent(value, lang) if share else number(value, lang)


def _percent(share: str, lang: str) -> str:
    return phrase("percent", lang, value=number(f"{(Decimal(share) * 100).normalize():f}", lang))


def _not_shown(missing: tuple[NotShown, ...], lang: str) -> Block:
    items = (
        phrase(
            "not_shown.item", lang, what=phrase("or", lang).join(_option(option, lang) for option in one.alternatives)
        )
        for one in missing
    )
    return Block(
        phrase("not_shown.heading", lang),
        paragraphs=(phrase("not_shown.meaning", lang),),
        items=tuple(dict.fromkeys(items)),
    )


def _option(option: tuple[Demand, ...], lang: str) -> str:
    return " + ".join(_demand(demand, lang) for demand in option)


def _unchecked(one: Unchecked, report: Report, lang: str) -> str:
    about = one.about or phrase("unchecked.issuer_unknown", lang)
    trust = "" if report.trust_as_of is None else day(report.trust_as_of, lang)
    return phrase(f"unchecked.{one.code}", lang, about=about, reason=one.reason, trust=trust)


def _keeping(report: Report, lang: str) -> Block:
    if report.erase_by is None:
        said = phrase("keeping.unstated", lang)
    else:
        said = phrase("keeping.by", lang, date=day(report.erase_by, lang))
    return Block(phrase("keeping.heading", lang), paragraphs=(said,))


def _command(report: Report, lang: str) -> str:
    own = any(one.assurance is Assurance.SELF_ASSERTED for one in report.proven)
    return phrase("again.command", lang) + (" --accept-self-asserted" if own else "")


def _again(report: Report, lang: str) -> Block:
    how = phrase("again.how", lang, command=_command(report, lang))
    facts = () if report.answer_sha256 is None else ((phrase("again.digest", lang), report.answer_sha256),)
    return Block(phrase("again.heading", lang), paragraphs=(how,), facts=facts)


def _sentence(text: str) -> str:
    return clean(text[:1].upper() + text[1:], MAX_SENTENCE)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
