"""The issuer's own keys: one for credentials about workers, one for what the platform says in public."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from vc import bbs
from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed
from vc.io.files import read_bounded, write_atomic
from vc.keys import Bls12381Key, Ed25519Key
from vc.model import format_date_time

MAX_FILE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """``credentials`` signs bbs-2023 credentials, ``public`` what the platform publishes about itself.

    ``name`` and ``legal_identifier`` are what the platform says of itself; empty until it has said so.
    """

    credentials: Bls12381Key
    public: Ed25519Key
    since: str  # dateTimeStamp from which the keys count
    name: str = ""
    legal_identifier: str = ""

    def entry(self, types: list[str]) -> dict[str, Json]:
        """What a trust file says about this issuer (docs/trust.md). It holds no secret."""
        keys: list[Json] = [
            {"id": key.verification_method, "validFrom": self.since} for key in (self.credentials, self.public)
        ]
        attested: list[Json] = list(types)
        return {
            "name": self.name,
            "legalIdentifier": self.legal_identifier,
            "mayAttest": attested,
            "keys": keys,
        }


def create(rand: Callable[[int], bytes], at: datetime) -> IssuerKeys:
    """New keys from 32 random bytes each."""
    secret = bbs.key_gen(rand(32))
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return IssuerKeys(Bls12381Key.from_secret(secret), Ed25519Key.from_seed(rand(32)), format_date_time(midnight))


def load_or_create(path: Path, rand: Callable[[int], bytes], at: datetime) -> IssuerKeys:
    """The keys kept at ``path``, made on first use and readable by nobody else. Raises :class:`Malformed`."""
    if path.exists():
        return _parse(read_bounded(path, limit=MAX_FILE), str(path))
    keys = create(rand, at)
    save(path, keys)
    return keys


def save(path: Path, keys: IssuerKeys) -> None:
    """Keep the keys, and the names of their owner, at ``path``. Raises :class:`Undetermined`."""
    document: dict[str, Json] = {
        "version": 1,
        "bls12381": keys.credentials.secret.hex(),
        "ed25519": keys.public.seed.hex(),
        "since": keys.since,
        "name": keys.name,
        "legalIdentifier": keys.legal_identifier,
    }
    write_atomic(path, to_json(document))


def _parse(raw: bytes, where: str) -> IssuerKeys:
    match parse_object(raw, where=where):
        case {
            "version": 1,
            "bls12381": str(bls),
            "ed25519": str(ed),
            "since": str(since),
            "name": str(name),
            "legalIdentifier": str(legal_identifier),
        }:
            try:
                return IssuerKeys(
                    Bls12381Key.from_secret(bytes.fromhex(bls)),
                    Ed25519Key.from_seed(bytes.fromhex(ed)),
                    since,
                    name,
                    legal_identifier,
                )
            except ValueError:
                pass
    raise Malformed(where, "not a key file; restore it from your backup", code="BAD_KEYS")
