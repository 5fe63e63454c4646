"""Disclosures and the digests that stand for them (RFC 9901 §4.2 and §7.1): hiding claims, and putting them back."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import unpack
from types import MappingProxyType
from typing import Final, Self, TypeAlias

from vc.canon import DEFAULT_LIMITS, Json, parse_json, to_json
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.model import Object
from vc.multibase import decode_base64url, encode_base64url

SD: Final = "_sd"
ELLIPSIS: Final = "..."
SD_ALG: Final = "_sd_alg"
RESERVED: Final = frozenset({SD, ELLIPSIS, SD_ALG})

# Names of the IANA registry. Its truncated hashes are unfit here (RFC 9901 §9.4); nobody signs with the others.
HASHES: Final[Mapping[str, Callable[[bytes], "hashlib._Hash"]]] = MappingProxyType(
    {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
)
SALT_LENGTH: Final = 18  # bytes; RFC 9901 §9.3 recommends 16 at least
MAX_DISCLOSURES: Final = 4096  # each costs a hash and a parser; the largest credential has some hundreds
MAX_DEPTH: Final = DEFAULT_LIMITS.depth  # disclosures nest in each other, so their own depths add up
MAX_DECOYS: Final = 1024  # in one object or list

Path: TypeAlias = tuple[str | int, ...]
Rand: TypeAlias = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Revealed:
    """A payload with its disclosures in place, and where they went."""

    claims: dict[str, Json]
    disclosed: Mapping[Path, str]  # the disclosure of the claim at a path


def hash_name(payload: Object) -> str:
    """The hash of a payload's digests (RFC 9901 §4.1.1). Raises :class:`Malformed` or :class:`Unsupported`."""
    name = payload.get(SD_ALG, "sha-256")
    if not isinstance(name, str):
        raise Malformed(f"/{SD_ALG}", "not a text", code="BAD_SD_JWT")
    if name not in HASHES:
        raise Unsupported("digest", name, code="UNSUPPORTED_SUITE")
    return name


def digest_of(text: str, hashed_with: str) -> str:
    """The digest of an ASCII text, as base64url (RFC 9901 §4.2.3)."""
    return encode_base64url(HASHES[hashed_with](text.encode("ascii")).digest())


def parse_disclosure(text: str, *, where: str = "disclosure") -> list[Json]:
    """The list of a salt, the name of an object's claim, and a value (RFC 9901 §4.2.1 and §4.2.2).

    Which of the two forms it has to have is told by where its digest stands. Raises :class:`Malformed`.
    """
    parts = parse_json(decode_base64url(text, where=where), where=where)
    if not isinstance(parts, list) or len(parts) not in (2, 3) or not isinstance(parts[0], str):
        raise Malformed(where, "not a list of a salt, perhaps a name, and a value", code="BAD_DISCLOSURE")
    return parts


# ---- issuing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outline:
    """Claims with what can be kept back in them, taken apart once for all copies of them that are signed."""

    top: "_Object"
    selective: int
    decoys: int

    @classmethod
    def of(cls, claims: Object, selective: Collection[str], decoys: Mapping[str, int]) -> Self:
        """``selective`` are JSON pointers; ``decoys`` the number of digests of nothing, by the pointer of the object or
        the list that they stand in.

        Raises :class:`Malformed` for a pointer that names nothing, for names that the format keeps for itself, and for
        more of either than there may be.
        """
        names = frozenset(selective)
        if len(names) > MAX_DISCLOSURES or not all(0 <= some <= MAX_DECOYS for some in decoys.values()):
            raise Malformed("", f"more than {MAX_DISCLOSURES} claims or {MAX_DECOYS} decoys", code="TOO_LARGE")
        reading = _Reading(names, decoys)
        try:
            top = _object(claims, "", reading)
        except RecursionError:
            raise Malformed("", "nested too deep", code="TOO_DEEP") from None
        if reading.found != names | decoys.keys():
            raise Malformed("selective", "a pointer names nothing that can be hidden", code="BAD_POINTER")
        return cls(top, len(names), sum(decoys.values()))

    def hide(self, *, hashed_with: str, rand: Rand) -> tuple[dict[str, Json], tuple[str, ...]]:
        """``(payload, disclosures)`` of one copy: the claims with digests in place of what can be kept back (RFC 9901
        §4.2.4).

        Where a claim and one below it are both named, the disclosure of the first holds the digest of the second
        (§4.2.6).
        """
        # All the chance that a copy needs is drawn at once: to ask for it costs more than to get it.
        salts = draw_salts(self.selective + self.decoys, rand)
        words = unpack(f">{self.decoys}Q", rand(8 * self.decoys))  # 2⁶⁴ is so large that no place is favoured
        filling = _Filling(HASHES[hashed_with], salts, iter(words))
        payload = _fill_object(self.top, filling)
        return payload, tuple(filling.disclosures)


