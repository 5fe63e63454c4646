"""What the wallet tells the worker, in plain words, in English and French."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vc.canon import Json, to_json
from vc.oid4vp import SD_JWT_VC, CredentialQuery, Request
from wallet.answers import MAX_TEXT, Answer
from wallet.choice import claim_name
from wallet.choose import Copy, Plan, Proposal, issuer_name
from wallet.formats import FORMATS, SD_JWT, signs_as
from wallet.guard import assess
from wallet.guard_words import judged_json, ledger_values, low_text, trace_lines, traces_json, verdict_lines
from wallet.held import Statement, in_order
from wallet.held import find as find_statement
from wallet.plain import plain as _plain
from wallet.plain import short as _short
from work.draft import is_filler
from work.phrases import day
from work.subject import SUBJECT, claim_of, read_claims
from work.types import TYPES
from work.vct import type_named
from work.wording import label, lines

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("words.toml").read_text(encoding="utf-8"))
)


def plan_text(request: Request, made: Plan, lang: str) -> str:
    """What is asked, what would be shown claim by claim, and what to beware of."""
    words = _TEXTS[lang]
    purpose = made.purpose.labels[lang] if made.purpose else words["no_purpose"]
    told = [words["asks"].format(verifier=_plain(request.client_id), purpose=purpose), *_declared(request, lang)]
    told += verdict_lines(request, lang)
    for proposal in made.proposals:
        told += ["", *_proposal_lines(proposal, lang)]
    for query in made.unanswered:
        told += ["", words["nothing"].format(what=_asked_for(query, lang))]
    for copy in made.unbound_answers:
        why = words["needs_key" if copy.holder is None else "no_place"]
        told += ["", why.format(what=_label(copy.type, lang))]
    for copy in made.uncheckable:
        how = ", ".join(signs_as(copy))
        told += ["", words["uncheckable"].format(what=_label(copy.type, lang), how=how)]
    return "\n".join(told)


def _declared(request: Request, lang: str) -> Iterable[str]:
    declared = request.extra.get("purpose")
    if isinstance(declared, dict):
        if isinstance(declared.get("retentionDays"), int):
            yield _TEXTS[lang]["keeps"].format(days=declared["retentionDays"])
        if isinstance(declared.get("necessity"), str) and declared["necessity"]:
            yield _TEXTS[lang]["necessity"].format(text=_plain(str(declared["necessity"])))


def _proposal_lines(proposal: Proposal, lang: str) -> Iterable[str]:
    words = _TEXTS[lang]
    yield label(proposal.type, lang) if proposal.type in TYPES else _plain(proposal.type)
    if proposal.copy.own:
        yield words["own"]
        yield words["own_asked"]
    yield words["shows"]
    yield from (f"  - {text}" for text in shown_texts(proposal, lang))
    yield words["hidden"]
    for answer in proposal.copy.answers:
        yield words["with_it"]
        yield from answer_lines(answer, lang)
    yield from trace_lines(proposal, lang)
    if proposal.instead:
        yield words["instead"].format(type=label(proposal.instead, lang))
    reused = words["reused_own" if proposal.copy.own else "reused"]
    left = max(proposal.copies_left - 1, 0)
    yield words["left"].format(count=left) if proposal.fresh else reused
    if proposal.fresh and (low := low_text(left, lang, own=proposal.copy.own)):
        yield low


def shown_texts(proposal: Proposal, lang: str) -> list[str]:
    """Each thing that a proposal would tell, mandatory claims included, as sentences."""
    if proposal.type not in TYPES:
        return [f"{_plain(_path(one.pointer))}: {_plain(one.value)}" for one in proposal.asked]
    return [line.text for line in lines(proposal.type, shown_claims(proposal), lang)]


def _path(pointer: str) -> str:
    """Where something stands in a credential of a type that is not known here."""
    return ".".join(pointer.removeprefix(f"/{SUBJECT}").split("/")[1:])


def shown_claims(proposal: Proposal) -> dict[str, str | tuple[str, ...]]:
    """The claims that a proposal discloses: those that are always shown, and those that were chosen."""
    kind = TYPES[proposal.type]
    held, _ = read_claims(kind, proposal.copy.subject)
    shown = {name: _value(value) for name, value in held.items() if kind.claims[name].mandatory}
    chosen: dict[str, list[str]] = {}
    for one in proposal.asked:
        if claim_of(kind, one.pointer):
            chosen.setdefault(one.claim, []).append(one.value)
    for name, values in chosen.items():
        if not kind.claims[name].mandatory:
            shown[name] = tuple(values) if kind.claims[name].many else values[0]
    return shown


def _asked_for(query: CredentialQuery, lang: str) -> str:
    return ", ".join(label(name, lang) for name in _types(query)) or _plain(query.id)


def _types(query: CredentialQuery) -> list[str]:
    """The statement types that a query asks for, as far as we know them."""
    names = {type_named(name) for types in query.types for name in types}
    return sorted(names & set(TYPES))


def plan_json(request: Request, made: Plan) -> dict[str, Json]:
    """A plan for scripts."""
    return {
        "verifier": request.client_id,
        "purpose": made.purpose.code if made.purpose else None,
        "proposals": [_proposal_json(proposal) for proposal in made.proposals],
        "unanswered": [query.id for query in made.unanswered],
        "needKey": [copy.statement for copy in made.unbound_answers],
        "uncheckable": [copy.statement for copy in made.uncheckable],
        "verdicts": [judged_json(one) for one in assess(request)],
    }


def _proposal_json(proposal: Proposal) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    if proposal.type in TYPES:
        shown = {
            name: list(value) if isinstance(value, tuple) else value for name, value in shown_claims(proposal).items()
        }
    return {
        "query": proposal.query.id,
        "statement": proposal.copy.statement,
        "type": proposal.type,
        "shown": shown,
        "judgements": {claim_name(proposal, one): one.judgement.value for one in proposal.asked},
        "ownImport": proposal.copy.own,
        "answers": _answers_json(proposal.copy),
        "bound": proposal.copy.holder is not None,
        "format": proposal.copy.suite,
        "fresh": proposal.fresh,
        "unusedCopies": proposal.copies_left,
        "linkable": traces_json(proposal),
    }


def statements(copies: Sequence[Copy]) -> list[Json]:
    """One entry for each statement, whatever the number of its copies and their formats."""
    return [statement_json(one) for one in in_order(copies)]


def statement_json(one: Statement) -> dict[str, Json]:
    """A statement for scripts, without what it says."""
    end = one.valid_until
    return {
        "statement": one.name,
        "type": one.type,
        "issuer": one.issuer,
        "validUntil": f"{end:%Y-%m-%d}" if end else None,
        "copies": one.copies,
        "unused": one.unused,
        "formats": {suite: {"copies": each.copies, "unused": each.unused} for suite, each in one.formats.items()},
        "bound": all(copy.holder is not None for copy in one.all),
        "ownImport": one.copy.own,
        "answers": [answer.type for answer in one.copy.answers],
    }


def list_text(entries: Sequence[Json], lang: str) -> str:
    """The list as lines."""
    rows = [
        _TEXTS[lang]["row"].format(
            name=entry["statement"],
            label=_label(str(entry["type"]), lang),
            end=entry["validUntil"],
            unused=entry["unused"],
            copies=entry["copies"],
            issuer=_TEXTS[lang]["yourself"] if entry["ownImport"] else _short(str(entry["issuer"])),
        )
        + _formats_row(entry["formats"], lang)
        + _said_row(entry["answers"], lang)
        + _low_row(entry, lang)
        for entry in entries
        if isinstance(entry, dict)
    ]
    return "\n".join(rows) or _TEXTS[lang]["empty"]


def _low_row(entry: Mapping[str, Json], lang: str) -> str:
    """What a line adds where copies were spent and few are left."""
    unused, copies = int(str(entry["unused"])), int(str(entry["copies"]))
    low = low_text(unused, lang, own=entry["ownImport"] is True) if unused < copies else ""
    return f"\n    {low}" if low else ""


def _formats_row(counts: Json, lang: str) -> str:
    """What a line adds where there is more than the format that tells least: the unused copies in each."""
    formats = counts if isinstance(counts, dict) else {}
    told = formats_text({name: int(str(one["unused"])) for name, one in formats.items() if isinstance(one, dict)}, lang)
    return "" if list(formats) == [FORMATS[0]] else _TEXTS[lang]["row_format"].format(format=told)


def formats_text(unused: Mapping[str, int], lang: str) -> str:
    """Formats, each with its unused copies."""
    return ", ".join(_TEXTS[lang]["format_count"].format(format=_plain(name), count=n) for name, n in unused.items())


def _said_row(types: Json, lang: str, key: str = "row_said") -> str:
    """What a line adds for a statement that the worker answers."""
    names = [_TEXTS[lang][f"name_{name}"] for name in (types if isinstance(types, list) else [])]
    return _TEXTS[lang][key].format(what=", ".join(names)) if names else ""


def find(copies: Sequence[Copy], name: str) -> Copy:
    """A copy of the statement that ``name`` means (:func:`wallet.held.find`), to tell it by."""
    return find_statement(copies, name).copy


def copy_json(copy: Copy) -> dict[str, Json]:
    """What one credential says, for scripts: without padding."""
    return {
        "statement": copy.statement,
        "type": copy.type,
        "issuer": issuer_name(copy.credential),
        "claims": {name: list(value) if isinstance(value, tuple) else value for name, value in _claims(copy).items()},
        "ownImport": copy.own,
        "answers": _answers_json(copy),
        "known": copy.kind is not None,
    }


def _answers_json(copy: Copy) -> list[Json]:
    return [answer.to_json() for answer in copy.answers]


def statement_text(one: Statement, lang: str) -> str:
    """What one statement says, as sentences, and the formats that its copies are in."""
    copy, words = one.copy, _TEXTS[lang]
    end = f"{one.valid_until:%Y-%m-%d}" if one.valid_until else "-"
    issuer = words["yourself"] if copy.own else _short(one.issuer)
    told = [line.text for line in lines(one.type, _claims(copy), lang)] if copy.kind else _unread_lines(copy)
    said = [text for answer in copy.answers for text in ("", words["with_it"], *answer_lines(answer, lang))]
    marked = [words["own"]] if copy.own else []
    marked += [words["formats"].format(formats=formats_text({n: c.unused for n, c in one.formats.items()}, lang))]
    marked += [words["as_sd_jwt"]] if SD_JWT in one.formats else []
    certified = any(each.format == SD_JWT_VC and not each.issuer.startswith("did:") for each in one.all)
    marked += [words["certificate"]] if certified else []
    marked += [words["unknown_type"]] if copy.kind is None else []
    until = words["until"].format(end=end, issuer=issuer)
    return "\n".join([_label(one.type, lang), until, *marked, *(f"  - {text}" for text in told), *said])


def _unread_lines(copy: Copy) -> list[str]:
    """What a credential of a type that is not known here says, as it came."""
    return [f"{_plain(name)}: {_plain(to_json(value).decode('utf-8'))}" for name, value in _told(copy).items()]


def _told(copy: Copy) -> dict[str, Json]:
    return {name: value for name, value in copy.subject.items() if name != "id"}


def answer_lines(answer: Answer, lang: str) -> Iterable[str]:
    """What the worker says to a statement, as it will be read: the worker's own text as it is, line by line."""
    words, kind = _TEXTS[lang], TYPES[answer.type]
    claims = {name: str(value) for name, value in answer.claims.items() if isinstance(value, str)}
    if answer.type == "Dispute":
        ground = kind.claims["ground"].words[claims["ground"]][lang]
        yield "  " + words["disputed"].format(since=day(claims["opened"], lang), ground=ground)
    if answer.type == "Reply" or claims["text"] != "none":
        yield from (f"  > {_plain(line, most=MAX_TEXT)}" for line in claims["text"].split("\n"))
    evidence = [one for one in answer.claims.get("evidenceDigests", ()) if one != "none"]
    yield from (f"  {words['evidence'].format(digest=one)}" for one in evidence)


