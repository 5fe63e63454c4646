"""``ouvrage wallet request`` and ``present``: see what is asked, choose, and answer over the network or into a file."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed, VcError
from vc.frames import Kind
from vc.io.codes import write_drawn
from vc.io.command import say, show
from vc.io.files import home, write_atomic
from vc.io.options import At, Home, Json_, Lang, Out, language, moment
from vc.io.pictures import read_message
from vc.oid4vp import Request, parse_request
from wallet import words
from wallet.answering import counter_offer_to, link_in, make_answer, plan_for
from wallet.card import Card, Qr, drawn_answer
from wallet.choice import only
from wallet.choose import Plan
from wallet.guard_command import (
    CounterOffer_,
    counter_members,
    counter_text,
    require_alone,
    write_message,
)
from wallet.opening import open_shelf
from wallet.roots import drop_root, keep_roots, kept_roots, read_roots, root_name
from wallet.shelf import Shelf
from work.dictionary import DICTIONARIES

if TYPE_CHECKING:
    from wallet.online import Asked

MAX_REQUEST: Final = 1 << 19  # a link, or a request by itself

LinkOrFile = Annotated[
    str | None,
    typer.Argument(metavar="LINK|FILE", help="The verifier's link, openid4vp://…, or a file with a request."),
]
RequestOption = Annotated[
    str | None, typer.Option("--request", metavar="LINK|FILE", help="The same, with a name before it.")
]
Root = Annotated[
    list[Path] | None,
    typer.Option("--root", metavar="FILE", help="Also trust this authority to say who asks: a certificate, in PEM."),
]
Choose = Annotated[
    list[str] | None,
    typer.Option(
        "--choose",
        metavar="CLAIM",
        help="Show only this, of what is asked; may be repeated. Such as Earnings.averageAtLeast12m, or Earnings.",
    ),
]


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and where it came from: ``online`` is None for one in a file, which is answered with a file."""

    request: Request
    online: "Asked | None"

    def lines(self, shelf: Shelf, lang: str, *, less: bool) -> list[str]:
        """What to say beside the plan; ``less`` if it is less than what is asked."""
        if self.online is None:
            return []
        from wallet.online_words import asked_lines  # noqa: PLC0415  (with all of JOSE)

        before = self._before(shelf)
        return [*asked_lines(self.online.client, self.online.reply_to, before=before, less=less, lang=lang)]

    def to_json(self, shelf: Shelf) -> dict[str, Json]:
        """The same for scripts."""
        if self.online is None:
            return {}
        from wallet.online_words import asked_json  # noqa: PLC0415

        return asked_json(self.online.client, self.online.reply_to, before=self._before(shelf))

    def _before(self, shelf: Shelf) -> bool:
        from wallet.delivery import was_answered  # noqa: PLC0415

        return was_answered(shelf, self.request)


def request_command(
    source: LinkOrFile = None,
    request: RequestOption = None,
    root: Root = None,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
    at: At = None,
) -> None:
    """What a request asks, who it is from, whether its purpose needs it, and what you could answer. Nothing is sent."""
    language_, moment_ = language(lang), moment(at)
    question = _question(_source(source, request), root, home_dir, moment_)
    with open_shelf(home_dir) as shelf:
        made = plan_for(shelf, question.request, at=moment_)
        offer = counter_offer_to(shelf, question.request, at=moment_)
        told = question.lines(shelf, language_, less=bool(made.unanswered))
        document = question.to_json(shelf)
    show(
        {**words.plan_json(question.request, made), **document, **counter_members(offer)},
        as_json=as_json,
        text=lambda: "\n".join(
            [*told, words.plan_text(question.request, made, language_), counter_text(offer, language_)]
        ),
    )


