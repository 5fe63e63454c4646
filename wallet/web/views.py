"""What a page tells: the wallet's things as texts, ready for a template. Pure: values in, values out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography.x509 import Certificate

from vc.canon import Json
from vc.client_id import Voucher
from vc.errors import VcError
from vc.oid4vp import Request
from wallet import words
from wallet.choose import Copy, Plan, Proposal
from wallet.guard import CounterOffer, Why
from wallet.guard_words import named, offered_text, trace_lines
from wallet.held import Statement as Held
from wallet.held import find, in_order
from wallet.ledger import MESSAGE
from wallet.online import Asked as Linked
from wallet.online_words import asked_lines
from wallet.plain import short
from wallet.roots import root_name
from wallet.web.desk import Asked
from wallet.web.phrases import clean
from work.phrases import day, typeset
from work.purposes import PURPOSES, Judgement, judge, law
from work.types import TYPES
from work.wording import label, lines, say

SOON: Final = timedelta(days=14)
MAX_PASSAGE: Final = 12_000  # characters: the longest text that a statement can hold, with its label


@dataclass(frozen=True, slots=True)
class Row:
    """One statement on the home page."""

    name: str
    label: str
    until: str  # a day, or nothing
    state: str  # "over", "soon" or ""
    copies: int
    unused: int
    formats: tuple[tuple[str, int], ...]  # each with its unused copies, where there are several
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What one platform says."""

    platform: str  # empty: the worker imported it
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What the worker says to a statement, line by line."""

    type: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything about one statement."""

    row: Row
    names: frozenset[str]  # under which the ledger may have it
    platform: str
    own: bool
    bound: bool
    kind: str
    explain: str
    told: tuple[str, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """One thing that can be shown or kept back, and what its purpose says of it."""

    name: str
    told: tuple[str, ...]
    judgement: str
    law: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Showing:
    """One credential that would be shown."""

    label: str
    platform: str
    own: bool
    along: tuple[str, ...]  # what is always shown with it
    boxes: tuple[Box, ...]
    hidden: tuple[str, ...]
    said: tuple[Said, ...]
    warnings: tuple[str, ...]
    instead: str
    left: int


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and how it would be answered."""

    verifier: str
    purpose: str
    law: str
    days: int | None
    necessity: str
    showings: tuple[Showing, ...]
    missing: tuple[str, ...]
    need_key: tuple[str, ...]
    uncheckable: tuple[str, ...]  # would answer, but who asks says that they cannot check it


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks by a link, in sentences, and whether somebody vouches for that."""

    lines: tuple[str, ...]
    sure: bool


@dataclass(frozen=True, slots=True)
class Root:
    """An authority that the worker trusts to say who asks."""

    name: str
    subject: str
    until: str


@dataclass(frozen=True, slots=True)
class Smaller:
    """A counter-offer: what it would show (and whether the purpose needs it), and what stays hidden."""

    offered: tuple[tuple[str, bool], ...]
    withheld: str
    laws: tuple[str, ...]
    showings: tuple[Showing, ...]  # all that the answer would hold, what always goes along included
    answerable: bool  # nobody has to be asked first
    complete: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger."""

    number: int
    day: str
    time: str
    verifier: str
    purpose: str
    necessity: str
    until: str
    shown: tuple["Shown", ...]
    not_taken: str  # the number of the line that was not taken
    message: bool  # told without a proof

    def matches(self, query: str) -> bool:
        """Whether all words of ``query`` stand in it."""
        texts = [
            self.day,
            self.verifier,
            self.purpose,
            *(text for one in self.shown for text in (one.label, *one.told)),
        ]
        return all(word in " ".join(texts).casefold() for word in query.casefold().split())


@dataclass(frozen=True, slots=True)
class Shown:
    """One credential that was shown."""

    label: str
    own: bool
    statement: str
    told: tuple[str, ...]
    said: tuple[str, ...] = field(default=())


def name_of(kind: str, lang: str) -> str:
    """What a statement type is called."""
    return label(kind, lang) if kind in TYPES else clean(kind)


def groups(copies: Sequence[Copy], *, at: datetime, lang: str) -> tuple[Group, ...]:
    """What the wallet holds, by platform; the worker's own at the end."""
    found: dict[str, list[Row]] = {}
    for one in in_order(copies):
        platform = "" if one.copy.own else clean(short(one.issuer))
        found.setdefault(platform, []).append(_row(one, at, lang))
    return tuple(Group(name, tuple(found[name])) for name in sorted(found, key=lambda name: (not name, name)))


def _row(one: Held, at: datetime, lang: str) -> Row:
    until = f"{one.valid_until:%Y-%m-%d}" if one.valid_until else ""
    today, soon = f"{at:%Y-%m-%d}", f"{at + SOON:%Y-%m-%d}"
    return Row(
        name=one.name,
        label=name_of(one.type, lang),
        until=until,
        state="" if not until or until > soon else "over" if until < today else "soon",
        copies=one.copies,
        unused=one.unused,
        formats=tuple((name, count.unused) for name, count in one.formats.items()) if len(one.formats) > 1 else (),
        said=tuple(answer.type for answer in one.copy.answers),
    )


def statement(copies: Sequence[Copy], name: str, *, at: datetime, lang: str) -> Statement:
    """One statement, by its name. Raises :class:`Malformed` ``NOT_FOUND``."""
    one = find(copies, name)
    copy = one.copy
    told = words.copy_json(copy)
    kind = str(told["type"])
    return Statement(
        row=_row(one, at, lang),
        names=one.names,
        platform="" if copy.own else clean(str(told["issuer"])),
        own=copy.own,
        bound=any(each.holder for each in one.all),
        kind=kind,
        explain=TYPES[kind].explain[lang] if kind in TYPES else "",
        told=tuple(_told(kind, _claims(told["claims"]), lang)),
        said=_said(copy, lang),
    )


def _claims(members: Json) -> dict[str, str | tuple[str, ...]]:
    held = members if isinstance(members, dict) else {}
    return {name: tuple(map(str, one)) if isinstance(one, list) else str(one) for name, one in held.items()}


def _told(kind: str, claims: Mapping[str, str | tuple[str, ...]], lang: str) -> Iterator[str]:
    """Claims as sentences; as they stand where they are in no words known here."""
    if kind in TYPES:
        try:
            yield from (clean(line.text, MAX_PASSAGE) for line in lines(kind, claims, lang))
        except VcError:  # not as its type demands: its issuer signed it all the same
            yield from (f"{clean(name)}: {clean(_joined(value), MAX_PASSAGE)}" for name, value in claims.items())
    else:
        yield from (f"{clean(name)}: {clean(_joined(value), MAX_PASSAGE)}" for name, value in claims.items())


def _joined(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _said(copy: Copy, lang: str) -> tuple[Said, ...]:
    return tuple(
        Said(one.type, tuple(clean(line, MAX_PASSAGE).strip(" >") for line in words.answer_lines(one, lang)))
        for one in copy.answers
    )


def asker(asked: Asked) -> str:
    """What whoever asks is called."""
    return clean(asked.linked.client.id.name if asked.linked else asked.request.client_id)


def sender(linked: Linked | None, *, before: bool, less: bool, lang: str) -> Sender | None:
    """Who asks by a link, and on whose word; None for a request in a file, of which nobody can tell."""
    if linked is None:
        return None
    lines = asked_lines(linked.client, linked.reply_to, before=before, less=less, lang=lang)
    sure = linked.client.voucher in (Voucher.ROOT, Voucher.DID) and not before
    return Sender(tuple(typeset(clean(line, MAX_PASSAGE), lang) for line in lines), sure)


def roots(kept: Sequence[Certificate]) -> tuple[Root, ...]:
    """The authorities that the worker trusts."""
    return tuple(
        Root(root_name(one), clean(one.subject.rfc4514_string()), f"{one.not_valid_after_utc:%Y-%m-%d}") for one in kept
    )


def question(
    request: Request, made: Plan, lang: str, *, verifier: str, ticked: Mapping[int, frozenset[str]] | None
) -> Question:
    """What is asked, and what would be shown; ``ticked`` is what the worker has chosen so far."""
    declared = request.extra.get("purpose")
    declared = declared if isinstance(declared, dict) else {}
    days = declared.get("retentionDays")
    return Question(
        verifier=verifier,
        purpose=made.purpose.labels[lang] if made.purpose else "",
        law=made.purpose.law[lang] if made.purpose else "",
        days=days if type(days) is int and 0 <= days <= 100_000 else None,
        necessity=clean(str(declared.get("necessity") or ""), 1000),
        showings=tuple(
            _showing(proposal, made, lang, None if ticked is None else ticked.get(place, frozenset()))
            for place, proposal in enumerate(made.proposals)
        ),
        missing=tuple(_asked_for(query.types, query.id, lang) for query in made.unanswered),
        need_key=tuple(dict.fromkeys(name_of(str(words.copy_json(one)["type"]), lang) for one in made.unbound_answers)),
        uncheckable=tuple(dict.fromkeys(name_of(one.type, lang) for one in made.uncheckable)),
    )


def _asked_for(types: Sequence[frozenset[str]], identifier: str, lang: str) -> str:
    names = {name.rpartition("#")[2].removesuffix("Credential") for group in types for name in group}
    return ", ".join(label(name, lang) for name in sorted(names & set(TYPES))) or clean(identifier)


def _showing(proposal: Proposal, made: Plan, lang: str, ticked: frozenset[str] | None) -> Showing:
    along, boxes = _split(proposal, made, lang, ticked)
    told = words.copy_json(proposal.copy)
    shown = {text for box in boxes for text in box.told} | set(along)
    everything = _told(proposal.type, _claims(told["claims"]), lang)
    return Showing(
        label=name_of(proposal.type, lang),
        platform="" if proposal.copy.own else clean(short(proposal.copy.issuer_name)),
        own=proposal.copy.own,
        along=along,
        boxes=boxes,
        hidden=tuple(text for text in everything if text not in shown),
        said=_said(proposal.copy, lang),
        warnings=tuple(clean(text, MAX_PASSAGE) for text in trace_lines(proposal, lang)),
        instead=name_of(proposal.instead, lang) if proposal.instead else "",
        left=max(proposal.copies_left - 1, 0),
    )


def _split(
    proposal: Proposal, made: Plan, lang: str, ticked: frozenset[str] | None
) -> tuple[tuple[str, ...], tuple[Box, ...]]:
    """What goes along with a credential whatever is chosen, and what can be chosen."""
    texts = _texts(proposal, lang)
    kind = TYPES.get(proposal.type)
    free = [
        name
        for name in dict.fromkeys(one.claim for one in proposal.asked)
        if name in texts and not (kind and name in kind.claims and kind.claims[name].mandatory)
    ]
    if not free:
        whole = tuple(text for told in texts.values() for text in told)
        return (), (_box(proposal, "", whole or (name_of(proposal.type, lang),), made, lang, ticked),)
    along = tuple(text for name, told in texts.items() if name not in free for text in told)
    return along, tuple(_box(proposal, name, tuple(texts[name]), made, lang, ticked) for name in free)


def _texts(proposal: Proposal, lang: str) -> dict[str, list[str]]:
    """The sentences of what a proposal shows, by the claim that they come from."""
    texts: dict[str, list[str]] = {}
    if proposal.type in TYPES:
        for line in lines(proposal.type, words.shown_claims(proposal), lang):
            texts.setdefault(line.claim, []).append(clean(line.text, MAX_PASSAGE))
        return texts
    for one in proposal.asked:
        texts.setdefault(one.claim, []).append(f"{clean(one.claim)}: {clean(one.value, MAX_PASSAGE)}")
    return texts


def _box(
    proposal: Proposal, claim: str, told: tuple[str, ...], made: Plan, lang: str, ticked: frozenset[str] | None
) -> Box:
    judgement = judge(made.purpose, proposal.type, claim)
    name = f"{proposal.type}.{claim}" if claim else proposal.type
    why = law(made.purpose, proposal.type, claim, lang) if made.purpose and judgement is Judgement.never else ""
    chosen = judgement is not Judgement.never if ticked is None else name in ticked
    return Box(name, told, judgement.value, why, chosen)


def smaller(offer: CounterOffer, lang: str) -> Smaller | None:
    """A smaller answer than the one that is asked for; None where there is none."""
    if not offer.says_less or not offer.offered:
        return None
    return Smaller(
        offered=tuple((clean(offered_text(one, lang), MAX_PASSAGE), one.optional) for one in offer.offered),
        withheld=clean(named(((one.type, one.claim) for one in offer.withheld), lang), MAX_PASSAGE),
        laws=tuple(dict.fromkeys(one.law[lang] for one in offer.withheld if one.why is Why.never and one.law)),
        showings=tuple(_showing(proposal, offer.answer, lang, None) for proposal in offer.answer.proposals),
        answerable=not offer.instead and bool(offer.answer.proposals),
        complete=offer.complete,
    )


def ledger(entries: Sequence[Mapping[str, Json]], lang: str) -> tuple[Line, ...]:
    """The ledger, newest first."""
    return tuple(_line(entry, lang) for entry in reversed(entries))


def _line(entry: Mapping[str, Json], lang: str) -> Line:
    declared = entry["purpose"] if isinstance(entry["purpose"], dict) else {}
    purpose = PURPOSES.get(str(declared.get("code")))
    at, kept = datetime.fromisoformat(str(entry["at"])), declared.get("retentionDays")
    until = at + timedelta(days=kept) if type(kept) is int and 0 <= kept <= 100_000 else None
    return Line(
        number=int(str(entry["number"])),
        day=day(f"{at:%Y-%m-%d}", lang),
        time=f"{at:%H:%M}",
        verifier=clean(str(entry["verifier"])),
        purpose=purpose.labels[lang] if purpose else clean(str(declared.get("code") or "")),
        necessity=clean(str(declared.get("necessity") or ""), 1000),
        until=day(f"{until:%Y-%m-%d}", lang) if until else "",
        shown=tuple(_shown(one, lang) for one in _dicts(entry["shown"])),
        not_taken=str(entry.get("notDelivered", "")),
        message=MESSAGE in entry,
    )


def _shown(one: Mapping[str, Json], lang: str) -> Shown:
    kind = str(one["type"])
    return Shown(
        label=name_of(kind, lang),
        own=one.get("ownImport") is True,
        statement=str(one["statement"]),
        told=tuple(_told_then(kind, claim, lang) for claim in _dicts(one.get("claims"))),
        said=tuple(str(said.get("type")) for said in _dicts(one.get("answers"))),
    )


def _told_then(kind: str, shown: Mapping[str, Json], lang: str) -> str:
    claim, value = str(shown["claim"]).partition(".")[2], str(shown["value"])
    if kind in TYPES and claim in TYPES[kind].claims:
        if not value:
            return label(kind, lang, claim)
        try:
            return clean(say(kind, claim, value, lang), MAX_PASSAGE)
        except VcError:
            return f"{label(kind, lang, claim)}: {clean(value, MAX_PASSAGE)}"
    return f"{clean(claim)}: {clean(value, MAX_PASSAGE)}"


def _dicts(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
