"""COSE_Sign1 (RFC 9052 §4.2): signed bytes with headers, for CWT. Strict CBOR, a table of algorithms, one signature.

An algorithm names one kind of key, so that no key can be taken for another's, and no MAC is known at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from vc.cbor import Cbor, decode, encode
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.keys import ED25519, P256, P384, P521, KeyKind, PublicKey, Signer, verify_signature

MAX_COSE: Final = 5 << 20  # bytes: a status list of ten million statuses fits

# RFC 9053 §2, RFC 9864 §2: the old names, which leave the curve open, are bound to the curve that their hash goes with.
ALGORITHMS: Final[Mapping[int, KeyKind]] = MappingProxyType(
    {-7: P256, -9: P256, -35: P384, -51: P384, -36: P521, -52: P521, -8: ED25519, -19: ED25519}
)
_SIGNS_AS: Final[Mapping[KeyKind, int]] = MappingProxyType({P256: -7, P384: -35, P521: -36, ED25519: -8})

ALG: Final = 1
CRIT: Final = 2
KID: Final = 4
TYP: Final = 16  # RFC 9596
NO_HEADERS: Final[Mapping[int, Cbor]] = MappingProxyType({})

_TAG_SIGN1: Final = b"\xd2"  # 18
_TAG_MAC0: Final = b"\xd1"  # 17


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1 as received: read, bounded, and not verified."""

    algorithm: int  # a key of ALGORITHMS
    protected: Mapping[object, object]
    unprotected: Mapping[object, object]  # not signed: good for finding a key, never to believe
    protected_bytes: bytes = field(repr=False)
    unverified: bytes = field(repr=False)  # the payload
    signature: bytes = field(repr=False)


def parse_sign1(raw: bytes, *, where: str = "COSE_Sign1") -> Sign1:
    """A tagged COSE_Sign1 (RFC 9052 §4.2).

    Raises :class:`Malformed`; :class:`Unsupported` for a MAC, for an algorithm that is not in the table, and for
    headers that change how the rest is read.
    """
    if raw[:1] == _TAG_MAC0:
        raise Unsupported("signature", "COSE_Mac0", code="UNSUPPORTED_SUITE")
    if raw[:1] != _TAG_SIGN1:
        raise _bad(where, "not a tagged COSE_Sign1")
    match decode(raw[1:], where=where, limit=MAX_COSE, sorted_keys=False):
        case [bytes(protected_bytes), dict(unprotected), bytes(payload), bytes(signature)]:
            protected = decode(protected_bytes, where=f"{where} header", sorted_keys=False)
        case _:
            raise _bad(where, "not headers, a payload and a signature")
    if not isinstance(protected, dict) or not protected.keys().isdisjoint(unprotected):
        raise _bad(f"{where} header", "not a map, or says something twice")
    if CRIT in protected:
        raise Unsupported("signature header", "crit", code="UNSUPPORTED_SUITE")
    algorithm = protected.get(ALG)
    if not isinstance(algorithm, int):
        raise _bad(f"{where} header", "no algorithm among what is signed")
    if algorithm not in ALGORITHMS:
        raise Unsupported("signature algorithm", str(algorithm), code="UNSUPPORTED_SUITE")
    return Sign1(algorithm, protected, unprotected, protected_bytes, payload, signature)


def verify_sign1(message: Sign1, key: PublicKey, *, typ: str | None, where: str = "COSE_Sign1") -> bytes:
    """The payload of a message that ``key`` has signed as a ``typ`` (RFC 9052 §4.4, RFC 9596); None for any typ.

    Raises :class:`Rejected`, or :class:`Malformed` for a signature of another length.
    """
    if typ is not None and message.protected.get(TYP) != typ:
        raise Rejected((Finding("PURPOSE_MISMATCH", f"not signed as {typ}", where),))
    if ALGORITHMS[message.algorithm] != key.kind:
        raise Rejected((Finding("KEY_MISMATCH", f"a {key.kind.name} key does not sign in this way", where),))
    try:
        verify_signature(key, to_be_signed(message.protected_bytes, message.unverified), message.signature)
    except Rejected as no:
        raise Rejected(tuple(Finding(finding.code, finding.message, where) for finding in no.findings)) from None
    return message.unverified


def sign_sign1(
    payload: bytes, *, key: Signer, typ: str, kid: bytes | None = None, headers: Mapping[int, Cbor] = NO_HEADERS
) -> bytes:
    """A tagged COSE_Sign1 over ``payload`` (RFC 9052 §4.4); ``headers`` are protected ones beside alg, kid and typ.

    Raises :class:`Unsupported` for a key that signs none.
    """
    algorithm = _SIGNS_AS.get(key.public.kind)
    if algorithm is None:
        raise Unsupported("signature algorithm", f"for {key.public.kind.name} keys", code="UNSUPPORTED_SUITE")
    protected = encode({**headers, ALG: algorithm, TYP: typ, **({} if kid is None else {KID: kid})})
    return _TAG_SIGN1 + encode([protected, {}, payload, key.sign(to_be_signed(protected, payload))])


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 §4.4, with no external data."""
    parts: Cbor = ["Signature1", protected, b"", payload]
    return encode(parts)


def _bad(where: str, why: str) -> Malformed:
    return Malformed(where, why, code="BAD_COSE")
