"""SD-JWT: the published examples, and what our own tests issue from."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.shared import shared_path
from vc.jose import Jws
from vc.jwk import parse_jwk
from vc.keys import PublicKey
from vc.model import Object


@dataclass(frozen=True)
class Example:
    """One published example: what was issued, presented and verified, and each step between."""

    name: str
    steps: dict[str, Any]
    issuers: tuple[PublicKey, ...]

    def __getitem__(self, step: str) -> Any:
        return self.steps[step]

    @property
    def bound(self) -> bool:
        return "kb_jwt_payload" in self.steps

    @property
    def at(self) -> datetime:
        """A minute after its holder signed."""
        return datetime.fromtimestamp(self.steps["kb_jwt_payload"]["iat"] + 60 if self.bound else 1795471401, UTC)

    def form(self, step: str) -> Any:
        """A step that is an SD-JWT, in its compact or its JSON form."""
        text = self.steps[step]
        return json.loads(text) if text.startswith("{") else text

    def issuer_key(self, jws: Jws, payload: Object) -> PublicKey:
        """The key of the issuer; the example with two signatures numbers its keys."""
        assert payload == self.steps["sd_jwt_payload"]
        return self.issuers[int(str(jws.header.get("kid", "key-1"))[-1]) - 1 if len(self.issuers) > 1 else 0]


def examples(folder: str) -> Iterator[Example]:
    """The examples of one folder, with the keys of their settings or their own."""
    path = shared_path(f"vectors/sd-jwt/{folder}")
    issuer, _ = _keys(path / "settings.yml")
    for file in sorted(path.glob("*.json")):
        steps = json.loads(file.read_bytes())
        own = _points(steps["specification_yml"]) if "issuer_keys" in steps["specification_yml"] else ()
        yield Example(file.stem, steps, own[:-1] or (issuer,))


def _keys(settings: Path) -> tuple[PublicKey, ...]:
    return _points(settings.read_text(encoding="utf-8"))


def _points(text: str) -> tuple[PublicKey, ...]:
    found = re.findall(r"crv: (P-256)\s+(?:d: \S+\s+)?x: (\S+)\s+y: (\S+)", text)
    return tuple(parse_jwk({"kty": "EC", "crv": crv, "x": x, "y": y}) for crv, x, y in found)


class Rand:
    """Bytes that look random and are always the same."""

    def __init__(self, seed: str = "") -> None:
        self.state = seed.encode()

    def __call__(self, count: int) -> bytes:
        drawn = b""
        while len(drawn) < count:
            self.state = sha256(self.state).digest()
            drawn += self.state
        return drawn[:count]
