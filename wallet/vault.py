"""The vault: one SQLite file in which only the worker can read, and which shows when anything in it was changed.

It says its format version, the number of items and their sizes to the next 512 bytes; not what they are, nor their
kinds. A sealed *manifest* lists every item with the digest of its sealed row, so that a row deleted, swapped, or put
back as it was earlier is seen. A row that the manifest does not list does not exist. An older copy of the *whole* file
is a vault like any other: no file can tell its own age.

Every change is one SQLite transaction. A rollback journal, not a write-ahead log: after each change the one file is
complete again, and a copy of it is a copy of everything. What is deleted is overwritten with zeros in the file; what
the disk itself keeps of it is unreadable, because sealed. Python cannot wipe a key from memory.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from vc.canon import Json, Limits, parse_json, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.io.files import atomic_file
from vc.sealing import KEY_BYTES, Cost, Rand, check_passphrase, digest
from wallet.sealing import DEFAULT_COST, OPENER, Slot, seal, unseal
from wallet.vaultfile import MAX_ROW, build, connect, damaged, read_slot, require_file, run, write_slot

PATIENCE: Final = 10.0  # seconds that a change waits for another program's; its own takes milliseconds
MAX_ITEMS: Final = 50_000  # a five-year driver has 180 credentials, of some ten copies and a key each
MAX_ITEM: Final = 4 << 20  # bytes; a credential has 10 KB, one with a photo in it 1 MB
MAX_KIND: Final = 40  # characters
ID_BYTES: Final = 16

_MANIFEST: Final = b"manifest"
_ITEM_LIMITS: Final = Limits(size=MAX_ITEM, depth=64)
_MANIFEST_LIMITS: Final = Limits(size=MAX_ROW, depth=3)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the vault: a credential, a key, a line of the ledger. ``id`` is 16 random bytes, ``body`` JSON."""

    id: bytes
    kind: str
    body: Json = field(repr=False)  # it may be a secret key

    @classmethod
    def new(cls, kind: str, body: Json, *, rand: Rand) -> Self:
        """An item that no vault holds yet."""
        return cls(rand(ID_BYTES), kind, body)


class _Entry(NamedTuple):
    """A line of the manifest. The kind stands here too, so that listing credentials does not unseal keys."""

    digest: bytes
    kind: str


_Manifest = dict[bytes, _Entry]  # by item id, in the order in which the items came


