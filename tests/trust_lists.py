"""Trust lists for tests: a publisher, the keys of its signers, and mirrors that can be tampered with."""

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata

from vc.canon import Json, to_json
from vc.io.keyfile import Lock
from vc.keys import Ed25519Key
from vc.model import format_date_time
from vc.sealing import MIN_COST
from verifier.trust_publisher import Mirrored, Publisher
from verifier.trust_roles import digest
from verifier.trust_signing import OwnSigner, new_signer, open_signer
from verifier.trust_sources import Folder
from verifier.trust_sync import Synced, sync

AT: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOCK: Final = Lock.new(b"a passphrase of tests", rand=os.urandom, cost=MIN_COST)
LISTED: Final = "https://platform.example/status/1/token"


def ask(_new: bool) -> bytes:
    return b"a passphrase of tests"


def signer(path: Path, name: str) -> OwnSigner:
    new_signer(path, name, ask=ask, rand=os.urandom, lock=LOCK)
    return open_signer(path, ask=ask)


def entry(number: int, *, did: str = "", **more: Json) -> bytes:
    """An issuer by a did:key, or by another DID."""
    key = Ed25519Key.from_seed(number.to_bytes(32, "big"))
    method = f"{did}#key" if did else key.verification_method
    issuer: dict[str, Json] = {
        "name": f"Platform {number}",
        "legalIdentifier": f"000 000 {number:03}",
        "mayAttest": ["EarningsCredential"],
        "keys": [{"id": method, "validFrom": "2026-01-01T00:00:00Z", "validUntil": None}],
    }
    return to_json({"issuer": issuer, **more})


@dataclass
class Union:
    """Whoever publishes: three signers, two of whom have to sign, and a machine that mirrors."""

    home: Path
    people: list[OwnSigner] = field(default_factory=list)
    threshold: int = 2

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self.people = [signer(self.home / f"{name}.json", name) for name in ("Ada", "Bo", "Cy")]
        self.folder = self.home / "list"
        self.folder.mkdir()
        self.online = signer(self.folder / "online.json", "mirror")
        self.publisher = Publisher.create(
            self.folder,
            name="Union",
            signers=[one.public for one in self.people],
            threshold=self.threshold,
            online=self.online.public,
            at=AT,
        )
        self.out = self.home / "www"

    def publish(
        self, *lists: Mirrored, at: datetime = AT, days: int = 30, by: tuple[int, ...] = (0, 1), checked: bool = True
    ) -> str:
        """Publish; the fingerprint of the root."""
        bundle = self.publisher.prepare(at=at)
        for number in by:
            bundle.sign(self.people[number])
        bundle.save(self.folder / "to-sign.json")
        if checked:
            bundle.check_signed(bundle.root or self.publisher.root())
        root = self.publisher.publish(bundle, lists, online=self.online, days=days, at=at, out=self.out)
        return digest(root.to_bytes())

    def rotate_online(self, at: datetime = AT) -> OwnSigner:
        """A new key for the mirror; the old one, which somebody has stolen."""
        stolen, self.online = self.online, signer(self.home / f"online{os.urandom(3).hex()}.json", "mirror")
        self.publisher.change_root(
            signers=[one.public for one in self.people], threshold=2, online=self.online.public, at=at
        )
        return stolen

    def copy(self, name: str) -> Path:
        """A mirror as it is now."""
        return Path(shutil.copytree(self.out, self.home / name))


def token(url: str = LISTED, at: datetime = AT, body: str = "e30.e30.c2ln") -> Mirrored:
    """Something in the place of a status list; nothing reads it before it is used."""
    return Mirrored(url, "token", at, body.encode())


def take(folder: Path, mirror: Path, fingerprint: str | None = None, at: datetime = AT) -> Synced:
    """Sync from a folder."""
    return asyncio.run(sync(folder, Folder(mirror), fingerprint=fingerprint, at=at))


def resigned(path: Path, by: OwnSigner, **changes: Any) -> bytes:
    """Metadata with other members, signed by one key; written in the place of what there was."""
    read = Metadata.from_bytes(path.read_bytes())
    for name, value in changes.items():
        setattr(read.signed, name, value)
    read.sign(by.signer)
    path.write_bytes(read.to_bytes())
    return path.read_bytes()


def stamp(moment: datetime) -> str:
    return format_date_time(moment)
