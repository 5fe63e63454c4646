"""The trust that is held here: a file, or a list that ``ouvrage verifier sync`` took over. Reading needs no network.

A synced list is a folder: ``files`` holds every file under its SHA-256, ``current.json`` names the index of the state
in force, and is the only thing that is ever replaced. Of a list only the index is read at once; the files of an issuer
or a status list are read, and compared with their digest, when somebody asks for them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, overload

from vc.canon import Limits, parse_object
from vc.documents import Documents
from vc.errors import Malformed, Undetermined
from vc.io.files import read_bounded
from vc.jsonld import Contexts
from vc.model import Credential, format_date_time, parse_credential, parse_date_time
from vc.trust import GivenList, GivenToken, Trust, TrustedIssuer, TrustedKey, parse_trust
from work import CONTEXTS

FILE: Final = "trust.json"
FOLDER: Final = "trust"  # beside it, in the verifier's home
CURRENT: Final = "current.json"
FILES: Final = "files"
INDEX_VERSION: Final = 1

MAX_TRUST: Final = 16 << 20
MAX_INDEX: Final = 32 << 20  # of 10 000 issuers and 24 000 lists: 12 MB
MAX_HELD: Final = 16 << 20  # one file of a list
KEPT_ISSUERS: Final = 256  # in memory
KEPT_LISTS: Final = 16  # likewise: each has 20 KB, and at most some MB
AGEING: Final = timedelta(days=7)  # before its end, a list is called one that ends soon

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the trust is at a moment, and until when it may be relied on."""

    as_of: datetime
    expires: datetime | None
    age: timedelta
    state: str  # fresh, ending (soon), ended

    def to_json(self) -> dict[str, object]:
        """For scripts."""
        ends = None if self.expires is None else format_date_time(self.expires)
        return {"asOf": format_date_time(self.as_of), "expires": ends, "ageDays": self.age.days, "state": self.state}


def freshness(trust: Trust, at: datetime, *, max_age: timedelta) -> Freshness:
    """How fresh ``trust`` is; ``max_age`` is the policy's. The same rule as step 0 of verification."""
    ends = trust.as_of + max_age if trust.expires is None else min(trust.expires, trust.as_of + max_age)
    state = "ended" if at >= ends else "ending" if at >= ends - AGEING else "fresh"
    return Freshness(trust.as_of, ends, at - trust.as_of, state)


def trust_path(given: Path | None, home: Path) -> Path:
    """Where the trust is that is meant: the one named, else this verifier's synced list, else its file."""
    if given is not None:
        return given
    return home / FOLDER if (home / FOLDER / CURRENT).exists() else home / FILE


def load(path: Path, *, contexts: Contexts = CONTEXTS) -> Trust:
    """The trust in a file (docs/trust.md) or in a folder that was synced (docs/trust-list.md).

    How old it is, :func:`freshness` tells; whether that is too old is step 0 of verification, which refuses to answer.
    Raises :class:`Malformed` where there is none or it is damaged: then nobody is trusted.
    """
    if path.is_dir():
        return _Store(path, contexts).trust()
    return parse_trust(read_bounded(path, limit=MAX_TRUST), contexts=contexts, where=str(path))


def among(trust: Trust, *, digests: AbstractSet[str], issuers: AbstractSet[TrustedIssuer]) -> Iterable[Credential]:
    """The public credentials that may bear one of ``digests`` or the signature of one of ``issuers``."""
    public = trust.public
    return public.among(digests, issuers) if isinstance(public, _Public) else public


class Files:
    """Files by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FILES

    def path(self, digest: str) -> Path:
        """Where the file with this digest is, or would be."""
        return self.folder / digest[:2] / digest

    def holds(self, digest: str) -> bool:
        """Whether the file is here, whole."""
        try:
            self.read(digest, limit=MAX_INDEX)
        except Undetermined:
            return False
        return True

    def read(self, digest: str, *, limit: int = MAX_HELD) -> bytes:
        """A file, compared with its digest. Raises :class:`Undetermined` for one that is missing or another's."""
        try:
            raw = read_bounded(self.path(digest), limit=limit)
        except Malformed:
            raw = b""
        if sha256(raw).hexdigest() != digest:
            raise Undetermined(
                "the trust list on this machine is damaged", "run: ouvrage verifier sync", code="TRUST_DAMAGED"
            )
        return raw


def read_current(folder: Path) -> dict[str, Any] | None:
    """What ``current.json`` says; None where no list was ever synced. Raises :class:`Malformed`."""
    path = folder / CURRENT
    if not path.exists():
        return None
    current = parse_object(read_bounded(path, limit=1 << 16), where=str(path))
    if current.get("type") != "OuvrageTrustStore" or current.get("version") != INDEX_VERSION:
        raise Malformed(str(path), "not a synced trust list; run: ouvrage verifier sync", code="BAD_TRUST")
    return current


