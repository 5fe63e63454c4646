"""``ouvrage verifier sync``: taking over a trust list from a mirror that nobody has to believe.

Everything is verified before anything is kept. Only files that are not held yet are asked for. They are put under their
digests first; then one file, ``current.json``, is replaced: whoever is interrupted at any instant, by a power cut too,
has the list from before or the new one.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final

from tuf.api.metadata import Metadata, Root, TargetFile, Targets  # type: ignore[attr-defined]

from vc.canon import Json, to_json
from vc.errors import Malformed, Undetermined, VcError
from vc.io.files import write_atomic
from vc.model import format_date_time, parse_date_time
from vc.trust import Trust, name_key, parse_trust
from verifier import trust_roles as roles
from verifier.references import digest_of
from verifier.trust_roles import LISTS, MAX_ROLE, MAX_ROOT, MAX_ROOTS, MAX_SMALL, Published
from verifier.trust_sources import AT_ONCE, Source
from verifier.trust_store import CURRENT, FILES, INDEX_VERSION, Files, read_current, read_index
from verifier.trust_vocabulary import other_schemas
from work import CONTEXTS

MAX_URL: Final = 2048
WORDS: Final = "vocabulary.json"
ROLES: Final = ("root", "timestamp", "snapshot", "targets", LISTS)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did."""

    name: str
    as_of: datetime
    expires: datetime
    issuers: int
    lists: int
    requests: int
    received: int  # bytes
    changed: bool
    other_schemas: tuple[str, ...]


class _Counted:
    """A source that counts what it is asked for."""

    def __init__(self, source: Source) -> None:
        self.source, self.requests, self.received = source, 0, 0

    async def need(self, path: str, *, limit: int) -> bytes:
        raw = await self.ask(path, limit=limit)
        if raw is None:
            raise Undetermined(
                f"{self.source.name} has no {path}: no trust list, or one that is half-written",
                "see that the address is right, and try again later",
                code="TRUST_MISSING",
            )
        return raw

    async def ask(self, path: str, *, limit: int) -> bytes | None:
        self.requests += 1
        raw = await self.source.read(path, limit=limit)
        self.received += len(raw or b"")
        return raw


async def sync(folder: Path, source: Source, *, fingerprint: str | None, at: datetime) -> Synced:
    """Take over the list at ``source`` into ``folder``, as of ``at``.

    ``fingerprint`` is the SHA-256 of one of its roots, as its publisher told it by another road; without a list that
    was taken over before it has to be given. Raises :class:`Malformed`, :class:`Rejected` or :class:`Undetermined`,
    and then nothing has changed.
    """
    counted, files = _Counted(source), Files(folder)
    current, held = _held(folder, fingerprint)
    before = roles.read_root(held["root"]) if held else await _first_root(counted, fingerprint)
    root = await _newest_root(counted, before)
    if held and _online_keys(before) != _online_keys(root):
        held = {"root": held["root"]}  # §5.3.11: whoever had those keys may have signed any version number
    published = await _published(counted, root, held, at)
    needed = {file.hashes["sha256"]: (path, file) for path, file in published.targets.items()}
    missing = {each: needed[each] for each in needed if not files.holds(each)}
    await _take(counted, files, missing)
    words = [file.hashes["sha256"] for path, file in published.targets.items() if path == WORDS]
    differing = tuple(name for each in words for name in other_schemas(files.read(each)))
    index = to_json(_index(published, files, words))
    changed = current is None or current["index"] != roles.digest(index)
    pin = _plain(fingerprint) if current is None else current["fingerprint"]
    _keep(folder, published, index, current, {"source": source.name, "fingerprint": pin}, at)
    _prune(folder)
    lists = sum(path.startswith("lists/") for path in published.targets)
    return Synced(
        name=published.name,
        as_of=published.as_of,
        expires=_ends(published),
        issuers=len(published.targets) - lists - len(words),
        lists=lists,
        requests=counted.requests,
        received=counted.received,
        changed=changed,
        other_schemas=differing,
    )


def _held(folder: Path, fingerprint: str | None) -> tuple[dict[str, Any] | None, dict[str, bytes]]:
    """The list that is in force here. Where it is damaged, whoever says again which list it is starts anew."""
    try:
        current = read_current(folder)
        held = {} if current is None else {role: Files(folder).read(current["metadata"][role]) for role in ROLES}
    except (Undetermined, Malformed, KeyError, TypeError):
        if fingerprint is None:
            raise Undetermined(
                "the trust list on this machine is damaged", "sync again, with --fingerprint", code="TRUST_DAMAGED"
            ) from None
        return None, {}
    if current is not None and fingerprint is not None and _plain(fingerprint) != current["fingerprint"]:
        raise Malformed(str(folder), "holds another list; name another folder with --trust", code="TRUST_OTHER_LIST")
    return current, held


