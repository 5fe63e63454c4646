"""Keys that stay in a PKCS#11 token: Ed25519 and P-256 (extra ``hsm``).

A key is known by its token's and its own label; it crosses process pools as that, and is found again on the other side.
The PIN is read from the file that ``OUVRAGE_PIN_FILE`` names, and kept nowhere.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar, Final, Self

from vc.did import did_key_method
from vc.errors import Malformed, Undetermined, Unsupported, VcError
from vc.io.files import read_bounded
from vc.keys import ED25519, P256, KeyKind, PublicKey, verify_signature

MAX_PIN: Final = 256
PIN_FILE: Final = "OUVRAGE_PIN_FILE"

# EC_PARAMS in DER: the curve's OID (RFC 5480 §2.1.1.1, RFC 8410 §3), or the name that PKCS#11 2.40 drafts gave it
_CURVES: Final[Mapping[bytes, KeyKind]] = {
    bytes.fromhex("06082a8648ce3d030107"): P256,
    bytes.fromhex("06032b6570"): ED25519,
    b"\x13\x0cedwards25519": ED25519,
}

LOST: Final = frozenset({"TOKEN_GONE", "TOKEN_FAILED"})  # codes that a new session can mend

_mutex: Final = RLock()  # a session signs one thing at a time
_sessions: Final[dict[tuple[str, str], Any]] = {}  # one for each token: a process can be logged in once
_refused: Final[dict[tuple[str, str], str]] = {}  # PINs that a token has refused: a third time could lock it for good


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key in a token, by reference: ``module`` is the library that speaks to the token."""

    kept: ClassVar[str] = "pkcs11"

    verification_method: str
    public: PublicKey
    module: str
    token: str
    label: str

    @property
    def did(self) -> str:
        """The DID of the verification method."""
        return self.verification_method.partition("#")[0]

    @property
    def reference(self) -> dict[str, str]:
        """What finds it again."""
        return {"module": self.module, "token": self.token, "label": self.label}

    @classmethod
    def find(cls, module: str, token: str, label: str) -> Self:
        """The key pair with a label in a token. Raises :class:`Undetermined`, or :class:`Unsupported` for its kind."""
        with _mutex, _translated(token):
            public = _public(_session(module, token), label)
        return cls(did_key_method(public), public, module, token, label)

    @classmethod
    def reopen(cls, public: PublicKey, reference: Mapping[str, str]) -> Self:
        """The key that a key file refers to; the token is not asked before something is to be signed."""
        return cls(did_key_method(public), public, reference["module"], reference["token"], reference["label"])

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``, checked. Raises :class:`Undetermined` where the token does not give one."""
        with _mutex:
            known = (self.module, self.token) in _sessions
            try:
                signature = self._sign(data)
            except Undetermined as error:
                if not known or error.code not in LOST:
                    raise
                _forget(self.module, self.token)
                signature = self._sign(data)  # a session ends when a token restarts: one new one is tried
        try:
            verify_signature(self.public, data, signature)
        except VcError:
            raise Undetermined(
                f"the token {self.token} signs with another key than was adopted", "adopt it again", code="TOKEN_KEY"
            ) from None
        return signature

    def _sign(self, data: bytes) -> bytes:
        import pkcs11  # noqa: PLC0415  (an extra, found when the session was opened)

        with _translated(self.token):
            session = _session(self.module, self.token)
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self.label)
            if self.public.kind == ED25519:
                return bytes(key.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
            return bytes(key.sign(sha256(data).digest(), mechanism=pkcs11.Mechanism.ECDSA))


def _session(module: str, token: str) -> Any:
    place = (module, token)
    if place not in _sessions:
        import pkcs11  # noqa: PLC0415  (an extra)

        pin = _pin()
        if _refused.get(place) == pin:
            raise _wrong_pin(token)
        try:
            _sessions[place] = pkcs11.lib(module).get_token(token_label=token).open(user_pin=pin)
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            _refused[place] = pin
            raise _wrong_pin(token) from None
    return _sessions[place]


def _forget(module: str, token: str) -> None:
    session = _sessions.pop((module, token), None)
    with suppress(Exception):  # it is of no use any more, whatever it says
        session.close()


def _pin() -> str:
    file = os.environ.get(PIN_FILE)
    if not file:
        raise Undetermined("a token asks for a PIN", f"name a file that holds it with {PIN_FILE}", code="NO_PIN")
    try:
        return read_bounded(Path(file), limit=MAX_PIN).decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        raise Malformed(file, "not UTF-8 text", code="BAD_PIN") from None


def _public(session: Any, label: str) -> PublicKey:
    import pkcs11  # noqa: PLC0415  (an extra)

    key = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=label)
    kind = _CURVES.get(bytes(key[pkcs11.Attribute.EC_PARAMS]))
    if kind is None:
        raise Unsupported("key in a token", "neither Ed25519 nor P-256", code="UNSUPPORTED_KEY")
    point = bytes(key[pkcs11.Attribute.EC_POINT])
    raw = point[2:] if point[:2] in (b"\x04\x20", b"\x04\x41") else point  # an OCTET STRING around it, or none
    return PublicKey(ED25519, raw) if kind == ED25519 else PublicKey(P256, bytes([2 + (raw[-1] & 1)]) + raw[1:33])


@contextmanager
def _translated(token: str) -> Iterator[None]:
    """What a token says, as ours: what to do about it, and nothing of what it holds."""
    try:
        import pkcs11  # noqa: PLC0415  (an extra)
        from pkcs11 import exceptions  # noqa: PLC0415
    except ModuleNotFoundError:
        raise Unsupported("keys in a token", "PKCS#11 needs: pip install 'ouvrage[hsm]'") from None
    gone = (exceptions.NoSuchToken, exceptions.TokenNotPresent, exceptions.DeviceRemoved, exceptions.SlotIDInvalid)
    try:
        yield
    except gone:
        raise Undetermined(f"the token {token} is not there", "see that it is plugged in", code="TOKEN_GONE") from None
    except (pkcs11.NoSuchKey, exceptions.KeyHandleInvalid):
        raise Undetermined(
            f"the token {token} has no such key", "see what it holds, with its own tool", code="TOKEN_KEY"
        ) from None
    except exceptions.PinLocked:
        raise Undetermined(
            f"the token {token} has locked its PIN", "unlock it with its tool", code="PIN_LOCKED"
        ) from None
    except pkcs11.PKCS11Error as error:
        raise Undetermined(
            f"the token {token} failed ({type(error).__name__})",
            "see its own log, and the path of its library",
            code="TOKEN_FAILED",
        ) from None


def _wrong_pin(token: str) -> Undetermined:
    return Undetermined(
        f"the token {token} refuses the PIN", f"correct the file that {PIN_FILE} names", code="PIN_WRONG"
    )
