"""All keys of the issuer, with the times at which each of them counts.

Times in anything signed are rounded to the day, so a key takes over at a midnight, and verifiers are told windows of
whole days: on the day of a change both keys count. A key that no longer signs stays known until the last credential
that it can have signed is over; one that was killed leaves at once, with all that it has signed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Lock as Mutex
from typing import Final, Self

from issuer import keyfile
from issuer.identities import Identity, Method, new_identity
from issuer.keyfile import Ask, Lock, ask_passphrase
from issuer.keys import IssuerKey, IssuerKeys, Role, create, from_stored, new_key
from issuer.ringkeys import DAY, Name, RingKey, over
from vc.canon import Json
from vc.did import did_key_method
from vc.errors import Malformed, Undetermined
from vc.keys import Bls12381Key
from vc.model import parse_date_time
from work.months import first_second

FILE: Final = "keys.json"
MAX_KEYS: Final = 120  # that are not over yet: verifiers read 256 names of one issuer, and a key may have two

Rand = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The issuer's keys, oldest first, and its identities. ``secret`` is for what only the service itself has to
    recognise: nonces, cookies. Every replica has the same.

    ``name`` and ``legal_identifier`` are what the platform says of itself; empty until it has said so.
    """

    keys: tuple[RingKey, ...]
    secret: bytes = field(repr=False)
    name: str = ""
    legal_identifier: str = ""
    identities: tuple[Identity, ...] = ()
    lock: Lock | None = field(default=None, repr=False, compare=False)

    # ---- made, kept, read -------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, own: IssuerKeys, *, secret: bytes, at: datetime) -> Self:
        """A ring with one key for each role, which sign from the day of ``at`` on."""
        since = first_second(at)
        made = ((Role.CREDENTIALS, own.credentials), (Role.PUBLIC, own.public), (Role.SD, own.sd), (Role.JWT, own.jwt))
        keys = tuple(RingKey(f"{role}-1", role, key, since) for role, key in made)
        return cls(keys, secret, own.name, own.legal_identifier)

    @classmethod
    def open(cls, folder: Path, *, rand: Rand, at: datetime, passphrase: Ask = ask_passphrase) -> Self:
        """The keys kept in ``folder``, made on first use.

        Raises :class:`Malformed` for a damaged file, :class:`Rejected` for another passphrase than the one that it
        was sealed with.
        """
        if not (folder / FILE).exists():
            with keyfile.exclusive(folder):
                if not (folder / FILE).exists():
                    made = cls.of(create(rand), secret=rand(32), at=at)
                    return made.save(folder, rand=rand, passphrase=passphrase)
        return cls.read(folder, passphrase=passphrase)

    @classmethod
    def read(cls, folder: Path, *, passphrase: Ask, held: Lock | None = None) -> Self:
        """The keys kept in ``folder``; ``held`` is the lock of an earlier reading, which spares the passphrase."""
        document, lock = keyfile.read(folder / FILE, passphrase, held=held)
        return replace(cls._parse(document, str(folder / FILE)), lock=lock)

    def save(self, folder: Path, *, rand: Rand, passphrase: Ask) -> Self:
        """Keep the keys, sealed; with a new passphrase where they were not. Raises :class:`Undetermined`."""
        lock = self.lock or Lock.new(passphrase(True), rand=rand)
        keyfile.write(folder / FILE, self._document(), lock, rand=rand)
        return replace(self, lock=lock)

    def _document(self) -> dict[str, Json]:
        return {
            "keys": [key.to_json() for key in self.keys],
            "identities": [identity.to_json() for identity in self.identities],
            "secret": self.secret.hex(),
            "name": self.name,
            "legalIdentifier": self.legal_identifier,
        }

    @classmethod
    def _parse(cls, document: dict[str, Json], where: str) -> Self:
        match document:
            case {"version": 1}:
                return cls._first_version(document, where)
            case {
                "keys": list(keys),
                "identities": list(identities),
                "secret": str(secret),
                "name": str(name),
                "legalIdentifier": str(legal_identifier),
            }:
                return cls(
                    tuple(RingKey.parse(key, where) for key in keys),
                    bytes.fromhex(secret),
                    name,
                    legal_identifier,
                    tuple(Identity.parse(identity, where) for identity in identities),
                )
        raise keyfile.damaged(where)

    @classmethod
    def _first_version(cls, document: dict[str, Json], where: str) -> Self:
        """What was written before there were several keys of a role: not sealed."""
        match document:
            case {"since": str(since), "name": str(name), "legalIdentifier": str(legal_identifier)}:
                held = (("bls12381", "BLS12-381-G2"), ("ed25519", "Ed25519"), ("sd", "P-256"), ("jwt", "P-256"))
                keys = [from_stored(kind, str(document.get(member)), where=where) for member, kind in held]
                start = parse_date_time(since, where=where)
                ring = tuple(RingKey(f"{role}-1", role, key, start) for role, key in zip(Role, keys, strict=True))
                secret = sha256(bytes.fromhex(str(document["ed25519"])) + b"service").digest()
                return cls(ring, secret, name, legal_identifier)
        raise keyfile.damaged(where)

    # ---- which key signs --------------------------------------------------------------------------------------------

    def signing(self, at: datetime) -> IssuerKeys:
        """The keys that sign at a moment, under the names that they have then. Raises :class:`Undetermined`."""
        credentials, jwt = self.signer(Role.CREDENTIALS, at), self.signer(Role.JWT, at)
        key = self.named(credentials, at)
        assert isinstance(key, Bls12381Key)
        public, sd, token = (self.named_signer(role, at) for role in (Role.PUBLIC, Role.SD, Role.JWT))
        return IssuerKeys(key, public, sd, token, self.name, self.legal_identifier, jwt.x5c)

    def signer(self, role: Role, at: datetime) -> RingKey:
        """The key of a role that signs at a moment. What is dated before all keys is signed with the first.

        Raises :class:`Undetermined` where the only key was killed and the next does not count before another day.
        """
        own = [key for key in self.keys if key.role is role]
        chosen = [key for key in own if key.signs(at)]
        if chosen:
            return max(chosen, key=lambda key: key.signs_from)
        first = min(own, key=lambda key: key.signs_from)
        if at < first.signs_from and first.killed is None:
            return first
        coming = [key.signs_from for key in own if key.killed is None and key.signs_from > at]
        hint = f"the next one signs from {min(coming):%Y-%m-%d}" if coming else "run: ouvrage issuer keys rotate"
        raise Undetermined(f"no {role} key signs at this moment", hint, code="NO_SIGNING_KEY")

    def named(self, key: RingKey, at: datetime) -> Bls12381Key | IssuerKey:
        """A key under the name that it signs by at a moment."""
        identity = self.identity(at)
        if identity is None:
            return key.key
        return replace(key.key, verification_method=f"{identity.did}#{key.id}")  # type: ignore[type-var]

    def named_signer(self, role: Role, at: datetime) -> IssuerKey:
        """The key of a role other than ``credentials`` that signs at a moment, under its name."""
        key = self.named(self.signer(role, at), at)
        assert not isinstance(key, Bls12381Key)
        return key

    def identity(self, at: datetime) -> Identity | None:
        """The DID that the issuer goes by at a moment; None: each key by its did:key."""
        known = next((identity for identity in reversed(self.identities) if identity.since <= at), None)
        return known if known is not None and known.did else None

    # ---- what others are told ---------------------------------------------------------------------------------------

    def names(self, key: RingKey) -> list[Name]:
        """The names that a key has signed by or will sign by, each with its days."""
        found: dict[str, Name] = {}
        for (identity, since), (_, until) in pairwise(
            [(None, None), *((each, each.since) for each in self.identities), (None, None)]
        ):
            start = key.signs_from if since is None else max(key.signs_from, since)
            ends = [end for end in (key.signs_until, until) if end is not None]
            end = min(ends) if ends else None
            if end is None or start <= end:
                method = _method(identity, key)
                first = found[method].start if method in found else start
                found[method] = Name(method, first, end)
        return list(found.values())

    def published(self, at: datetime) -> Iterator[tuple[RingKey, Name]]:
        """What a verifier has to know at a moment: keys that sign, will sign, or have signed what is still valid."""
        for key in self.keys:
            for name in self.names(key) if key.killed is None else ():
                if name.end is None or at <= over(name.end):
                    yield key, name

    def methods(self, identity: Identity, at: datetime) -> tuple[Method, ...]:
        """The keys that the document of an identity lists at a moment."""
        return tuple(key.method for key, name in self.published(at) if name.method == f"{identity.did}#{key.id}")

    def entry(self, types: list[str], at: datetime) -> dict[str, Json]:
        """What a trust file says about this issuer (docs/trust.md). It holds no secret."""
        attested: list[Json] = list(types)
        return {
            "name": self.name,
            "legalIdentifier": self.legal_identifier,
            "mayAttest": attested,
            "keys": [name.entry() for _, name in self.published(at)],
        }

    def documents(self, at: datetime) -> list[Json]:
        """The DID documents that a trust file needs beside the entry."""
        held = {identity.did: identity for identity in self.identities if identity.did}
        listed = ((identity, self.methods(identity, at)) for identity in held.values())
        return [identity.given(methods) for identity, methods in listed if methods]

    # ---- what changes -----------------------------------------------------------------------------------------------

    def rotated(self, role: Role, key: Bls12381Key | IssuerKey, *, at: datetime, days: int, rand: Rand) -> Self:
        """With a new key for a role, known from now on, that signs from the day ``days`` after that of ``at``.

        Raises :class:`Malformed` where one is announced already.
        """
        if any(each.role is role and each.killed is None and each.signs_from > at for each in self.keys):
            raise Malformed(
                "ROLE", f"a {role} key is announced already; kill it, or wait for its day", code="ANNOUNCED"
            )
        return self._with_key(role, key, at=at, days=days, rand=rand)

    def killed(self, name: str, *, at: datetime, rand: Rand) -> Self:
        """Without a key: nothing that it has signed counts any more, and another signs in its place from now on.

        Raises :class:`Malformed` for a key that is not here, or was killed before.
        """
        key = self.find(name)
        if key.killed is not None:
            raise Malformed(name, f"was killed on {key.killed:%Y-%m-%d}", code="KEY_KILLED")
        rest = tuple(_after_kill(each, key, at) for each in self.keys)
        ring = replace(self, keys=rest)
        if any(each.role is key.role and each.signs(at) for each in rest):
            return ring._updated(at, rand)
        announced = next((each for each in rest if each.role is key.role and _is_coming(each, at)), None)
        if announced is None:
            return ring._with_key(key.role, new_key(key.role, key.key.public.kind.name, rand), at=at, days=0, rand=rand)
        early = replace(announced, signs_from=first_second(at))
        return replace(ring, keys=tuple(early if each is announced else each for each in rest))._updated(at, rand)

    def by_did_key(self, at: datetime) -> Self:
        """With keys that go by their did:key each, from the day of ``at`` on."""
        return replace(self, identities=(*self.identities, Identity("", first_second(at))))

    def identified(self, kind: str, domain: str, *, at: datetime, rand: Rand) -> Self:
        """With a did:web or did:webvh that the issuer goes by from the day of ``at`` on. Raises :class:`Malformed`."""
        day = first_second(at)
        left = (key for key in self.keys if key.killed is None and (key.signs_until is None or key.signs_until >= day))
        identity = new_identity(kind, domain, [key.method for key in left], at=at, rand=rand)
        if any(known.did == identity.did for known in self.identities):
            raise Malformed("--domain", f"{identity.did} was taken before", code="DID_TAKEN")
        return replace(self, identities=(*self.identities, identity))._updated(at, rand)

    def find(self, name: str) -> RingKey:
        """A key by its id. Raises :class:`Malformed`."""
        for key in self.keys:
            if key.id == name:
                return key
        raise Malformed("ID", f"no key is called {name[:80]!r}; see: ouvrage issuer keys list", code="UNKNOWN_KEY")

    def with_key(self, key: RingKey) -> Self:
        """With a key as it is now in the place of the one with its id."""
        return replace(self, keys=tuple(key if each.id == key.id else each for each in self.keys))

    def _with_key(self, role: Role, key: Bls12381Key | IssuerKey, *, at: datetime, days: int, rand: Rand) -> Self:
        if sum(1 for _ in self.published(at)) >= MAX_KEYS:
            raise Malformed("ROLE", f"{MAX_KEYS} keys still count; wait until some are over", code="TOO_MANY_KEYS")
        start = first_second(at) + days * DAY
        number = 1 + sum(each.role is role for each in self.keys)
        new = RingKey(f"{role}-{number}", role, key, start)
        ring = replace(self, keys=(*self.keys, new))._updated(at, rand)
        # A log that says that the key is new since today cannot say that it counted at midnight.
        logged = [time for time in (identity.last_entry for identity in ring.identities) if time is not None]
        while logged and start < max(logged):
            start += DAY
        held = tuple(
            replace(each, signs_until=start) if each.role is role and each.signs_until is None else each
            for each in ring.keys[:-1]
        )
        return replace(ring, keys=(*held, replace(new, signs_from=start)))

    def _updated(self, at: datetime, rand: Rand) -> Self:
        made = (each.updated(self.methods(each, at), at=at, rand=rand) for each in self.identities)
        return replace(self, identities=tuple(made))