def read_index(folder: Path, current: Mapping[str, Any]) -> dict[str, Any]:
    """The index of the state in force. It was written here and is compared with its digest, so it is read plainly."""
    index: dict[str, Any] = json.loads(Files(folder).read(str(current.get("index")), limit=MAX_INDEX))
    return index


class _Store:
    """A synced list, read as far as it is asked for."""

    def __init__(self, folder: Path, contexts: Contexts) -> None:
        current = read_current(folder)
        if current is None:
            raise Malformed(
                str(folder),
                "no trust list was synced into this folder; run: ouvrage verifier sync",
                code="FILE_MISSING",
            )
        self.digest = str(current["metadata"]["timestamp"])
        self.files = Files(folder)
        self.index = read_index(folder, current)
        self.contexts = contexts
        self.part = lru_cache(KEPT_ISSUERS)(self._part)
        self.status = lru_cache(KEPT_LISTS)(self._status)

    def _part(self, number: int) -> Trust:
        """What the list says of one issuer: a trust file of its own."""
        raw = self.files.read(self.index["issuers"][number])
        return parse_trust(raw, contexts=self.contexts, where="trust list")

    def _status(self, url: str) -> GivenList | GivenToken:
        digest, as_of, kind = self.index["lists"][url]
        raw, when = self.files.read(digest), parse_date_time(as_of, where="trust list")
        if kind == "token":
            return GivenToken(raw.decode("ascii", errors="replace"), when)
        document = parse_object(raw, where=f"status list {url[:200]}", limits=Limits(size=MAX_HELD))
        return GivenList(parse_credential(document, where=f"status list {url[:200]}"), when)

    def trust(self) -> Trust:
        index, part = self.index, self.part

        def by_method(method: str, number: int) -> tuple[TrustedIssuer, TrustedKey]:
            return part(number).by_method[method]

        def certified(_: str, numbers: list[int]) -> tuple[TrustedIssuer, ...]:
            return tuple(part(number).issuers[0] for number in numbers)

        lists = {url: url for url, one in index["lists"].items() if one[2] != "token"}
        tokens = {url: url for url, one in index["lists"].items() if one[2] == "token"}
        return Trust(
            as_of=parse_date_time(index["asOf"], where="trust list"),
            issuers=_Issuers(part, len(index["issuers"])),
            public=_Public(part, index["public"]),
            contexts=self.contexts,
            by_method=_Lazy(index["methods"], by_method),
            documents=Documents(_Lazy(index["documents"], lambda did, number: part(number).documents.given[did])),
            status_lists=_Lazy(lists, lambda url, _: _credential(self.status(url))),
            status_tokens=_Lazy(tokens, lambda url, _: _token(self.status(url))),
            certified=_Lazy(index["certified"], certified),
            expires=parse_date_time(index["expires"], where="trust list"),
            digest=self.digest,
        )


def _credential(given: GivenList | GivenToken) -> GivenList:
    assert isinstance(given, GivenList)
    return given


def _token(given: GivenList | GivenToken) -> GivenToken:
    assert isinstance(given, GivenToken)
    return given


class _Lazy(Mapping[str, V], Generic[V]):
    """A mapping whose names are known and whose values are read when they are asked for."""

    def __init__(self, where: Mapping[str, Any], read: Callable[[str, Any], V]) -> None:
        self._where, self._read = where, read

    def __getitem__(self, key: str) -> V:
        return self._read(key, self._where[key])

    def __contains__(self, key: object) -> bool:
        return key in self._where

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)


class _Issuers(Sequence[TrustedIssuer]):
    """All issuers, each read when it is its turn."""

    def __init__(self, part: Callable[[int], Trust], count: int) -> None:
        self._part, self._count = part, count

    @overload
    def __getitem__(self, place: int) -> TrustedIssuer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[TrustedIssuer]: ...
    def __getitem__(self, place: int | slice) -> TrustedIssuer | Sequence[TrustedIssuer]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._count))]
        return self._part(range(self._count)[place]).issuers[0]

    def __len__(self) -> int:
        return self._count


class _Public(Sequence[Credential]):
    """All public credentials, by issuer, place, signers and digest; each read when it is asked for."""

    def __init__(self, part: Callable[[int], Trust], where: list[tuple[int, int, list[str], str]]) -> None:
        self._part, self._where = part, where

    def among(self, digests: AbstractSet[str], issuers: AbstractSet[TrustedIssuer]) -> Iterator[Credential]:
        methods = {key.method for issuer in issuers for key in issuer.keys}
        for number, place, signers, digest in self._where:
            if digest in digests or not methods.isdisjoint(signers):
                yield self._part(number).public[place]

    @overload
    def __getitem__(self, place: int) -> Credential: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Credential]: ...
    def __getitem__(self, place: int | slice) -> Credential | Sequence[Credential]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        number, inner, *_ = self._where[place]
        return self._part(number).public[inner]

    def __len__(self) -> int:
        return len(self._where)
