"""A disclosure that is handed over without a network: as QR codes, or as a card on paper that carries them.

Both hold the answer and nothing else; the card says in words what the codes prove, and until when.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import typer

from vc.canon import Json, parse_object, to_json
from vc.frames import Kind, Message, split
from vc.io.codes import Back, Page, Subject, draw, inline, policy
from vc.model import Object, parse_date_time
from vc.oid4vp import Request
from vc.sdjwt import parse_sd_jwt
from wallet.answers import MAX_TEXT, Answer
from wallet.choose import Proposal
from wallet.words import shown_texts
from work.dictionary import DICTIONARIES
from work.phrases import day
from work.types import TYPES
from work.wording import label

MAX_SECONDS: Final = 253_402_300_800  # since 1970, before the year 10 000
MAX_NAME: Final = 80  # characters of a verifier on paper
MAX_ISSUER: Final = 40  # of an issuer: enough to tell its DID from another

Qr = Annotated[
    Path | None,
    typer.Option(
        "--qr",
        metavar="FILE|FOLDER",
        help="Write the answer as QR codes: a .png or .svg (one code), a .gif or .html (in turn), or a folder.",
    ),
]
Card = Annotated[Path | None, typer.Option("--card", metavar="FILE", help="Write a page to print, with the QR codes.")]

_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("card.toml").read_text(encoding="utf-8"))
)


@dataclass(frozen=True, slots=True)
class Part:
    """One credential on a card."""

    heading: str
    shown: tuple[str, ...]
    said: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What whoever reads the codes learns of a credential's origin; what stays hidden is not looked at."""

    issuer: str
    end: datetime | None

    @classmethod
    def of(cls, shown: Json, proposal: Proposal) -> "Seen":
        """The issuer and the end that ``shown``, the presentation for ``proposal``, shows."""
        if isinstance(shown, str):
            signed = parse_object(parse_sd_jwt(shown).jws.unverified, where="SD-JWT")
            end = signed.get("exp")
            known = datetime.fromtimestamp(end, UTC) if isinstance(end, int) and 0 < end < MAX_SECONDS else None
            return cls(str(signed.get("iss", "")), known)
        match shown:
            case {"verifiableCredential": [{"issuer": named, **credential}, *_]}:
                text = credential.get("validUntil")
                issuer = (named.get("name") or named.get("id")) if isinstance(named, dict) else named
                return cls(str(issuer), parse_date_time(text, where="validUntil") if isinstance(text, str) else None)
        return cls(proposal.copy.credential.issuer, None)


def drawn_answer(
    answer: Object,
    request: Request,
    proposals: Sequence[Proposal],
    *,
    qr: Path | None,
    card: Path | None,
    at: datetime,
    lang: str,
) -> dict[Path, bytes]:
    """The files that ``--qr`` and ``--card`` ask for, still to be written: nothing is shown before it is in the ledger.

    Raises :class:`Malformed` where the answer is too large for codes, or the names do not do.
    """
    if qr is None and card is None:
        return {}
    texts = answer_codes(answer)
    drawn = {} if qr is None else draw(texts, qr, Subject("answer", lang))
    if card is not None:
        drawn[card] = card_page(answer, request, proposals, at=at, lang=lang).html
    return drawn


def answer_codes(answer: Object) -> tuple[str, ...]:
    """The texts of the QR codes that hold an answer. Raises :class:`Malformed` where it is too large for them."""
    return split(Message(Kind.ANSWER, to_json(dict(answer))), dictionaries=DICTIONARIES)


def card_page(
    answer: Object,
    request: Request,
    proposals: Sequence[Proposal],
    *,
    at: datetime,
    lang: str,
    back: Back | None = None,
) -> Page:
    """A page to print, with the codes of an answer and what they prove. Raises as :func:`answer_codes`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  (most answers go without a card)

    words, verifier = _WORDS[lang], _named(request.client_id)
    codes = inline(answer_codes(answer), Subject("answer", lang))
    seen = [Seen.of(shown, proposal) for shown, proposal in zip(_presented(answer, proposals), proposals, strict=True)]
    ends = [one.end for one in seen if one.end is not None]
    css = files("wallet").joinpath("templates", "card.css").read_text(encoding="utf-8")
    environment = Environment(loader=PackageLoader("wallet"), autoescape=True, undefined=StrictUndefined)
    made = environment.get_template("card.html.j2").render(
        lang=lang,
        words=words,
        facts=(
            (words["for"], verifier),
            (words["made"], _day(at, lang)),
            (words["until"], _day(min(ends), lang) if ends else words["no_end"]),
        ),
        parts=[_part(proposal, one, lang) for proposal, one in zip(proposals, seen, strict=True)],
        explained=words["one" if len(codes) == 1 else "several"].format(count=len(codes)),
        only=words["only"].format(verifier=verifier),
        command="ouvrage verifier check --request request.json *.jpg",
        codes=codes,
        css=css,
        policy=policy(css),
        back=back,
    )
    return Page(made.encode("utf-8"), policy(css))


def _presented(answer: Object, proposals: Sequence[Proposal]) -> Iterator[Json]:
    """The presentation of each proposal: those for one query stand in the order of its proposals."""
    token = answer["vp_token"]
    assert isinstance(token, dict)
    left = {name: iter(each if isinstance(each, list) else [each]) for name, each in token.items()}
    yield from (next(left[proposal.query.id]) for proposal in proposals)


def _part(proposal: Proposal, seen: Seen, lang: str) -> Part:
    words = _WORDS[lang]
    source = words["from" if seen.end else "from_open"]
    end = _day(seen.end, lang) if seen.end else ""
    return Part(
        heading=label(proposal.type, lang) if proposal.type in TYPES else _named(proposal.type),
        shown=tuple(shown_texts(proposal, lang)),
        said=tuple(line for answer in proposal.copy.answers for line in _said(answer, lang)),
        source=words["own"] if proposal.copy.own else source.format(issuer=_named(seen.issuer, MAX_ISSUER), end=end),
    )


def _said(answer: Answer, lang: str) -> Iterator[str]:
    """A reply or a dispute, as others read it."""
    claims = {name: value for name, value in answer.claims.items() if isinstance(value, str)}
    if answer.type == "Dispute":
        ground = TYPES["Dispute"].claims["ground"].words[claims["ground"]][lang]
        yield _WORDS[lang]["disputed"].format(since=day(claims["opened"], lang), ground=ground)
    if answer.type == "Reply" or claims["text"] != "none":
        yield from (_named(line, MAX_TEXT) for line in claims["text"].split("\n") if line)


def _day(at: datetime, lang: str) -> str:
    return day(f"{at:%Y-%m-%d}", lang)


def _named(text: str, most: int = MAX_NAME) -> str:
    """A text from outside, without characters that turn the direction of reading, on paper no longer than it needs."""
    name = "".join(character for character in text if character.isprintable() or character == "\N{NO-BREAK SPACE}")
    return name if len(name) <= most else f"{name[: most - 9]}…{name[-8:]}"
