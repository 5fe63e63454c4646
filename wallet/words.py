"""What the wallet tells the worker, in plain words, in English and French."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.errors import Malformed
from vc.oid4vp import CredentialQuery, Request
from wallet.choose import Copy, Plan, Proposal, claim_name, issuer_name, statement_type
from work.draft import is_filler
from work.purposes import Judgement, judge, law
from work.types import TYPES
from work.wording import label, lines

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("words.toml").read_text(encoding="utf-8"))
)


def plan_text(request: Request, made: Plan, lang: str) -> str:
    """What is asked, what would be shown claim by claim, and what to beware of."""
    words = _TEXTS[lang]
    purpose = made.purpose.labels[lang] if made.purpose else words["no_purpose"]
    told = [words["asks"].format(verifier=_plain(request.client_id), purpose=purpose), *_declared(request, lang)]
    for proposal in made.proposals:
        told += ["", *_proposal_lines(proposal, made, lang)]
    for query in made.unanswered:
        told += ["", words["nothing"].format(what=_asked_for(query, lang))]
        for kind in _types(query):
            told += _judged(kind, "", judge(made.purpose, kind, ""), made, lang)
    return "\n".join(told)


def _declared(request: Request, lang: str) -> Iterable[str]:
    declared = request.extra.get("purpose")
    if isinstance(declared, dict):
        if isinstance(declared.get("retentionDays"), int):
            yield _TEXTS[lang]["keeps"].format(days=declared["retentionDays"])
        if isinstance(declared.get("necessity"), str) and declared["necessity"]:
            yield _TEXTS[lang]["necessity"].format(text=_plain(str(declared["necessity"])))


def _proposal_lines(proposal: Proposal, made: Plan, lang: str) -> Iterable[str]:
    words = _TEXTS[lang]
    yield label(proposal.type, lang) if proposal.type in TYPES else _plain(proposal.type)
    yield words["shows"]
    yield from (f"  - {text}" for text in shown_texts(proposal, lang))
    yield words["hidden"]
    yield from _warnings(proposal, made, lang)
    yield words["left"].format(count=max(proposal.copies_left - 1, 0)) if proposal.fresh else words["reused"]


def _warnings(proposal: Proposal, made: Plan, lang: str) -> Iterable[str]:
    words = _TEXTS[lang]
    asked = {one.pointer.split("/")[2]: one.judgement for one in proposal.asked if one.pointer.count("/") > 1}
    whole = {"": judge(made.purpose, proposal.type, "")} if not asked else {}
    for claim, judgement in {**whole, **asked}.items():
        yield from _judged(proposal.type, claim, judgement, made, lang)
    if proposal.type in TYPES and TYPES[proposal.type].identifies:
        yield words["identifies"]
    if proposal.copy.holder is None:
        yield words["unbound"]


def _judged(kind: str, claim: str, judgement: Judgement, made: Plan, lang: str) -> Iterable[str]:
    """What the purpose says of a demand, where that is worth a word."""
    name = label(kind, lang, claim) if kind in TYPES else _plain(kind)
    if judgement is Judgement.never and made.purpose is not None:
        yield _TEXTS[lang]["never"].format(claim=name, law=law(made.purpose, kind, claim, lang))
    elif judgement is Judgement.unusual:
        yield _TEXTS[lang]["unusual"].format(claim=name)


def shown_texts(proposal: Proposal, lang: str) -> list[str]:
    """Each thing that a proposal would tell, mandatory claims included, as sentences."""
    if proposal.type not in TYPES:
        return [f"{claim_name(proposal.type, one.pointer)}: {_plain(one.value)}" for one in proposal.asked]
    return [line.text for line in lines(proposal.type, shown_claims(proposal), lang)]


def shown_claims(proposal: Proposal) -> dict[str, str | tuple[str, ...]]:
    """The claims that a proposal discloses: those that are always shown, and those that were chosen."""
    kind = TYPES[proposal.type]
    subject = proposal.copy.credential.subjects[0]
    shown = {name: _value(subject[name]) for name, claim in kind.claims.items() if claim.mandatory and name in subject}
    chosen: dict[str, list[str]] = {}
    for one in proposal.asked:
        parts = one.pointer.split("/")
        if len(parts) > 2 and parts[1] == "credentialSubject":
            chosen.setdefault(parts[2], []).append(one.value)
    for name, values in chosen.items():
        if name in kind.claims and not kind.claims[name].mandatory:
            shown[name] = tuple(values) if kind.claims[name].many else values[0]
    return shown


def _asked_for(query: CredentialQuery, lang: str) -> str:
    return ", ".join(label(name, lang) for name in _types(query)) or _plain(query.id)


def _types(query: CredentialQuery) -> list[str]:
    """The statement types that a query asks for, as far as we know them."""
    names = {name.rpartition("#")[2].removesuffix("Credential") for types in query.types for name in types}
    return sorted(names & set(TYPES))


def plan_json(request: Request, made: Plan) -> dict[str, Json]:
    """A plan for scripts."""
    return {
        "verifier": request.client_id,
        "purpose": made.purpose.code if made.purpose else None,
        "proposals": [_proposal_json(proposal) for proposal in made.proposals],
        "unanswered": [query.id for query in made.unanswered],
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
        "judgements": {claim_name(proposal.type, one.pointer): one.judgement.value for one in proposal.asked},
        "bound": proposal.copy.holder is not None,
        "fresh": proposal.fresh,
        "unusedCopies": proposal.copies_left,
    }


def statements(copies: Sequence[Copy]) -> list[Json]:
    """One entry for each statement, whatever the number of its copies."""
    groups: dict[str, list[Copy]] = {}
    for copy in copies:
        groups.setdefault(copy.statement, []).append(copy)
    return [_statement(name, group) for name, group in sorted(groups.items(), key=lambda entry: _sort_key(entry[1][0]))]


def _sort_key(copy: Copy) -> tuple[str, str]:
    return statement_type(copy.credential), copy.statement


def _statement(name: str, group: Sequence[Copy]) -> dict[str, Json]:
    first = group[0].credential
    return {
        "statement": name,
        "type": statement_type(first),
        "issuer": issuer_name(first),
        "validUntil": f"{first.valid_until:%Y-%m-%d}" if first.valid_until else None,
        "copies": len(group),
        "unused": sum(1 for copy in group if copy.shown == 0),
        "bound": all(copy.holder is not None for copy in group),
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
            issuer=_short(str(entry["issuer"])),
        )
        for entry in entries
        if isinstance(entry, dict)
    ]
    return "\n".join(rows) or _TEXTS[lang]["empty"]


def find(copies: Sequence[Copy], name: str) -> Copy:
    """The first copy of the statement whose name starts with ``name``. Raises :class:`Malformed`."""
    found = {copy.statement: copy for copy in reversed(copies) if copy.statement.startswith(name)}
    if len(found) != 1 or not name:
        raise Malformed(
            name[:40], "no credential, or several, have a name that starts so; see `wallet list`", code="NOT_FOUND"
        )
    return next(iter(found.values()))


def copy_json(copy: Copy) -> dict[str, Json]:
    """What one credential says, for scripts: without padding."""
    return {
        "statement": copy.statement,
        "type": statement_type(copy.credential),
        "issuer": issuer_name(copy.credential),
        "claims": {name: list(value) if isinstance(value, tuple) else value for name, value in _claims(copy).items()},
    }


def copy_text(copy: Copy, lang: str) -> str:
    """What one credential says, as sentences."""
    kind = statement_type(copy.credential)
    end = f"{copy.credential.valid_until:%Y-%m-%d}" if copy.credential.valid_until else "-"
    until = _TEXTS[lang]["until"].format(end=end, issuer=_short(issuer_name(copy.credential)))
    told = [line.text for line in lines(kind, _claims(copy), lang)] if kind in TYPES else []
    return "\n".join([_label(kind, lang), until, *(f"  - {text}" for text in told)])


def ledger_text(entries: Sequence[Json], lang: str) -> str:
    """The ledger as lines, oldest first."""
    rows = []
    for entry in entries:
        assert isinstance(entry, dict)
        shown = entry["shown"]
        claims = [
            f"{_label(str(one['type']), lang)} ({', '.join(_names(one))})"
            for one in (shown if isinstance(shown, list) else [])
            if isinstance(one, dict)
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


def _names(shown: Mapping[str, Json]) -> list[str]:
    claims = shown.get("claims")
    return [
        f"{one['claim']} {one['value']}"
        for one in (claims if isinstance(claims, list) else [])
        if isinstance(one, dict)
    ] or ["-"]


def written(path: Path, lang: str) -> str:
    """The last line of ``present``."""
    return _TEXTS[lang]["written"].format(path=path)


def _claims(copy: Copy) -> dict[str, str | tuple[str, ...]]:
    subject = copy.credential.subjects[0]
    claims = {name: _value(value) for name, value in subject.items() if name != "id"}
    return {name: value for name, value in claims.items() if value not in ((), "")}


def _value(value: Json) -> str | tuple[str, ...]:
    """A claim's value without padding: a text, or a tuple of texts; empty where all of it was padding."""
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str) and not is_filler(item))
    return value if isinstance(value, str) and not is_filler(value) else ""


def _label(kind: str, lang: str) -> str:
    return label(kind, lang) if kind in TYPES else _plain(kind)


def _short(issuer: str) -> str:
    """An issuer on a line: its own name, or enough of its DID to tell it from another."""
    name = _plain(issuer)
    return name if len(name) <= 60 else f"{name[:16]}…{name[-6:]}"


def _plain(text: str) -> str:
    """A text from outside on one line, without characters that move the cursor or turn the direction of reading."""
    return "".join(character for character in text if character.isprintable())[:300]