def imported_text(new: int, already: int, rejects: int, lang: str) -> str:
    """What came of an import, and how little it proves."""
    words = _TEXTS[lang]
    told = [words["imported"].format(new=new, already=already)]
    if rejects:
        told.append(words["imported_rejects"].format(count=rejects))
    return "\n".join([*told, words["own"], words["own_asked"]])


def kept_text(copy: Copy, answer: Answer, warnings: Sequence[str], *, replaced: bool, lang: str) -> str:
    """What will be signed from now on, wherever the statement is shown."""
    words = _TEXTS[lang]
    return "\n".join(
        [
            words["said_of"].format(what=_label(copy.type, lang), name=copy.statement),
            *answer_lines(answer, lang),
            words["travels"],
            *([words["replaced"]] if replaced else []),
            *(words["screened"].format(what=words[f"screened_{warning}"]) for warning in warnings),
        ]
    )


def removed_text(type_name: str, lang: str, *, removed: bool) -> str:
    """The last word of ``--remove``."""
    words = _TEXTS[lang]
    return words["removed" if removed else "nothing_said"].format(what=words[f"name_{type_name}"])


def ledger_text(entries: Sequence[Json], lang: str) -> str:
    """The ledger as lines, oldest first."""
    rows = []
    for entry in entries:
        assert isinstance(entry, dict)
        if "notDelivered" in entry:
            from wallet.online_words import failed_row  # noqa: PLC0415  (rare, and it loads all of JOSE)

            rows.append(failed_row(entry, lang))
            continue
        shown = entry["shown"]
        claims = [
            f"{_label(str(one['type']), lang)} ({ledger_values(one, lang)})"
            + (_TEXTS[lang]["ledger_own"] if one.get("ownImport") is True else "")
            + _said_row([said["type"] for said in _dicts(one.get("answers"))], lang, "ledger_said")
            for one in _dicts(shown)
        ]
        rows.append(
            _TEXTS[lang]["ledger"].format(
                number=entry["number"],
                at=entry["at"],
                verifier=_plain(str(entry["verifier"])),
                claims="; ".join(claims),
            )
        )
    return "\n".join(rows) or _TEXTS[lang]["empty"]


def _dicts(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def written(path: Path, lang: str) -> str:
    """The last line of ``present``."""
    return _TEXTS[lang]["written"].format(path=path)


def _claims(copy: Copy) -> dict[str, str | tuple[str, ...]]:
    held = read_claims(copy.kind, copy.subject)[0] if copy.kind else _told(copy)
    claims = {name: _value(value) for name, value in held.items()}
    return {name: value for name, value in claims.items() if value not in ((), "")}


def _value(value: Json) -> str | tuple[str, ...]:
    """A claim's value without padding: a text, or a tuple of texts; empty where all of it was padding."""
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str) and not is_filler(item))
    return value if isinstance(value, str) and not is_filler(value) else ""


def _label(kind: str, lang: str) -> str:
    return label(kind, lang) if kind in TYPES else _plain(kind)
