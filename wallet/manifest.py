"""The list of all that a vault holds, and the count of its changes: a row lost, swapped or put back shows in it."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from vc.canon import Json, Limits, parse_json, to_json
from wallet.vaultfile import MAX_ROW

PLACE: Final = b"manifest"  # that it is sealed for
LIMITS: Final = Limits(size=MAX_ROW, depth=3)


class Entry(NamedTuple):
    """A line of the manifest. The kind stands here too, so that listing credentials does not unseal keys."""

    digest: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Age:
    """How many changes a vault has seen, and the random secret that all its copies and backups share."""

    changes: int
    series: bytes = field(repr=False)


@dataclass(slots=True)
class Manifest:
    """Every item, by its id, in the order in which the items came."""

    age: Age
    items: dict[bytes, Entry]


def pack(listed: Manifest) -> bytes:
    lines: list[Json] = [[name.hex(), entry.digest.hex(), entry.kind] for name, entry in listed.items.items()]
    return to_json([[listed.age.series.hex(), listed.age.changes], *lines])


def parse(plaintext: bytes) -> Manifest:
    """No check of its form: it opened under the vault key, so it is what :func:`pack` made."""
    parsed: Any = parse_json(plaintext, limits=LIMITS)
    (series, changes), *lines = parsed
    items = {bytes.fromhex(name): Entry(bytes.fromhex(digest_), kind) for name, digest_, kind in lines}
    return Manifest(Age(changes, bytes.fromhex(series)), items)
