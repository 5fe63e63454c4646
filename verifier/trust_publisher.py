"""A publisher's folder: the issuers of a list, who signs it, and the static files that are made of it.

``issuers`` holds one trust file for each issuer; ``metadata`` what was last published; ``mirrored`` the status lists of
the platforms. Private keys are not among what is published.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import (  # type: ignore[attr-defined]
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed
from vc.io.files import atomic_file, read_bounded, write_atomic
from vc.model import format_date_time
from vc.trust import TRUST_LIMITS, Trust, parse_trust
from verifier.trust_roles import AS_OF, LISTS, MAX_ROLE, MAX_ROOT, NAME
from verifier.trust_signing import PENDING, Bundle, OwnSigner, PublicSigner
from verifier.trust_vocabulary import vocabulary
from verifier.trustfile import add_issuer, empty
from work import CONTEXTS

PEOPLE_SIGN_FOR: Final = timedelta(days=365)
DAYS: Final = 30  # for which a published list is good: as long as a mirror may hide that there is a newer one
RENEW: Final = timedelta(days=60)  # before its end, what the people signed is made anew


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A status list as a platform published it, and when that was its newest."""

    url: str
    kind: str  # token or credential
    as_of: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class Publisher:
    """The folder of whoever publishes a list."""

    folder: Path

    @property
    def settings(self) -> dict[str, Json]:
        """What ``list.json`` says. Raises :class:`Malformed` where the folder is no publisher's."""
        raw = read_bounded(self.folder / "list.json", limit=1 << 22)
        document = parse_object(raw, where=str(self.folder / "list.json"))
        if document.get("type") != "OuvrageTrustPublisher":
            raise Malformed(str(self.folder), "not a publisher's folder", code="BAD_TRUST")
        return document

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name: str,
        signers: Sequence[PublicSigner],
        threshold: int,
        online: PublicSigner,
        at: datetime,
    ) -> "Publisher":
        """A new list that trusts nobody; its root awaits signatures. Raises :class:`Malformed`."""
        if len({signer.public for signer in signers}) != len(signers) or not 0 < threshold <= len(signers):
            raise Malformed("--threshold", f"a number from 1 to {len(signers)}, of different signers", code="USAGE")
        self = cls(folder)
        for part in ("issuers", "metadata", "mirrored"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        root = _root(1, name, signers, threshold, online, at)
        settings: dict[str, Json] = {"type": "OuvrageTrustPublisher", "version": 1, "name": name, "mirror": {}}
        write_atomic(folder / "list.json", to_json(settings))
        Bundle(Metadata(root), None, None, {}).save(folder / PENDING)
        return self

    # ---- who is trusted ----------------------------------------------------------------------------------------------

    def issuers(self) -> dict[str, Trust]:
        """Who is on the list, by file name."""
        return {path.name: self._read(path) for path in sorted((self.folder / "issuers").glob("*.json"))}

    def _read(self, path: Path) -> Trust:
        return parse_trust(read_bounded(path, limit=TRUST_LIMITS.size), contexts=CONTEXTS, where=str(path))

    def add(self, entry: bytes, *, mirror: Sequence[str], at: datetime) -> Trust:
        """Put an issuer on the list, or what is new about one that is on it."""
        legal = parse_object(entry, where="issuer entry", limits=TRUST_LIMITS).get("issuer")
        identifier = legal.get("legalIdentifier") if isinstance(legal, dict) else None
        path = self._path(str(identifier))
        held = read_bounded(path, limit=TRUST_LIMITS.size) if path.exists() else empty(at)
        written = add_issuer(held, entry, contexts=CONTEXTS, at=at)
        new = parse_trust(written, contexts=CONTEXTS)
        for name, other in self.issuers().items():
            shared = other.by_method.keys() & new.by_method.keys()
            shared |= other.documents.given.keys() & new.documents.given.keys()
            if name != path.name and shared:
                raise Malformed("issuer entry", "has a key that is another issuer's on this list", code="BAD_TRUST")
        write_atomic(path, written, mode=0o644)
        if mirror:
            self._set_mirror(path.name, list(mirror))
        return new

    def remove(self, legal_identifier: str) -> str:
        """Take an issuer off the list; its name. Raises :class:`Malformed` for one that is not on it."""
        path = self._path(legal_identifier)
        if not path.exists():
            raise Malformed(legal_identifier[:200], "no issuer on this list has this identifier", code="NOT_FOUND")
        name = self._read(path).issuers[0].name
        path.unlink()
        self._set_mirror(path.name, [])
        return name

    def _path(self, legal_identifier: str) -> Path:
        return self.folder / "issuers" / f"{sha256(legal_identifier.encode()).hexdigest()[:32]}.json"

    def mirror(self) -> dict[str, list[str]]:
        """Where each issuer publishes its status lists, by file name."""
        given = self.settings.get("mirror")
        return (
            {name: list(map(str, urls)) for name, urls in given.items() if isinstance(urls, list)}
            if isinstance(given, dict)
            else {}
        )

    def _set_mirror(self, name: str, urls: list[str]) -> None:
        mirror: dict[str, Json] = {each: list[Json](held) for each, held in self.mirror().items() if each != name}
        if urls:
            mirror[name] = list[Json](urls)
        write_atomic(self.folder / "list.json", to_json({**self.settings, "mirror": mirror}))

    # ---- what was published ------------------------------------------------------------------------------------------

    def held(self, role: str) -> Metadata[Any] | None:
        """The metadata of a role as it was last published."""
        path = self.folder / "metadata" / f"{role}.json"
        return Metadata.from_bytes(read_bounded(path, limit=MAX_ROLE)) if path.exists() else None

    def pending(self) -> Bundle | None:
        """What awaits signatures."""
        path = self.folder / PENDING
        return Bundle.parse(read_bounded(path, limit=MAX_ROLE), where=str(path)) if path.exists() else None

    def root(self) -> Metadata[Root]:
        """The root that is to be in force: a new one that awaits signatures, or the last one."""
        pending, held = self.pending(), self.held("root")
        found = pending.root if pending is not None and pending.root is not None else held
        if found is None:
            raise Malformed(str(self.folder), "has no root; start again with trust init", code="BAD_TRUST")
        return found

    def change_root(
        self, *, signers: Sequence[PublicSigner], threshold: int, online: PublicSigner, at: datetime
    ) -> Bundle:
        """A new root with these signers, to be signed by enough of the old and the new ones."""
        if len({signer.public for signer in signers}) != len(signers) or not 0 < threshold <= len(signers):
            raise Malformed("--threshold", f"a number from 1 to {len(signers)}, of different signers", code="USAGE")
        before = self.held("root")
        version = 1 if before is None else before.signed.version + 1
        root = _root(version, str(self.settings["name"]), signers, threshold, online, at)
        bundle = Bundle(Metadata(root), None, before, {})
        bundle.save(self.folder / PENDING)
        return bundle

    # ---- publishing --------------------------------------------------------------------------------------------------

    def prepare(self, *, at: datetime) -> Bundle:
        """What has to be signed by people before the list as it is now can be published; often nothing."""
        pending, root = self.pending(), self.root()
        wanted = self._targets(root.signed, at)
        last = self.held("targets")
        if last is not None and _same(last.signed, wanted) and last.signed.expires - at > RENEW and _holds(root, last):
            targets = None
        elif pending is not None and pending.targets is not None and _same(pending.targets.signed, wanted):
            targets = pending.targets
        else:
            wanted.version = 1 if last is None else last.signed.version + 1
            targets = Metadata(wanted)
        new_root = None if pending is None else pending.root
        files = {} if targets is None else {f"issuers/{name}": raw.decode() for name, raw in self._issuer_files()}
        return Bundle(new_root, targets, self.held("root"), files)

    def _issuer_files(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted((self.folder / "issuers").glob("*.json")):
            yield path.name, read_bounded(path, limit=TRUST_LIMITS.size)

    def _targets(self, root: Root, at: datetime) -> Targets:
        """Who is trusted, for the people to sign; and that the status lists are the online key's to name."""
        (key_id,) = root.roles["timestamp"].keyids
        role = DelegatedRole(LISTS, [key_id], 1, terminating=True, paths=["lists/*"])
        targets = {path: _file(path, raw) for path, raw in (*self._named(), ("vocabulary.json", vocabulary()))}
        delegations = Delegations({key_id: root.keys[key_id]}, {LISTS: role})
        return Targets(1, expires=_end(at, PEOPLE_SIGN_FOR), targets=targets, delegations=delegations)

    def _named(self) -> Iterator[tuple[str, bytes]]:
        for name, raw in self._issuer_files():
            yield f"issuers/{name}", raw

    def publish(
        self, bundle: Bundle, lists: Sequence[Mirrored], *, online: OwnSigner, days: int, at: datetime, out: Path
    ) -> Metadata[Root]:
        """Write the list as static files below ``out``. What people have to sign is signed (:meth:`prepare`)."""
        root = bundle.root or self.root()
        targets = bundle.targets or self.held("targets")
        assert targets is not None
        end = _end(at, timedelta(days=days))
        bodies = {f"lists/{sha256(one.url.encode()).hexdigest()[:32]}.json": one for one in lists}
        wanted = Targets(1, expires=end, targets={path: _list(path, one) for path, one in bodies.items()})
        listed = self._next(LISTS, wanted)
        listed.sign(online.signer)
        meta = {"targets.json": _meta(targets), f"{LISTS}.json": _meta(listed)}
        snapshot = self._next("snapshot", Snapshot(1, expires=end, meta=meta))
        snapshot.sign(online.signer)
        as_of: dict[str, Any] = {AS_OF: format_date_time(at.replace(microsecond=0))}
        newest = Timestamp(1, expires=end, snapshot_meta=_meta(snapshot), unrecognized_fields=as_of)
        timestamp = self._next("timestamp", newest)
        timestamp.sign(online.signer)
        made = {"root": root, "targets": targets, LISTS: listed, "snapshot": snapshot, "timestamp": timestamp}
        files = dict(self._named()) | {path: one.raw for path, one in bodies.items()}
        files["vocabulary.json"] = vocabulary()
        self._write(made, files, out)
        return root

    def _next(self, role: str, wanted: Any) -> Metadata[Any]:
        last = self.held(role)
        wanted.version = 1 if last is None else last.signed.version + 1
        return Metadata(wanted)

    def _write(self, made: Mapping[str, Metadata[Any]], files: Mapping[str, bytes], out: Path) -> None:
        """Files before what names them, and the timestamp last: a mirror that is read meanwhile is the old list."""
        for role, metadata in made.items():
            write_atomic(self.folder / "metadata" / f"{role}.json", metadata.to_bytes(), mode=0o644)
        root = made["root"]
        write_atomic(self.folder / "metadata" / f"{root.signed.version}.root.json", root.to_bytes(), mode=0o644)
        (self.folder / PENDING).unlink(missing_ok=True)
        needed = set()
        for path, raw in files.items():
            folder, _, name = path.rpartition("/")
            target = out / "targets" / folder / f"{sha256(raw).hexdigest()}.{name}"
            needed.add(target)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(target, raw, mode=0o644)
        before = _targets_of(out)
        out.mkdir(parents=True, exist_ok=True)
        for each in sorted((self.folder / "metadata").glob("*.root.json")):
            write_atomic(out / each.name, each.read_bytes(), mode=0o644)
        for role in ("targets", LISTS, "snapshot"):
            raw = made[role].to_bytes()
            write_atomic(out / f"{made[role].signed.version}.{role}.json", raw, mode=0o644)
        write_atomic(out / "timestamp.json", made["timestamp"].to_bytes(), mode=0o644)
        _prune(out, needed | before, made)


def write_zip(out: Path, path: Path) -> None:
    """All of a published list as one file."""
    with atomic_file(path, mode=0o644) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(out.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(out).as_posix())


def _root(
    version: int, name: str, signers: Sequence[PublicSigner], threshold: int, online: PublicSigner, at: datetime
) -> Root:
    people, machine = [signer.key for signer in signers], online.key
    keys = {key.keyid: key for key in (*people, machine)}
    ids = [key.keyid for key in people]
    roles = {
        "root": Role(ids, threshold),
        "targets": Role(list(ids), threshold),
        "snapshot": Role([machine.keyid], 1),
        "timestamp": Role([machine.keyid], 1),
    }
    return Root(
        version, expires=_end(at, PEOPLE_SIGN_FOR), keys=keys, roles=roles, consistent_snapshot=True,
        unrecognized_fields={NAME: name},
    )  # fmt: skip


def _end(at: datetime, after: timedelta) -> datetime:
    return (at + after).replace(microsecond=0)


def _file(path: str, raw: bytes) -> TargetFile:
    return TargetFile(len(raw), {"sha256": sha256(raw).hexdigest()}, path)


def _list(path: str, one: Mirrored) -> TargetFile:
    file = _file(path, one.raw)
    as_of = format_date_time(one.as_of.replace(microsecond=0))
    file.unrecognized_fields["custom"] = {"url": one.url, "asOf": as_of, "kind": one.kind}
    return file


def _meta(metadata: Metadata[Any]) -> MetaFile:
    raw = metadata.to_bytes()
    return MetaFile(metadata.signed.version, len(raw), {"sha256": sha256(raw).hexdigest()})


def _same(held: Targets, wanted: Targets) -> bool:
    return bool(held.targets == wanted.targets and held.delegations == wanted.delegations)


def _holds(root: Metadata[Root], targets: Metadata[Targets]) -> bool:
    return bool(root.signed.get_verification_result("targets", targets.signed_bytes, targets.signatures))


def _targets_of(out: Path) -> set[Path]:
    """The files of the list that is published now: who is reading it is not to be cut off."""
    try:
        timestamp = Metadata[Timestamp].from_bytes(read_bounded(out / "timestamp.json", limit=MAX_ROOT)).signed
        snapshot = (
            Metadata[Snapshot]
            .from_bytes(read_bounded(out / f"{timestamp.snapshot_meta.version}.snapshot.json", limit=MAX_ROOT))
            .signed
        )
        found: set[Path] = set()
        for role in ("targets", LISTS):
            raw = read_bounded(out / f"{snapshot.meta[f'{role}.json'].version}.{role}.json", limit=MAX_ROLE)
            for path, file in Metadata[Targets].from_bytes(raw).signed.targets.items():
                folder, _, name = path.rpartition("/")
                found.add(out / "targets" / folder / f"{file.hashes['sha256']}.{name}")
    except (Malformed, KeyError):
        return set()
    return found


def _prune(out: Path, needed: Iterable[Path], made: Mapping[str, Metadata[Any]]) -> None:
    kept = set(needed)
    for path in (out / "targets").rglob("*.json"):
        if path not in kept:
            path.unlink(missing_ok=True)
    for role in ("targets", LISTS, "snapshot"):
        for path in out.glob(f"*.{role}.json"):
            number = path.name.split(".")[0]
            if number.isdigit() and int(number) < made[role].signed.version - 1:
                path.unlink(missing_ok=True)
