"""The vault: one SQLite file in which only the worker can read, and which shows when anything in it was changed.

It says its format version, the number of items and their sizes to the next 512 bytes; not what they are, nor their
kinds. A sealed *manifest* lists every item with the digest of its sealed row, so that a row deleted, swapped, or put
back as it was earlier is seen. A row that the manifest does not list does not exist. An older copy of the *whole* file
is a vault like any other: no file can tell its own age. The manifest counts changes, so that a mark kept elsewhere
(:mod:`wallet.mark`) can tell it.

Every change is one SQLite transaction. A rollback journal, not a write-ahead log: after each change the one file is
complete again, and a copy of it is a copy of everything. What is deleted is overwritten with zeros in the file; what
the disk itself keeps of it is unreadable, because sealed. Python cannot wipe a key from memory.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any, Final, Self

from vc.canon import Json, Limits, parse_json, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.io.files import atomic_file
from vc.sealing import KEY_BYTES, Cost, Rand, check_passphrase, digest
from wallet import manifest
from wallet.manifest import Age, Entry, Manifest
from wallet.sealing import DEFAULT_COST, OPENER, Opener, Slot, passphrase_slot, seal, unlock, unseal
from wallet.upgrades import drop_kept, upgrade
from wallet.vaultfile import build, connect, damaged, read_slots, require_file, run, write_slots

PATIENCE: Final = 10.0  # seconds that a change waits for another program's; its own takes milliseconds
MAX_ITEMS: Final = 50_000  # a five-year driver has 180 credentials, of some ten copies and a key each
MAX_ITEM: Final = 4 << 20  # bytes; a credential has 10 KB, one with a photo in it 1 MB
MAX_KIND: Final = 40  # characters
ID_BYTES: Final = 16

_OPENER_KIND: Final = "opener"  # items that say for whom a new vault key is wrapped
_ITEM_LIMITS: Final = Limits(size=MAX_ITEM, depth=64)


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


_Openers = dict[str, tuple[Opener, dict[str, Json]]]
_Changed = Mapping[str, tuple[Opener, dict[str, Json]] | None]
_NOTHING: Final[_Changed] = MappingProxyType({})


class Vault:
    """An open vault. :meth:`create` or :meth:`open` it, in a ``with`` statement; threads wait for each other's changes.

    Any method may raise :class:`Malformed` ``VAULT_DAMAGED``, and :class:`Undetermined` ``VAULT_BUSY`` (another
    program is writing), ``VAULT_UNAVAILABLE`` (full disk, read-only), ``VAULT_REKEYED`` (the passphrase was changed
    meanwhile) or ``VAULT_CLOSED``. After an error the vault is as it was before.
    """

    __slots__ = ("_db", "_inside", "_key", "_lock", "_path", "_rand", "_slot", "_stretched")

    def __init__(
        self, path: Path, db: sqlite3.Connection, *, slot: Slot, stretched: bytes, key: bytes, rand: Rand
    ) -> None:
        self._path = path
        self._db = db
        self._slot = slot  # the one that it was opened by
        self._stretched = stretched  # what opens that slot; the passphrase itself is not kept
        self._key = key
        self._rand = rand
        self._inside, self._lock = False, RLock()

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
        slot, stretched = passphrase_slot(key, passphrase, cost=cost, rand=rand)
        empty = Manifest(Age(0, rand(KEY_BYTES)), {})
        with atomic_file(path, replace=False) as temporary:
            build(temporary, [slot], (), lambda: seal(manifest.pack(empty), key=key, place=manifest.PLACE, rand=rand))
        return cls(path, connect(path, PATIENCE), slot=slot, stretched=stretched, key=key, rand=rand)

    @classmethod
    def open(cls, path: Path, secret: bytes, *, rand: Rand, by: str = OPENER, patience: float = PATIENCE) -> Self:
        """Open a vault and check every row of it; one of an earlier format becomes one of this. Costs one Argon2id.

        ``secret`` is the passphrase, or what the 24 words or the guardians' shares say, as ``by`` tells; ``patience``
        are seconds to wait for other programs. Raises :class:`Rejected` ``WRONG_PASSPHRASE``, ``WRONG_WORDS`` or
        ``WRONG_SHARES``, :class:`Malformed` ``NO_VAULT``, ``NOT_A_VAULT`` or ``VAULT_DAMAGED``, :class:`Unsupported`
        ``VAULT_NEWER``.
        """
        require_file(path)
        db = connect(path, patience)
        try:
            return cls._opened(path, db, unlock(read_slots(db, path), secret, by=by), rand)
        except BaseException:
            db.close()
            raise

    @classmethod
    def reopen(cls, path: Path, unlocked: tuple[Slot, bytes, bytes], *, rand: Rand) -> Self:
        """:meth:`open` by what :func:`wallet.sealing.unlock` gave for the same slots; costs no Argon2id."""
        db = connect(path, PATIENCE)
        try:
            return cls._opened(path, db, unlocked, rand)
        except BaseException:
            db.close()
            raise

    @classmethod
    def _opened(cls, path: Path, db: sqlite3.Connection, unlocked: tuple[Slot, bytes, bytes], rand: Rand) -> Self:
        slot, stretched, key = unlocked
        upgrade(db, path, key=key, rand=rand)
        vault = cls(path, db, slot=slot, stretched=stretched, key=key, rand=rand)
        vault._check_whole()
        drop_kept(path)
        return vault

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the key. What is not committed is undone."""
        with self._lock:
            self._db.close()
            self._key = self._stretched = b""

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def age(self) -> Age:
        """How many changes it has seen."""
        with self._transaction("DEFERRED"):
            return self._manifest().age

    def items(self, kind: str) -> tuple[Item, ...]:
        """All items of a kind, oldest first, as of one moment. Only these are unsealed."""
        with self._transaction("DEFERRED"):
            listed = self._manifest().items
            return tuple(self._unpack(key, listed[key]) for key in listed if listed[key].kind == kind)

    def put(self, items: Sequence[Item]) -> None:
        """Add new items, all or none; on the disk when this returns. :class:`Rejected` ``ITEM_EXISTS``."""
        with self.transaction():
            listed = self._manifest()
            for item in items:
                if item.id in listed.items:
                    raise Rejected((Finding("ITEM_EXISTS", "the vault already holds this item"),))
                listed.items[item.id] = self._pack(item)
            self._keep(listed)

    def replace(self, items: Sequence[Item]) -> None:
        """Put items in the place of those with the same ids, all or none. :class:`Rejected` ``ITEM_GONE``.

        Who decides by what an item says now, reads and replaces it inside one :meth:`transaction`.
        """
        with self.transaction():
            listed = self._manifest()
            for item in items:
                if item.id not in listed.items:
                    raise Rejected((Finding("ITEM_GONE", "the vault no longer holds this item"),))
                listed.items[item.id] = self._pack(item)
            self._keep(listed)

    def delete(self, ids: Sequence[bytes]) -> None:
        """Remove items, all or none; ids that are not there are no error."""
        with self.transaction():
            listed = self._manifest()
            for key in ids:
                if listed.items.pop(key, None) is not None:
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

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Make all reads inside as of one moment. Nobody has to wait, and the file may be read-only."""
        with self._transaction("DEFERRED"):
            yield

    def change_passphrase(self, new: bytes, *, cost: Cost = DEFAULT_COST) -> None:
        """Seal everything again under a new vault key, which ``new`` opens. :class:`Rejected` ``WEAK_PASSPHRASE``.

        A stolen older copy and the old passphrase then say nothing of what comes later. The words and the guardians
        stay as they are: they open the new key too. Not inside a transaction.
        """
        check_passphrase(new)
        self._rekey(lambda key: passphrase_slot(key, new, cost=cost, rand=self._rand))  # slow: before others wait

    def let_in(self, opener: Opener, *, about: dict[str, Json]) -> None:
        """Let new words or new guardians open the vault, in the place of earlier ones; ``about`` is kept with them.

        Everything is sealed again under a new vault key, so that with the earlier ones even an older copy of the file
        says nothing of what comes later. Not inside a transaction.
        """
        self._rekey(self._same_passphrase, {opener.kind: (opener, about)})

    def shut_out(self, kind: str) -> bool:
        """End the words or the guardians, as :meth:`let_in` ends earlier ones; whether there were any."""
        there = kind in self.openers()
        if there:
            self._rekey(self._same_passphrase, {kind: None})
        return there

    def openers(self) -> dict[str, dict[str, Json]]:
        """Who else opens the vault, by kind, and what was kept about them."""
        return {kind: about for kind, (_, about) in self._openers().items()}

    def _openers(self) -> _Openers:
        return {
            str(body["kind"]): (
                Opener(str(body["kind"]), bytes.fromhex(str(body["salt"])), bytes.fromhex(str(body["public"]))),
                body["about"],
            )
            for body in self._opener_bodies()
        }

    def _opener_bodies(self) -> list[dict[str, Any]]:
        """No check of their form: they opened under the vault key."""
        return [dict(item.body) for item in self.items(_OPENER_KIND) if isinstance(item.body, dict)]

    def _same_passphrase(self, key: bytes) -> tuple[Slot, bytes]:
        if self._slot.kind != OPENER:
            raise RuntimeError("a vault opened without its passphrase needs a new one first")
        return self._slot.rewrapped(key, self._stretched, rand=self._rand), self._stretched

    def _rekey(self, wrap: Callable[[bytes], tuple[Slot, bytes]], changed: _Changed = _NOTHING) -> None:
        with self._lock:
            if self._inside:
                raise RuntimeError("the vault key is changed outside of transactions")
            key = self._rand(KEY_BYTES)
            slot, stretched = wrap(key)
            with self.transaction():
                openers = {kind: one for kind, one in {**self._openers(), **changed}.items() if one is not None}
                slots = [slot, *(opener.wrap(key, rand=self._rand) for opener, _ in openers.values())]
                self._reseal(key, slots, openers)
            self._key, self._slot, self._stretched = key, slot, stretched

    def _reseal(self, key: bytes, slots: Sequence[Slot], openers: _Openers) -> None:
        listed = self._manifest()
        for name in [name for name, entry in listed.items.items() if entry.kind == _OPENER_KIND]:
            del listed.items[name]
            self._run("DELETE FROM item WHERE id = ?", name)
        for name, entry in listed.items.items():
            listed.items[name] = self._store(name, entry.kind, self._unsealed(name, entry), key)
        checksums = {slot.kind: slot.checksum().hex() for slot in slots}
        for kind, (opener, about) in openers.items():
            body: dict[str, Json] = {
                "kind": kind,
                "salt": opener.salt.hex(),
                "public": opener.public.hex(),
                "slot": checksums[kind],
                "about": about,
            }
            item = Item.new(_OPENER_KIND, body, rand=self._rand)
            listed.items[item.id] = self._pack(item, key)
        write_slots(self._db, self._path, slots)
        self._keep(listed, key)

    # --- copies of everything

    def slots(self) -> tuple[Slot, ...]:
        """What opens the vault."""
        return tuple(read_slots(self._db, self._path).values())

    def unlocked(self) -> tuple[Slot, bytes, bytes]:
        """What :meth:`reopen` takes."""
        return self._slot, self._stretched, self._key

    def ids(self) -> tuple[bytes, ...]:
        """The ids of all items, in the order of the manifest."""
        with self.reading():
            return tuple(self._manifest().items)

    def opens(self, slots: Sequence[Slot]) -> bool:
        """Whether these are slots of this vault, and what opened it opens them to its key."""
        own = [slot for slot in slots if slot.kind == self._slot.kind]
        return tuple(slots) == self.slots() and [slot.open(self._stretched) for slot in own] == [self._key]

    def everything(self) -> Iterator[tuple[bytes, bytes]]:
        """Each item's id and its plaintext, in the order of the manifest. Use it inside :meth:`reading`."""
        for name, entry in self._manifest().items.items():
            yield name, self._unsealed(name, entry)

    @classmethod
    def rebuild(
        cls,
        path: Path,
        items: Iterable[tuple[bytes, bytes]],
        *,
        slots: Sequence[Slot],
        key: bytes,
        age: Age,
        rand: Rand,
    ) -> None:
        """Fill the empty file ``path`` with what :meth:`everything` gave."""
        listed = Manifest(age, {})

        def rows() -> Iterator[tuple[bytes, bytes]]:
            for name, plaintext in items:
                sealed = seal(plaintext, key=key, place=_item_place(name), rand=rand)
                listed.items[name] = Entry(digest(sealed), _parse_item(name, plaintext).kind)
                yield name, sealed

        build(path, slots, rows(), lambda: seal(manifest.pack(listed), key=key, place=manifest.PLACE, rand=rand))

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[None]:
        with self._lock:
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

    def _manifest(self) -> Manifest:
        rows = self._run("SELECT sealed FROM manifest LIMIT 1")
        plaintext = unseal(rows[0][0], key=self._key, place=manifest.PLACE) if rows else None
        if plaintext is None:
            if read_slots(self._db, self._path).get(self._slot.kind) != self._slot:
                raise Undetermined("the passphrase was changed meanwhile", "open the vault again", code="VAULT_REKEYED")
            raise self._damaged("its list of items has changed")
        return manifest.parse(plaintext)

    def _keep(self, listed: Manifest, key: bytes | None = None) -> None:
        if len(listed.items) > MAX_ITEMS:
            raise Malformed(str(self._path), f"a vault holds {MAX_ITEMS} items at most", code="TOO_LARGE")
        listed.age = Age(listed.age.changes + 1, listed.age.series)
        sealed = seal(manifest.pack(listed), key=key or self._key, place=manifest.PLACE, rand=self._rand)
        self._run("INSERT OR REPLACE INTO manifest VALUES (1, ?)", sealed)

    def _pack(self, item: Item, key: bytes | None = None) -> Entry:
        """Store an item's row; what could not be read again is refused as :class:`Malformed`."""
        if len(item.id) != ID_BYTES or not 0 < len(item.kind) <= MAX_KIND:
            raise Malformed("item", "needs an id of 16 bytes and a short kind", code="BAD_ITEM")
        plaintext = to_json({"kind": item.kind, "body": item.body})
        parse_json(plaintext, where=f"item of kind {item.kind}", limits=_ITEM_LIMITS)
        return self._store(item.id, item.kind, plaintext, key or self._key)

    def _store(self, name: bytes, kind: str, plaintext: bytes, key: bytes) -> Entry:
        sealed = seal(plaintext, key=key, place=_item_place(name), rand=self._rand)
        self._run("INSERT OR REPLACE INTO item VALUES (?, ?)", name, sealed)
        return Entry(digest(sealed), kind)

    def _unpack(self, name: bytes, entry: Entry) -> Item:
        return _parse_item(name, self._unsealed(name, entry))

    def _unsealed(self, name: bytes, entry: Entry) -> bytes:
        plaintext = unseal(self._sealed(name, entry), key=self._key, place=_item_place(name))
        if plaintext is None:
            raise self._damaged("an item cannot be opened")
        return plaintext

    def _sealed(self, name: bytes, entry: Entry) -> bytes:
        rows = self._run("SELECT sealed FROM item WHERE id = ?", name)
        if not rows:
            raise self._damaged("an item is missing")
        sealed = rows[0][0]
        if not isinstance(sealed, bytes) or digest(sealed) != entry.digest:
            raise self._damaged("an item has changed")
        return sealed

    def _check_whole(self) -> None:
        """Every row is the one that the manifest lists, every slot one that was made here. Few are unsealed."""
        with self._transaction("DEFERRED"):
            for name, entry in self._manifest().items.items():
                self._sealed(name, entry)
            made = {str(body["kind"]): body["slot"] for body in self._opener_bodies()}
            there = {slot.kind: slot.checksum().hex() for slot in self.slots() if slot.kind != OPENER}
            if made != there:
                raise self._damaged("a key slot is not the one that was made here")

    def _damaged(self, why: str) -> Malformed:
        return damaged(self._path, why)


def _item_place(name: bytes) -> bytes:
    return b"item" + name


def _parse_item(name: bytes, plaintext: bytes) -> Item:
    match parse_json(plaintext, limits=_ITEM_LIMITS):
        case {"kind": str(kind), "body": body}:
            return Item(name, kind, body)
    raise Malformed("item", "is not readable", code="VAULT_DAMAGED")