def _plain(fingerprint: str | None) -> str:
    return "".join((fingerprint or "").split()).lower()


# ---- metadata --------------------------------------------------------------------------------------------------------


async def _first_root(source: _Counted, fingerprint: str | None) -> Metadata[Root]:
    if fingerprint is None:
        raise Malformed(
            "--fingerprint",
            "the first time, say which list it has to be: its publisher tells you the fingerprint, by another road",
            code="FINGERPRINT_MISSING",
        )
    wanted = _plain(fingerprint)
    for version in range(1, MAX_ROOTS + 1):
        raw = await source.ask(f"{version}.root.json", limit=MAX_ROOT)
        if raw is None:
            break
        if roles.digest(raw) == wanted:
            return roles.read_root(raw)
    raise roles.refused("TRUST_OTHER_LIST", "this is not the list with that fingerprint; nothing was taken over")


async def _newest_root(source: _Counted, root: Metadata[Root]) -> Metadata[Root]:
    """§5.3: one after the other, so that no change of signers can be skipped."""
    for _ in range(MAX_ROOTS):
        raw = await source.ask(f"{root.signed.version + 1}.root.json", limit=MAX_ROOT)
        if raw is None:
            break
        root = roles.next_root(root, raw)
    return root


def _online_keys(root: Metadata[Root]) -> list[list[str]]:
    return [sorted(root.signed.roles[role].keyids) for role in ("timestamp", "snapshot")]


async def _published(source: _Counted, root: Metadata[Root], held: Mapping[str, bytes], at: datetime) -> Published:
    """§5.4 to §5.6. What did not change is not asked for again."""
    roles.check_in_force(root.signed, at, "the list of those who sign")
    raw = {"root": root.to_bytes(), "timestamp": await source.need("timestamp.json", limit=MAX_SMALL)}
    timestamp = roles.read_timestamp(raw["timestamp"], root=root.signed, held=held.get("timestamp"), at=at)
    meta = timestamp.snapshot_meta
    raw["snapshot"] = await _same_or(
        source, held.get("snapshot"), meta.hashes, f"{meta.version}.snapshot.json", MAX_SMALL
    )
    snapshot = roles.read_snapshot(
        raw["snapshot"], root=root.signed, timestamp=timestamp, held=held.get("snapshot"), at=at
    )
    by: Root | Targets = root.signed
    read: list[Targets] = []
    for role in ("targets", LISTS):
        part = snapshot.meta.get(f"{role}.json")
        if part is None:
            raise roles.refused("TRUST_MIXED", "a part of the list is missing")
        raw[role] = await _same_or(source, held.get(role), part.hashes, f"{part.version}.{role}.json", MAX_ROLE)
        by = roles.read_targets(raw[role], role=role, by=by, snapshot=snapshot, at=at)
        read.append(by)
    return Published(raw, root.signed, timestamp, (snapshot, *read), roles.files_of(*read))


async def _same_or(
    source: _Counted, held: bytes | None, hashes: Mapping[str, str] | None, path: str, limit: int
) -> bytes:
    if held is not None and (hashes or {}).get("sha256") == roles.digest(held):
        return held
    return await source.need(path, limit=limit)


# ---- files -----------------------------------------------------------------------------------------------------------