def draw_salts(count: int, rand: Rand) -> Iterator[bytes]:
    """RFC 9901 §9.3: that many salts, each independent of the others; 18 bytes make 24 characters with none left."""
    texts = encode_base64url(rand(SALT_LENGTH * count)).encode("ascii")
    if len(texts) != 24 * count:  # short salts would give away what they hide
        raise Malformed("rand", f"gave other than {SALT_LENGTH * count} bytes")
    return (texts[start : start + 24] for start in range(0, 24 * count, 24))


@dataclass(frozen=True, slots=True)
class _Object:
    """An object with something to hide in it. What a member holds is bytes where it is hidden and alike in each copy:
    what follows the salt in its disclosure."""

    members: "tuple[tuple[str, bool, _Content], ...]"  # with whether it is hidden
    decoys: int


@dataclass(frozen=True, slots=True)
class _List:
    """A list with something to hide in it, likewise."""

    items: "tuple[tuple[bool, _Content], ...]"
    decoys: int


_Content: TypeAlias = "Json | bytes | _Object | _List"


@dataclass(frozen=True, slots=True)
class _Reading:
    selective: frozenset[str]
    decoys: Mapping[str, int]
    found: set[str] = field(default_factory=set)

    def take(self, pointer: str, names: Collection[str]) -> bool:
        """Whether ``names`` has a pointer, which is found then."""
        if pointer in names:
            self.found.add(pointer)
            return True
        return False


@dataclass(frozen=True, slots=True)
class _Filling:
    hashed_with: Callable[[bytes], "hashlib._Hash"]
    salts: Iterator[bytes]  # of disclosures and of decoys
    places: Iterator[int]  # large random numbers, one for each decoy
    disclosures: list[str] = field(default_factory=list)


def _read(value: Json, pointer: str, reading: _Reading) -> _Content:
    if isinstance(value, dict):
        made = _object(value, pointer, reading)
        return made if made.decoys or any(_varies(content) for _, _, content in made.members) else value
    if isinstance(value, list):
        listed = _list(value, pointer, reading)
        return listed if listed.decoys or any(_varies(content) for _, content in listed.items) else value
    return value


def _varies(content: _Content) -> bool:
    """Whether something is hidden in it."""
    return isinstance(content, bytes | _Object | _List)


def _object(members: Object, pointer: str, reading: _Reading) -> _Object:
    if not RESERVED.isdisjoint(members):
        raise Malformed(pointer, "a name that SD-JWT keeps for itself", code="BAD_SD_JWT")
    read: list[tuple[str, bool, _Content]] = []
    for name, value in members.items():
        below = f"{pointer}/{name}" if "~" not in name and "/" not in name else f"{pointer}/{_escaped(name)}"
        content = value if type(value) is str else _read(value, below, reading)
        hidden = reading.take(below, reading.selective)
        if hidden and not isinstance(content, bytes | _Object | _List):
            content = to_json(name) + b"," + to_json(content)
        read.append((name, hidden, content))
    return _Object(tuple(read), reading.decoys[pointer] if reading.take(pointer, reading.decoys) else 0)


def _list(items: Sequence[Json], pointer: str, reading: _Reading) -> _List:
    read: list[tuple[bool, _Content]] = []
    for index, item in enumerate(items):
        below = f"{pointer}/{index}"
        content = item if type(item) is str else _read(item, below, reading)
        hidden = reading.take(below, reading.selective)
        if hidden and not isinstance(content, bytes | _Object | _List):
            content = to_json(content)
        read.append((hidden, content))
    return _List(tuple(read), reading.decoys[pointer] if reading.take(pointer, reading.decoys) else 0)


def _fill(content: _Content, filling: _Filling) -> Json:
    if isinstance(content, _Object):
        return _fill_object(content, filling)
    if isinstance(content, _List):
        return _fill_list(content, filling)
    assert not isinstance(content, bytes)
    return content


def _fill_object(made: _Object, filling: _Filling) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    hidden: list[bytes] = []
    for name, is_hidden, content in made.members:
        if isinstance(content, bytes):
            hidden.append(content)
        elif is_hidden:
            hidden.append(to_json(name) + b"," + to_json(_fill(content, filling)))
        else:
            shown[name] = content if type(content) is str else _fill(content, filling)
    digests = [_disclose(content, filling) for content in hidden]
    digests += _decoys(made.decoys, filling)
    # Digests are as good as random, so their order tells nothing of the order of the claims (§4.2.4.1).
    return {SD: [*sorted(digests)], **shown} if digests else shown


def _fill_list(made: _List, filling: _Filling) -> list[Json]:
    shown: list[Json] = []
    for is_hidden, content in made.items:
        if isinstance(content, bytes):
            shown.append({ELLIPSIS: _disclose(content, filling)})
        elif is_hidden:
            shown.append({ELLIPSIS: _disclose(to_json(_fill(content, filling)), filling)})
        else:
            shown.append(_fill(content, filling))
    for decoy in _decoys(made.decoys, filling):
        shown.insert(next(filling.places) % (len(shown) + 1), {ELLIPSIS: decoy})
    return shown