class Vault:
    """An open vault. :meth:`create` or :meth:`open` it, in a ``with`` statement; one thread uses it at a time.

    Any method may raise :class:`Malformed` ``VAULT_DAMAGED``, and :class:`Undetermined` ``VAULT_BUSY`` (another
    program is writing), ``VAULT_UNAVAILABLE`` (full disk, read-only) or ``VAULT_REKEYED`` (the passphrase was changed
    meanwhile). After an error the vault is as it was before.
    """

    __slots__ = ("_db", "_inside", "_key", "_path", "_rand", "_slot")

    def __init__(self, path: Path, db: sqlite3.Connection, *, slot: Slot, key: bytes, rand: Rand) -> None:
        self._path = path
        self._db = db
        self._slot = slot
        self._key = key
        self._rand = rand
        self._inside = False

    @classmethod
    def create(cls, path: Path, passphrase: bytes, *, rand: Rand, cost: Cost = DEFAULT_COST) -> Self:
        """A new, empty vault: a file for its owner only, that is there whole or not at all.

        Raises :class:`Rejected` ``WEAK_PASSPHRASE``, :class:`Malformed` ``FILE_EXISTS``, :class:`Undetermined`
        ``CANNOT_WRITE``.
        """
        check_passphrase(passphrase)
        if Path(f"{path}-journal").exists():
            raise Malformed(f"{path}-journal", "is left from another vault; move it away", code="FILE_EXISTS")
        key = rand(KEY_BYTES)
        slot = Slot.wrap(OPENER, key, passphrase, cost=cost, rand=rand)
        with atomic_file(path, replace=False) as temporary:
            build(temporary, slot, seal(_pack_manifest({}), key=key, place=_MANIFEST, rand=rand))
        return cls(path, connect(path, PATIENCE), slot=slot, key=key, rand=rand)

    @classmethod
    def open(cls, path: Path, passphrase: bytes, *, rand: Rand, patience: float = PATIENCE) -> Self:
        """Open a vault and check every row of it. Costs one Argon2id. ``patience``: seconds to wait for other programs.

        Raises :class:`Rejected` ``WRONG_PASSPHRASE``, :class:`Malformed` ``NO_VAULT``, ``NOT_A_VAULT`` or
        ``VAULT_DAMAGED``, :class:`Unsupported` ``VAULT_NEWER``.
        """
        require_file(path)
        db = connect(path, patience)
        try:
            slot = read_slot(db, path)
            vault = cls(path, db, slot=slot, key=_unlock(slot, passphrase), rand=rand)
            vault._check_whole()
        except BaseException:
            db.close()
            raise
        return vault

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the key. What is not committed is undone."""
        self._db.close()
        self._key = b""

    def items(self, kind: str) -> tuple[Item, ...]:
        """All items of a kind, oldest first, as of one moment. Only these are unsealed."""
        with self._transaction("DEFERRED"):
            listed = self._manifest()
            return tuple(self._unpack(key, listed[key]) for key in listed if listed[key].kind == kind)

    def put(self, items: Sequence[Item]) -> None:
        """Add new items, all or none; on the disk when this returns. :class:`Rejected` ``ITEM_EXISTS``."""
        with self.transaction():
            listed = self._manifest()
            for item in items:
                if item.id in listed:
                    raise Rejected((Finding("ITEM_EXISTS", "the vault already holds this item"),))
                listed[item.id] = self._pack(item)
            self._keep(listed)

    def replace(self, items: Sequence[Item]) -> None:
        """Put items in the place of those with the same ids, all or none. :class:`Rejected` ``ITEM_GONE``.

        Who decides by what an item says now, reads and replaces it inside one :meth:`transaction`.
        """
        with self.transaction():
            listed = self._manifest()
            for item in items:
                if item.id not in listed:
                    raise Rejected((Finding("ITEM_GONE", "the vault no longer holds this item"),))
                listed[item.id] = self._pack(item)
            self._keep(listed)

    def delete(self, ids: Sequence[bytes]) -> None:
        """Remove items, all or none; ids that are not there are no error."""
        with self.transaction():
            listed = self._manifest()
            for key in ids:
                if listed.pop(key, None) is not None:
                    self._run("DELETE FROM item WHERE id = ?", key)
            self._keep(listed)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all reads and changes inside one: kept together at the end, or none of them; nobody writes between.

        Other programs wait meanwhile: ask the worker before, not inside. An error inside undoes everything, even one
        that is caught inside.
        """
        with self._transaction("IMMEDIATE"):
            yield

    def change_passphrase(self, new: bytes, *, cost: Cost = DEFAULT_COST) -> None:
        """Seal everything again under a new vault key, which only ``new`` opens. :class:`Rejected` ``WEAK_PASSPHRASE``.

        A stolen older copy and the old passphrase then say nothing of what comes later. Not inside a transaction.
        """
        if self._inside:
            raise RuntimeError("a passphrase is changed outside of transactions")
        check_passphrase(new)
        key = self._rand(KEY_BYTES)
        slot = Slot.wrap(OPENER, key, new, cost=cost, rand=self._rand)  # slow, so before the others have to wait
        with self.transaction():
            self._reseal(key, slot)
        self._key, self._slot = key, slot

    def _reseal(self, key: bytes, slot: Slot) -> None:
        fresh = {
            name: self._store(name, entry.kind, self._unsealed(name, entry), key)
            for name, entry in self._manifest().items()
        }
        self._run("DELETE FROM slot")  # every slot: they wrap the old key
        write_slot(self._db, self._path, slot)
        self._keep(fresh, key)

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[None]:
        outermost = self._begin(mode)
        try:
            yield
            if outermost:
                self._commit()
        except BaseException:
            self._undo()
            raise
        finally:
            if outermost:
                self._inside = False

    def _begin(self, mode: str) -> bool:
        """Begin, and tell so; or join the transaction under way."""
        if self._inside:
            self._require_alive()
            return False
        self._run(f"BEGIN {mode}")
        self._inside = True
        return True

    def _commit(self) -> None:
        self._require_alive()
        self._run("COMMIT")

    def _require_alive(self) -> None:
        """An error caught inside a transaction must not let its other half be kept."""
        if not self._db.in_transaction:
            raise Undetermined(
                "nothing was changed in the vault", "a part of the change failed", code="VAULT_UNCHANGED"
            )

    def _undo(self) -> None:
        if self._db.in_transaction:
            with suppress(sqlite3.Error):  # then the journal undoes it at the next opening
                self._db.execute("ROLLBACK")

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return run(self._db, self._path, statement, *values)

    def _manifest(self) -> _Manifest:
        rows = self._run("SELECT sealed FROM manifest LIMIT 1")
        plaintext = unseal(rows[0][0], key=self._key, place=_MANIFEST) if rows else None
        if plaintext is None:
            if read_slot(self._db, self._path) != self._slot:
                raise Undetermined("the passphrase was changed meanwhile", "open the vault again", code="VAULT_REKEYED")
            raise self._damaged("its list of items has changed")
        return _parse_manifest(plaintext)

    def _keep(self, listed: _Manifest, key: bytes | None = None) -> None:
        if len(listed) > MAX_ITEMS:
            raise Malformed(str(self._path), f"a vault holds {MAX_ITEMS} items at most", code="TOO_LARGE")
        sealed = seal(_pack_manifest(listed), key=key or self._key, place=_MANIFEST, rand=self._rand)
        self._run("INSERT OR REPLACE INTO manifest VALUES (1, ?)", sealed)

    def _pack(self, item: Item) -> _Entry:
        """Store an item's row; what could not be read again is refused as :class:`Malformed`."""
        if len(item.id) != ID_BYTES or not 0 < len(item.kind) <= MAX_KIND:
            raise Malformed("item", "needs an id of 16 bytes and a short kind", code="BAD_ITEM")
        plaintext = to_json({"kind": item.kind, "body": item.body})
        parse_json(plaintext, where=f"item of kind {item.kind}", limits=_ITEM_LIMITS)
        return self._store(item.id, item.kind, plaintext, self._key)

    def _store(self, name: bytes, kind: str, plaintext: bytes, key: bytes) -> _Entry:
        sealed = seal(plaintext, key=key, place=_item_place(name), rand=self._rand)
        self._run("INSERT OR REPLACE INTO item VALUES (?, ?)", name, sealed)
        return _Entry(digest(sealed), kind)

    def _unpack(self, name: bytes, entry: _Entry) -> Item:
        match parse_json(self._unsealed(name, entry), limits=_ITEM_LIMITS):
            case {"kind": str(kind), "body": body}:
                return Item(name, kind, body)
        raise self._damaged("an item is not readable")

    def _unsealed(self, name: bytes, entry: _Entry) -> bytes:
        plaintext = unseal(self._sealed(name, entry), key=self._key, place=_item_place(name))
        if plaintext is None:
            raise self._damaged("an item cannot be opened")
        return plaintext

    def _sealed(self, name: bytes, entry: _Entry) -> bytes:
        rows = self._run("SELECT sealed FROM item WHERE id = ?", name)
        if not rows:
            raise self._damaged("an item is missing")
        sealed = rows[0][0]
        if not isinstance(sealed, bytes) or digest(sealed) != entry.digest:
            raise self._damaged("an item has changed")
        return sealed

    def _check_whole(self) -> None:
        """Every row is the one that the manifest lists. Nothing is unsealed but the manifest."""
        with self._transaction("DEFERRED"):
            for name, entry in self._manifest().items():
                self._sealed(name, entry)

    def _damaged(self, why: str) -> Malformed:
        return damaged(self._path, why)


def _item_place(name: bytes) -> bytes:
    return b"item" + name


def _pack_manifest(listed: _Manifest) -> bytes:
    return to_json([[name.hex(), entry.digest.hex(), entry.kind] for name, entry in listed.items()])


def _parse_manifest(plaintext: bytes) -> _Manifest:
    """No check of its form: it opened under the vault key, so it is what :func:`_pack_manifest` made."""
    lines: Any = parse_json(plaintext, limits=_MANIFEST_LIMITS)
    return {bytes.fromhex(name): _Entry(bytes.fromhex(digest_), kind) for name, digest_, kind in lines}


def _unlock(slot: Slot, passphrase: bytes) -> bytes:
    key = slot.unwrap(passphrase)
    if key is None:
        raise Rejected((Finding("WRONG_PASSPHRASE", "the passphrase is wrong"),))
    return key