async def _take(source: _Counted, files: Files, missing: Mapping[str, tuple[str, TargetFile]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def take(digest: str, path: str, file: TargetFile) -> None:
        folder, _, name = path.rpartition("/")
        async with gate:
            raw = await source.need("/".join(filter(None, ("targets", folder, f"{digest}.{name}"))), limit=file.length)
        roles.check_file(raw, file)
        put(files, raw)

    try:
        async with asyncio.TaskGroup() as group:
            for digest, (path, file) in missing.items():
                group.create_task(take(digest, path, file))
    except BaseExceptionGroup as errors:
        ours = errors.subgroup(VcError)
        if ours is None:
            raise
        raise next(_leaves(ours)) from None


def _leaves(errors: BaseExceptionGroup[VcError]) -> Iterator[VcError]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def put(files: Files, raw: bytes) -> str:
    """Keep a file under its digest, whole or not at all. Raises :class:`Undetermined` where the disk refuses."""
    digest = roles.digest(raw)
    path = files.path(digest)
    if files.holds(digest):
        return digest
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = mkstemp(dir=path.parent, prefix=".")
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        Path(name).replace(path)
    except OSError as error:
        raise Undetermined(
            f"{path}: cannot be written: {error.strerror}", "check the folder and its free space", code="CANNOT_WRITE"
        ) from None
    return digest


def _keep(
    folder: Path,
    published: Published,
    index: bytes,
    current: Mapping[str, Any] | None,
    whence: Mapping[str, Json],
    at: datetime,
) -> None:
    files = Files(folder)
    metadata: dict[str, Json] = {role: put(files, raw) for role, raw in published.raw.items()}
    kept = put(files, index)
    os.sync()  # thousands of small files at once, before the one that makes them count
    before = None if current is None else current["index"] if current["index"] != kept else current["before"]
    document: dict[str, Json] = {
        "type": "OuvrageTrustStore",
        "version": INDEX_VERSION,
        **whence,
        "synced": format_date_time(at.replace(microsecond=0)),
        "metadata": metadata,
        "index": kept,
        "before": before,
    }
    write_atomic(folder / CURRENT, to_json(document), mode=0o644)


def _prune(folder: Path) -> None:
    """Remove what neither this state nor the one before needs: another process may still be reading that one."""
    current = read_current(folder)
    assert current is not None
    needed = {*current["metadata"].values(), current["index"], current["before"]}
    for index in (current["index"], current["before"]):
        if index is not None and Files(folder).path(index).exists():
            needed |= set(_named(read_index(folder, {"index": index})))
    for path in (folder / FILES).glob("*/*"):
        if path.name not in needed:
            path.unlink(missing_ok=True)


def _named(index: Mapping[str, Any]) -> Iterable[str]:
    yield from index["issuers"]
    yield from (one[0] for one in index["lists"].values())
    yield from index["others"]


# ---- the index -------------------------------------------------------------------------------------------------------


def _ends(published: Published) -> datetime:
    return min(signed.expires for signed in (published.root, published.timestamp, *published.roles))


def _index(published: Published, files: Files, others: list[str]) -> dict[str, Json]:
    """Where to look for what: methods, DIDs, certificates, status lists, public statements."""
    methods: dict[str, Json] = {}
    documents: dict[str, Json] = {}
    certified: dict[str, list[int]] = {}
    public: list[Json] = []
    issuers: list[str] = []
    for path, file in sorted(published.targets.items()):
        if not path.startswith("issuers/"):
            continue
        number = len(issuers)
        issuers.append(file.hashes["sha256"])
        part = _part(files.read(issuers[-1]), path)
        for names, index in ((part.by_method, methods), (part.documents.given, documents)):
            if not index.keys().isdisjoint(names):
                raise Malformed(path, "says of a key that it is another's", code="BAD_TRUST")
            index.update(dict.fromkeys(names, number))
        for one in part.issuers[0].certificates:
            numbers = certified.setdefault(name_key(one.certificate.subject), [])
            numbers += [number] if number not in numbers else []
        for place, credential in enumerate(part.public):
            signers: list[Json] = [proof.verification_method for proof in credential.proofs]
            public.append([number, place, signers, digest_of(credential)])
    return {
        "asOf": format_date_time(published.as_of),
        "expires": format_date_time(_ends(published)),
        "name": published.name,
        "issuers": list[Json](issuers),
        "methods": methods,
        "documents": documents,
        "certified": {name: list[Json](numbers) for name, numbers in certified.items()},
        "public": public,
        "lists": dict(_lists(published)),
        "others": list[Json](others),
    }


def _part(raw: bytes, where: str) -> Trust:
    part = parse_trust(raw, contexts=CONTEXTS, where=where)
    if len(part.issuers) != 1 or part.status_lists or part.status_tokens:
        raise Malformed(where, "not about exactly one issuer", code="BAD_TRUST")
    return part


def _lists(published: Published) -> Iterator[tuple[str, Json]]:
    for path, file in published.targets.items():
        if path.startswith("lists/"):
            match file.unrecognized_fields.get("custom"):
                case {"url": str(url), "asOf": str(as_of), "kind": ("token" | "credential") as kind} if (
                    len(url) <= MAX_URL
                ):
                    parse_date_time(as_of, where=path)
                    yield url, [file.hashes["sha256"], as_of, kind]
                case _:
                    raise Malformed(path, "does not say which status list it is", code="BAD_TRUST")