def present_command(
    source: LinkOrFile = None,
    request: RequestOption = None,
    choose: Choose = None,
    counter_offer: CounterOffer_ = False,
    yes: Annotated[bool, typer.Option("--yes", help="Agree without being asked.")] = False,
    decline: Annotated[
        bool, typer.Option("--decline", help="Tell the verifier that you show nothing, and send nothing else.")
    ] = False,
    root: Root = None,
    out: Out = None,
    qr: Qr = None,
    card: Card = None,
    home_dir: Home = None,
    lang: Lang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Answer a request: see what would be shown, agree, and send the answer; or write it, for a request in a file, as
    QR codes, or to print."""
    language_, moment_ = language(lang), moment(at)
    require_alone(counter_offer=counter_offer, choose=choose)
    name = _source(source, request)
    question = _question(name, root, home_dir, moment_)
    if decline:
        _decline(question, language_, as_json=as_json)
        return
    with open_shelf(home_dir) as shelf:
        whole = plan_for(shelf, question.request, at=moment_)
        if counter_offer:
            offer = counter_offer_to(shelf, question.request, at=moment_)
            if write_message(shelf, offer, out, language_, at=moment_, as_json=as_json):
                return
        chosen = offer.answer if counter_offer else only(whole, choose) if choose else whole
        made = _answerable(chosen, name)
        told = question.lines(shelf, language_, less=made != whole or bool(made.unanswered))
        document = question.to_json(shelf)
        text = "\n".join([*told, words.plan_text(question.request, made, language_)])
        if not (yes or _agrees(text, as_json=as_json)):
            raise Malformed("present", "you did not agree, so nothing was shown (--yes agrees)", code="NOT_AGREED")
        answer = make_answer(shelf, question.request, made, at=moment_)
        drawn = drawn_answer(answer, question.request, made.proposals, qr=qr, card=card, at=moment_, lang=language_)
        # Written down first: a disclosure that is in no ledger must not exist, whatever happens next.
        shelf.record(question.request, made.proposals, at=moment_, rand=os.urandom)
        if question.online is not None and out is None and not drawn:
            last, outcome = _sent(shelf, question.online, answer, language_)
        else:
            last, outcome = _written(answer, drawn, out, [path for path in (qr, card) if path], language_)
    show(
        {**outcome, **words.plan_json(question.request, made), **document},
        as_json=as_json,
        text=lambda: f"{text}\n\n{last}",
    )


def trust_command(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Certificates of authorities, in PEM.")] = None,
    remove: Annotated[str | None, typer.Option("--remove", metavar="NAME", help="Trust this one no more.")] = None,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Which authorities you trust to say who asks; with a file, trust those too."""
    from wallet.online_words import dropped_text, roots_text  # noqa: PLC0415

    language_, folder = language(lang), home(home_dir, "wallet", os.environ)
    if remove is not None:
        dropped = drop_root(folder, remove)
        show({"removed": dropped}, as_json=as_json, text=lambda: dropped_text(dropped, language_))
        return
    if file is not None:
        keep_roots(folder, read_roots(file))
    kept = kept_roots(folder)
    listed: list[Json] = [{"name": root_name(one), "subject": one.subject.rfc4514_string()} for one in kept]
    show({"roots": listed}, as_json=as_json, text=lambda: roots_text(kept, language_))


def _source(source: str | None, option: str | None) -> str:
    if (source is None) == (option is None):
        raise Malformed("LINK|FILE", "give the request once: a link, or a file with it", code="USAGE")
    return str(source or option)


def _question(name: str, root: Sequence[Path] | None, home_dir: Path | None, at: datetime) -> Question:
    """The request of a link, or of a file: as JSON, or a link in it, bare or as `verifier request --json` prints it."""
    link = name if "://" in name else None
    if link is None:
        raw = read_message(Path(name), kind=Kind.REQUEST, limit=MAX_REQUEST, dictionaries=DICTIONARIES)
        text = raw.decode("utf-8", "replace").strip()
        link = link_in(parse_object(raw, where=name)) if text.startswith("{") else text if "://" in text else None
        if link is None:
            return Question(parse_request(raw, where=name), None)
    return _online(link, root, home_dir, at)


def _online(link: str, root: Sequence[Path] | None, home_dir: Path | None, at: datetime) -> Question:
    from vc.io.fetch import fetch  # noqa: PLC0415  (aiohttp takes a while to load)
    from wallet.online import read_request  # noqa: PLC0415

    given = [one for path in root or () for one in read_roots(path)]
    roots = (*kept_roots(home(home_dir, "wallet", os.environ)), *given)
    asked = asyncio.run(read_request(link, ask=fetch, private=True, roots=roots, at=at, rand=os.urandom))
    return Question(asked.request, asked)


def _answerable(made: Plan, name: str) -> Plan:
    """The plan, if it shows something. Raises :class:`Malformed`."""
    if not made.proposals and made.unbound_answers:
        held = made.unbound_answers[0].statement
        why = "what you say to it goes with it, and with no copy of it that is asked for it can; nothing was written"
        raise Malformed(held, why, code="REPLY_NEEDS_KEY")
    if not made.proposals:
        raise Malformed(name[:80], "nothing in this wallet answers it; nothing was written", code="NO_ANSWER")
    return made


def _written(
    answer: dict[str, Json], drawn: Mapping[Path, bytes], out: Path | None, pictures: Sequence[Path], lang: str
) -> tuple[str, dict[str, Json]]:
    """The answer in files: as it is where ``out`` says so, or where it is not drawn."""
    write_drawn(drawn)
    target = out or (None if drawn else Path("answer.json"))
    if target is not None:
        write_atomic(target, to_json(answer))
    paths = [*([target] if target else []), *pictures]
    said = "\n".join(words.written(path, lang) for path in paths)
    return said, {"answer": str(target) if target else None, "pictures": [str(path) for path in drawn]}


def _sent(shelf: Shelf, asked: "Asked", answer: dict[str, Json], lang: str) -> tuple[str, dict[str, Json]]:
    from vc.io.fetch import fetch  # noqa: PLC0415
    from wallet.delivery import deliver, record_failure  # noqa: PLC0415
    from wallet.online_words import failed_text, sent_text  # noqa: PLC0415

    async def write(why: str) -> None:
        record_failure(shelf, asked.request, why, at=datetime.now(UTC), rand=os.urandom)

    try:
        redirect = asyncio.run(deliver(asked, answer, ask=fetch, write_failure=write))
    except VcError as error:
        typer.echo(failed_text(str(error), lang), err=True)
        raise
    return sent_text(asked.reply_to, redirect, lang), {"sentTo": asked.reply_to.uri, "redirect": redirect}


def _decline(question: Question, lang: str, *, as_json: bool) -> None:
    if question.online is None:
        raise Malformed("--decline", "a request in a file has nobody to tell: just do not answer it", code="USAGE")
    from vc.io.fetch import fetch  # noqa: PLC0415
    from wallet.online import send_refusal  # noqa: PLC0415
    from wallet.online_words import declined_text  # noqa: PLC0415

    asked = question.online
    redirect = asyncio.run(send_refusal(asked, ask=fetch))
    show(
        {"declined": asked.reply_to.uri, "redirect": redirect},
        as_json=as_json,
        text=lambda: declined_text(asked.reply_to, redirect, lang),
    )


def _agrees(text: str, *, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        return False
    say(text)
    return typer.confirm("Show exactly this?", default=False)
