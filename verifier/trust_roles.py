"""The signed metadata of a trust list (The Update Framework 1.0): read, bounded, and verified one after the other.

The steps are those of its client workflow (§5.3 to §5.6). python-tuf reads the metadata and counts the signatures;
the clock is an argument, nothing is fetched and nothing is kept here. Whatever does not hold is refused, and the last
list that did hold stays in force.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeVar

from tuf.api.exceptions import LengthOrHashMismatchError, RepositoryError, UnsignedMetadataError
from tuf.api.metadata import (  # type: ignore[attr-defined]
    Metadata,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError

from vc.canon import Limits, parse_object
from vc.errors import Finding, Malformed, Rejected
from vc.model import parse_date_time

MAX_ROOT: Final = 1 << 18  # bytes; a root with thirty signers has 10 KB
MAX_SMALL: Final = 1 << 16  # timestamp and snapshot have 1 KB each
MAX_ROLE: Final = 16 << 20  # 10 000 issuers take 3 MB, 24 000 status lists 7 MB
MAX_ROOTS: Final = 256  # roots that one sync follows; a new one each month for twenty years
MAX_FILE: Final = 16 << 20  # one file of the list: an issuer, or a status list of 4 MB in base64 of base64

LISTS: Final = "lists"  # the role that names the status lists, signed by the machine that mirrors them
AS_OF: Final = "x-ouvrage-as-of"
NAME: Final = "x-ouvrage-name"

_PATH: Final = re.compile(r"(?:(?:issuers|lists)/[0-9a-z]{1,64}|vocabulary)\.json\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True, slots=True)
class Published:
    """One state of a trust list, verified whole: who may sign, as of when, and which files belong to it."""

    raw: Mapping[str, bytes]  # of root, timestamp, snapshot, targets and lists
    root: Root
    timestamp: Timestamp
    roles: tuple[Signed, ...]  # snapshot, targets, lists
    targets: Mapping[str, TargetFile]

    @property
    def as_of(self) -> datetime:
        """When its publisher last said that this is the newest. Raises :class:`Malformed`."""
        return parse_date_time(self.timestamp.unrecognized_fields.get(AS_OF), where=f"timestamp.json/{AS_OF}")

    @property
    def name(self) -> str:
        """What its publisher calls itself."""
        return str(self.root.unrecognized_fields.get(NAME, ""))[:200]


def refused(code: str, message: str) -> Rejected:
    """The refusal of a list, with one finding."""
    return Rejected((Finding(code, message),))


def read_root(raw: bytes) -> Metadata[Root]:
    """A root that its own signers have signed (§5.2): it is as good as whatever says that it is the right one."""
    root = _read(Root, raw, "root.json", MAX_ROOT)
    _check_signed(root, root.signed, "root")
    return root


def next_root(before: Metadata[Root], raw: bytes) -> Metadata[Root]:
    """The root that follows another (§5.3.4, §5.3.5): signed by enough of the old signers and of the new."""
    root = _read(Root, raw, "root.json", MAX_ROOT)
    _check_signed(root, before.signed, "root")
    _check_signed(root, root.signed, "root")
    if root.signed.version != before.signed.version + 1:
        raise refused("TRUST_ROLLED_BACK", "the list's signers are said to be older than they are")
    return root


def check_in_force(signed: Signed, at: datetime, what: str) -> None:
    """§5.3.10, §5.4.4, §5.5.6, §5.6.5: nothing that has ended is believed, whoever signed it."""
    if signed.is_expired(at):
        raise refused(
            "TRUST_EXPIRED",
            f"{what} ended on {signed.expires:%Y-%m-%d}: its publisher has not renewed it, or this copy is an old one",
        )


def read_timestamp(raw: bytes, *, root: Root, held: bytes | None, at: datetime) -> Timestamp:
    """§5.4: what the newest state is. ``held`` is the one that is in force here; never back behind it."""
    timestamp = _read(Timestamp, raw, "timestamp.json", MAX_SMALL)
    _check_signed(timestamp, root, "timestamp")
    new = timestamp.signed
    if held is not None:
        old = _read(Timestamp, held, "timestamp.json", MAX_SMALL).signed
        if new.version < old.version or new.snapshot_meta.version < old.snapshot_meta.version:
            raise refused("TRUST_ROLLED_BACK", "the list is older than the one that is held here")
        if new.version == old.version and raw != held:
            raise refused("TRUST_ROLLED_BACK", "two different lists are said to be the same one")
    check_in_force(new, at, "the list")
    return new


def read_snapshot(raw: bytes, *, root: Root, timestamp: Timestamp, held: bytes | None, at: datetime) -> Snapshot:
    """§5.5: which files belong together; no part of it back behind what is held."""
    meta = timestamp.snapshot_meta
    _check_bytes(lambda: meta.verify_length_and_hashes(raw), bool(meta.hashes))
    snapshot = _read(Snapshot, raw, "snapshot.json", MAX_SMALL)
    _check_signed(snapshot, root, "snapshot")
    new = snapshot.signed
    if new.version != meta.version:
        raise _mixed()
    if held is not None:
        for name, old in _read(Snapshot, held, "snapshot.json", MAX_SMALL).signed.meta.items():
            if name not in new.meta or new.meta[name].version < old.version:
                raise refused("TRUST_ROLLED_BACK", "a part of the list is older than the one that is held here")
    check_in_force(new, at, "the list")
    return new


def read_targets(raw: bytes, *, role: str, by: Root | Targets, snapshot: Snapshot, at: datetime) -> Targets:
    """§5.6: the files of one role, signed by whoever ``by`` says."""
    meta = snapshot.meta.get(f"{role}.json")
    if meta is None:
        raise _mixed()
    _check_bytes(lambda: meta.verify_length_and_hashes(raw), bool(meta.hashes))
    targets = _read(Targets, raw, f"{role}.json", MAX_ROLE)
    _check_signed(targets, by, role)
    if targets.signed.version != meta.version:
        raise _mixed()
    check_in_force(targets.signed, at, "the list of issuers" if role == "targets" else "the list of status lists")
    return targets.signed


def files_of(targets: Targets, lists: Targets) -> Mapping[str, TargetFile]:
    """The files of both roles, each only where its signers may speak (§5.6.7). Raises :class:`Rejected`."""
    found: dict[str, TargetFile] = {}
    for role, place in ((targets, False), (lists, True)):
        for path, file in role.targets.items():
            digest = file.hashes.get("sha256", "")
            named = _PATH.match(path) and _DIGEST.match(digest)
            if not named or path.startswith("lists/") is not place or not 0 < file.length <= MAX_FILE:
                raise refused("TRUST_UNSIGNED", "somebody has signed for what is not theirs to sign")
            found[path] = file
    return found


def check_file(raw: bytes, file: TargetFile) -> None:
    """A file is the one that was signed for. Raises :class:`Rejected`."""
    _check_bytes(lambda: file.verify_length_and_hashes(raw), True)


def digest(raw: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return sha256(raw).hexdigest()


def _read(kind: type[S], raw: bytes, where: str, limit: int) -> Metadata[S]:
    parse_object(raw, where=where, limits=Limits(size=limit))  # bounded, and each name once
    try:
        read = Metadata[S].from_bytes(raw)
    except (DeserializationError, RepositoryError, ValueError, TypeError, KeyError, AttributeError):
        raise Malformed(where, "not the metadata of a trust list", code="BAD_TRUST") from None
    if not isinstance(read.signed, kind):
        raise Malformed(where, "the metadata of something else", code="BAD_TRUST")
    return read


def _check_signed(given: Metadata[S], by: Root | Targets, role: str) -> None:
    try:
        by.verify_delegate(role, given.signed_bytes, given.signatures)
    except UnsignedMetadataError:
        raise refused("TRUST_UNSIGNED", f"too few of those who have to sign the list have signed its {role}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Malformed(f"{role}.json", "signed in a way that cannot be read", code="BAD_TRUST") from None


def _check_bytes(check: Callable[[], None], hashed: bool) -> None:
    try:
        check()
    except LengthOrHashMismatchError:
        raise _mixed() from None
    if not hashed:
        raise _mixed()


def _mixed() -> Rejected:
    return refused("TRUST_MIXED", "files of the list do not belong together: it is half-written, or was tampered with")
