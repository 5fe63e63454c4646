"""Where the claims of a statement stand in ``credentialSubject``: written and read here, and nowhere else.

Most types have them side by side. Those that follow another vocabulary have objects in it, and lists of one object.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Final

from vc.canon import Json
from work.types import Claim, Place, StatementType

SUBJECT: Final = "credentialSubject"

Object = Mapping[str, Json]


def build_subject(members: Mapping[Place, Json]) -> dict[str, Json]:
    """The subject whose members at these places have these values."""
    subject: dict[str, Json] = {}
    for place, value in members.items():
        _put(subject, place, deepcopy(value))
    return subject


def _put(node: dict[str, Json], place: Place, value: Json) -> None:
    name, *rest = place
    assert isinstance(name, str)
    if not rest:
        node[name] = value
        return
    below = node.setdefault(name, [{}] if rest[0] == 0 else {})
    inner = below[0] if isinstance(below, list) else below
    assert isinstance(inner, dict)
    _put(inner, tuple(rest[1:] if rest[0] == 0 else rest), value)


def value_at(subject: Json, place: Place) -> Json:
    """What stands at a place of a subject; None where nothing does."""
    for part in place:
        if isinstance(part, str) and isinstance(subject, dict):
            subject = subject.get(part)
        elif isinstance(part, int) and isinstance(subject, list) and part < len(subject):
            subject = subject[part]
        else:
            return None
    return subject


def read_claims(kind: StatementType, subject: Object) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The claims in a subject by name, as they stand there, and the names of members that are no claim of the type.

    What every credential of the type has is neither: its own id, and what says how the subject is built.
    """
    names = {claim.path: claim.name for claim in kind.claims.values()}
    claims: dict[str, Json] = {}
    others: list[str] = []
    for place, value in _values((), dict(subject), frozenset(names)):
        if place in names:
            claims[names[place]] = value
        elif not _is_frame(kind, place, value):
            others.append(".".join(map(str, place)))
    return claims, tuple(others)


def _values(place: Place, value: Json, claims: frozenset[Place]) -> Iterator[tuple[Place, Json]]:
    """What stands in a subject, claims whole and everything else down to what has nothing below it."""
    if isinstance(value, dict) and value and place not in claims:
        for name, inner in value.items():
            yield from _values((*place, name), inner, claims)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value) and place not in claims:
        for index, item in enumerate(value):
            yield from _values((*place, index), item, claims)
    else:
        yield place, value


def _is_frame(kind: StatementType, place: Place, value: Json) -> bool:
    if place == ("id",) or place in kind.named:
        return True
    if place in kind.constants:
        return bool(value == kind.constants[place])
    return any(place[: len(each)] == each and value == value_at(_at(each, kind), place) for each in kind.unbound)


def _at(place: Place, kind: StatementType) -> Json:
    return build_subject({place: kind.unbound[place]})


def claim_of(kind: StatementType | None, pointer: str) -> Claim | None:
    """The claim that a JSON pointer into a credential names, or a value of which; None for anything else."""
    claims = kind.claims.values() if kind else ()
    return next((each for each in claims if f"{pointer}/".startswith(f"{each.pointer}/")), None)


def claim_on(kind: StatementType | None, path: tuple[str | int | None, ...]) -> Claim | None:
    """The same for a claims path (OID4VP §7), in which None stands for every item of a list."""
    return claim_of(kind, "/".join(("", *(str(0 if part is None else part) for part in path))))


def path_of(claim: Claim) -> tuple[str | int | None, ...]:
    """The claims path (OID4VP §7) by which a claim is asked for; of one with several values, of all of them."""
    return (SUBJECT, *claim.path, None) if claim.many else (SUBJECT, *claim.path)
