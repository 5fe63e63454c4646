"""Who signs a trust list: keys that stay on their own machines, sealed; and what passes between those machines.

The people (root and targets) sign who is trusted, k of n of them. The machine that mirrors (timestamp, snapshot and
lists) signs every day that this is still the newest, with a key that can vouch for nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, Key, SSlibKey  # type: ignore[attr-defined]
from tuf.api.metadata import Metadata, Root, Targets  # type: ignore[attr-defined]

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Malformed, Undetermined
from vc.io import keyfile
from vc.io.files import write_atomic
from vc.io.keyfile import Ask, Lock
from verifier.trust_roles import NAME

SIGNER_FILE: Final = "signer.json"  # in the home of a signer's machine
ONLINE_FILE: Final = "online.json"  # in the publisher's folder
PENDING: Final = "to-sign.json"
PLACE: Final = b"ouvrage trust signer 1"
MAX_BUNDLE: Final = 32 << 20
MAX_SIGNERS: Final = 32


@dataclass(frozen=True, slots=True)
class PublicSigner:
    """Somebody who signs: what they are called, and their key."""

    name: str
    public: bytes  # Ed25519

    @property
    def key(self) -> Key:
        """For TUF metadata. Its name is signed with it."""
        key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(self.public))
        key.unrecognized_fields[NAME] = self.name
        return key

    def to_json(self) -> dict[str, Json]:
        """What a signer gives to the publisher."""
        return {"type": "OuvrageTrustSigner", "name": self.name, "ed25519": self.public.hex()}

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> "PublicSigner":
        """Raises :class:`Malformed`."""
        match parse_object(raw, where=where):
            case {"type": "OuvrageTrustSigner", "name": str(name), "ed25519": str(public)} if 0 < len(name) <= 200:
                try:
                    made = cls(name, bytes.fromhex(public))
                    made.key  # noqa: B018  (whether it is a key)
                except (ValueError, InvalidKey):
                    raise Malformed(where, "not a signer's public key", code="BAD_KEY") from None
                return made
        raise Malformed(where, "not what `ouvrage verifier trust key` prints", code="BAD_KEY")


@dataclass(frozen=True, slots=True)
class OwnSigner:
    """A signer whose private key is on this machine."""

    public: PublicSigner
    signer: CryptoSigner

    @property
    def key_id(self) -> str:
        """What its key is called in the metadata."""
        return self.public.key.keyid


def new_signer(
    path: Path, name: str, *, ask: Ask, rand: Callable[[int], bytes], lock: Lock | None = None
) -> PublicSigner:
    """Make a key and keep it, sealed, at ``path``. Raises :class:`Malformed` where there is one already."""
    if path.exists():
        raise Malformed(str(path), "is there already; nothing was changed", code="FILE_EXISTS")
    seed = rand(32)
    keyfile.write(
        path, {"name": name, "seed": seed.hex()}, lock or Lock.new(ask(True), rand=rand), place=PLACE, rand=rand
    )
    return _own(name, seed).public


def open_signer(path: Path, *, ask: Ask) -> OwnSigner:
    """The signer that is kept at ``path``. Raises :class:`Malformed`, :class:`Rejected` for another passphrase."""
    document, _ = keyfile.read(path, ask, place=PLACE)
    match document:
        case {"name": str(name), "seed": str(seed)}:
            return _own(name, bytes.fromhex(seed))
    raise keyfile.damaged(str(path))


def _own(name: str, seed: bytes) -> OwnSigner:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = PublicSigner(name, private.public_key().public_bytes_raw())
    return OwnSigner(public, CryptoSigner(private, SSlibKey.from_crypto(private.public_key())))


# ---- what awaits signatures ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bundle:
    """A new root, or a new list of issuers, or both, and the files that the list names: what signers are asked for."""

    root: Metadata[Root] | None
    targets: Metadata[Targets] | None
    before: Metadata[Root] | None  # whose signers have to agree to a new root
    files: Mapping[str, str]  # issuers by path, for the signer to read

    def save(self, path: Path) -> None:
        """Write it, for another machine."""
        parts = {"root": self.root, "targets": self.targets, "before": self.before}
        document: dict[str, Json] = {
            name: parse_object(part.to_bytes(), limits=Limits(size=MAX_BUNDLE)) for name, part in parts.items() if part
        }
        write_atomic(path, to_json({"type": "OuvrageTrustToSign", **document, "files": dict(self.files)}), mode=0o644)

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> "Bundle":
        """Raises :class:`Malformed`."""
        document = parse_object(raw, where=where, limits=Limits(size=MAX_BUNDLE))
        files = document.get("files")
        if document.get("type") != "OuvrageTrustToSign" or not isinstance(files, dict):
            raise Malformed(where, "not a file to sign", code="BAD_TRUST")
        read = {name: _metadata(document.get(name), where) for name in ("root", "targets", "before")}
        root, targets, before = read["root"], read["targets"], read["before"]
        if any(one is not None and not isinstance(one.signed, Root) for one in (root, before)) or (
            targets is not None and not isinstance(targets.signed, Targets)
        ):
            raise Malformed(where, "holds something else than what it says", code="BAD_TRUST")
        return cls(root, targets, before, {path: str(text) for path, text in files.items()})

    def sign(self, own: OwnSigner) -> int:
        """Sign what this signer has a part in; how many pieces that were."""
        done = 0
        for part, role in ((self.root, "root"), (self.targets, "targets")):
            allowed = [root.signed.roles[role].keyids for root in (self.before, self.root) if root is not None]
            if part is not None and any(own.key_id in ids for ids in allowed):
                part.sign(own.signer, append=True)
                done += 1
        return done

    def merge(self, other: "Bundle") -> None:
        """Take over the signatures of the same content."""
        for mine, theirs in ((self.root, other.root), (self.targets, other.targets)):
            if mine is not None and theirs is not None and mine.signed_bytes == theirs.signed_bytes:
                for signature in theirs.signatures.values():
                    mine.signatures.setdefault(signature.keyid, signature)

    def check_signed(self, root: Metadata[Root]) -> None:
        """``root`` is the one that is to be in force. Raises :class:`Undetermined` that says who is still missing."""
        if self.root is not None:
            for by in (self.before, self.root):
                if by is not None:
                    _check(by.signed, "root", self.root)
        if self.targets is not None:
            _check(root.signed, "targets", self.targets)


def _check(by: Root, role: str, part: Metadata[Any]) -> None:
    result = by.get_verification_result(role, part.signed_bytes, part.signatures)
    if not result:
        missing = result.threshold - len(result.signed)
        names = ", ".join(sorted(str(key.unrecognized_fields.get(NAME, "?")) for key in result.unsigned.values()))
        raise Undetermined(
            f"{missing} more of these have to sign: {names}",
            f"give them {PENDING}, for `ouvrage verifier trust sign`, and publish with --signed FILE",
            code="SIGNATURES_MISSING",
        )


def _metadata(value: Json, where: str) -> Metadata[Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Malformed(where, "not the metadata of a trust list", code="BAD_TRUST")
    try:
        return Metadata.from_dict(value)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed(where, "not the metadata of a trust list", code="BAD_TRUST") from None