def _disclose(content: bytes, filling: _Filling) -> str:
    """The digest of a new disclosure of ``content``: what follows the salt in the list of §4.2.1."""
    text = encode_base64url(b'["' + next(filling.salts) + b'",' + content + b"]")
    filling.disclosures.append(text)
    return encode_base64url(filling.hashed_with(text.encode("ascii")).digest())


def _decoys(count: int, filling: _Filling) -> list[str]:
    """RFC 9901 §4.2.5"""
    return [encode_base64url(filling.hashed_with(next(filling.salts)).digest()) for _ in range(count)]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


# ---- verifying -------------------------------------------------------------------------------------------------------


def reveal(payload: Object, disclosures: Sequence[str], *, keep_hidden: bool = False) -> Revealed:
    """RFC 9901 §7.1, steps 3 to 5: every digest that has a disclosure is replaced by its claim, the others go.

    With ``keep_hidden`` they stay (``_sd`` lists of what is left, ``{"...": digest}`` in lists), so that paths count
    as the issuer's did. Raises :class:`Rejected` where a disclosure is not exactly one claim of this payload,
    :class:`Malformed` where digests stand in no form of the RFC.
    """
    hashed_with = HASHES[hash_name(payload)]
    try:
        found = {encode_base64url(hashed_with(text.encode("ascii")).digest()): text for text in disclosures}
    except UnicodeEncodeError:
        raise Malformed("disclosure", "not base64url without padding", code="BAD_MULTIBASE") from None
    if len(found) != len(disclosures):
        raise _invalid("a disclosure stands twice")
    walk = _Walk(found, keep_hidden)
    claims = walk.members({name: value for name, value in payload.items() if name != SD_ALG}, ())
    if len(set(walk.seen)) != len(walk.seen):
        raise _invalid("the same digest stands twice")
    if found:
        raise _invalid("a disclosure belongs to no digest that the issuer has signed")
    return Revealed(claims, walk.disclosed)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One pass over a payload; disclosures are walked where they are put."""

    found: dict[str, str]  # disclosures by their digests; each is taken out at its first use, so that none can multiply
    keep_hidden: bool
    seen: list[str] = field(default_factory=list)
    disclosed: dict[Path, str] = field(default_factory=dict)

    def value(self, value: Json, path: Path) -> Json:
        if isinstance(value, dict):
            return self.members(value, path)
        if isinstance(value, list):
            return self.items(value, path)
        return value

    def members(self, members: Object, path: Path) -> dict[str, Json]:
        if len(path) >= MAX_DEPTH:
            raise Malformed("", f"nested deeper than {MAX_DEPTH} levels", code="TOO_DEEP")
        if ELLIPSIS in members or SD_ALG in members:
            raise Malformed("/" + "/".join(map(str, path)), "a name that SD-JWT keeps for itself", code="BAD_SD_JWT")
        shown = {
            name: value if type(value) is str else self.value(value, (*path, name))
            for name, value in members.items()
            if name != SD
        }
        if SD in members:
            self._properties(members[SD], shown, path)
        return shown

    def _properties(self, digests: Json, shown: dict[str, Json], path: Path) -> None:
        if not isinstance(digests, list):
            raise Malformed(f"/{SD}", "not a list of digests", code="BAD_SD_JWT")
        left: list[Json] = []
        for digest in digests:
            if not isinstance(digest, str):
                raise Malformed(f"/{SD}", "not a list of digests", code="BAD_SD_JWT")
            self.seen.append(digest)
            text = self.found.pop(digest, None)
            if text is None:
                left.append(digest)
                continue
            parts = parse_disclosure(text)
            name, value = parts[1], parts[-1]
            if len(parts) != 3 or not isinstance(name, str) or name in RESERVED:
                raise _invalid("a disclosure is no claim of an object, or has a name that SD-JWT keeps for itself")
            if name in shown:
                raise _invalid("a disclosure says again what is already said")
            below = (*path, name)
            self.disclosed[below] = text
            shown[name] = value if type(value) is str else self.value(value, below)
        if left and self.keep_hidden:
            shown[SD] = left

    def items(self, items: Sequence[Json], path: Path) -> list[Json]:
        if len(path) >= MAX_DEPTH:
            raise Malformed("", f"nested deeper than {MAX_DEPTH} levels", code="TOO_DEEP")
        shown: list[Json] = []
        for item in items:
            if not isinstance(item, dict) or ELLIPSIS not in item:
                shown.append(self.value(item, (*path, len(shown))))
                continue
            digest = item[ELLIPSIS]
            if len(item) != 1 or not isinstance(digest, str):
                raise Malformed(f"/{ELLIPSIS}", "not one digest alone", code="BAD_SD_JWT")
            self.seen.append(digest)
            text = self.found.pop(digest, None)
            if text is not None:
                parts = parse_disclosure(text)
                if len(parts) != 2:
                    raise _invalid("a disclosure of an object's claim stands in a list")
                self.disclosed[(*path, len(shown))] = text
                shown.append(self.value(parts[1], (*path, len(shown))))
            elif self.keep_hidden:
                shown.append(item)
        return shown


def _invalid(why: str) -> Rejected:
    return Rejected((Finding("DISCLOSURE_INVALID", why),))