def watch(folder: Path, *, passphrase: Ask = ask_passphrase, lock: Lock | None = None) -> Callable[[], KeyRing]:
    """The keys in ``folder`` as they are whenever they are asked for: the file is read again when it has changed.

    ``lock`` is that of an earlier reading, which spares the passphrase.
    """
    mutex = Mutex()
    held: list[tuple[tuple[int, int, int], KeyRing]] = []

    def current() -> KeyRing:
        with mutex:
            stamp = _stamp(folder / FILE)
            if not held or held[0][0] != stamp:
                known = held[0][1].lock if held else lock
                held[:] = [(stamp, KeyRing.read(folder, passphrase=passphrase, held=known))]
            return held[0][1]

    return current


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise Undetermined(f"{path}: {error.strerror}", "restore it from your backup", code="KEYS_GONE") from None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _is_coming(key: RingKey, at: datetime) -> bool:
    return key.killed is None and key.signs_from > at


def _after_kill(each: RingKey, killed: RingKey, at: datetime) -> RingKey:
    if each is killed:
        return replace(each, killed=at, signs_until=min(first_second(at), each.signs_until or first_second(at)))
    if _is_coming(killed, at) and each.role is killed.role and each.signs_until == killed.signs_from:
        return replace(each, signs_until=None)  # it does not come after all
    return each


def _method(identity: Identity | None, key: RingKey) -> str:
    if identity is None or not identity.did:
        return did_key_method(key.key.public)
    return f"{identity.did}#{key.id}"
