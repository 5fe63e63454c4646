"""JSON Web Signatures and the times of JSON Web Tokens (RFC 7515, RFC 7519, RFC 8725, RFC 9864).

The compact form only: a table of algorithms, each bound to one kind of key, and strict JSON. These few lines stand
here because a general JOSE library reads headers that two readers could understand differently, needs the secret key
in memory to sign, and adds two fifths to the time of a P-256 verification; ``joserfc`` is the oracle of the tests.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.keys import ED25519, P256, P384, P521, KeyKind, PublicKey, Signer, verify_signature
from vc.model import Object
from vc.multibase import decode_base64url, encode_base64url

# One kind of key for each name: a public key can never be taken for the secret of a MAC, or for another curve's.
ALGORITHMS: Final[Mapping[str, KeyKind]] = MappingProxyType(
    {"ES256": P256, "ES384": P384, "ES512": P521, "EdDSA": ED25519, "Ed25519": ED25519}
)
SIGNS_AS: Final[Mapping[KeyKind, str]] = MappingProxyType(
    {P256: "ES256", P384: "ES384", P521: "ES512", ED25519: "EdDSA"}
)
SIGNATURE_LENGTH: Final[Mapping[str, int]] = MappingProxyType(
    {"ES256": 64, "ES384": 96, "ES512": 132, "EdDSA": 64, "Ed25519": 64}
)

MAX_JWS: Final = 1 << 20  # characters: what else is read whole has the same bound
HEADER_LIMITS: Final = Limits(size=1 << 16, depth=8)  # a chain of eight certificates fits
NOTHING: Final[Object] = MappingProxyType({})
MAX_KEPT_HEADER: Final = 256  # characters
LAST_SECOND: Final = 253402300799  # of the year 9999: beyond it, the calendar has no date
SKEW: Final = timedelta(minutes=5)  # RFC 7519 §4.1.5: "a few minutes", for clocks that disagree


@dataclass(frozen=True, slots=True)
class Jws:
    """A compact JWS as received: read, bounded, and not verified (RFC 7515 §7.1)."""

    text: str = field(repr=False)
    header: Object
    algorithm: str  # a name of ALGORITHMS
    unverified: bytes = field(repr=False)  # the payload; to find a key, never to believe
    signature: bytes = field(repr=False)


def parse_jws(text: str, *, where: str = "JWS", limit: int = MAX_JWS) -> Jws:
    """The parts of a compact JWS of up to ``limit`` characters (RFC 7515 §5.2, steps 1 to 7).

    Raises :class:`Malformed`; :class:`Unsupported` for an algorithm that is not in the table, ``none`` among them, and
    for headers that change how the rest is read.
    """
    if len(text) > limit:
        raise Malformed(where, f"larger than {limit} characters", code="TOO_LARGE")
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed(where, "not three parts with dots between them", code="BAD_JWS")
    header = (_short_header if len(parts[0]) <= MAX_KEPT_HEADER else _header)(parts[0], where)
    return Jws(
        text,
        header,
        str(header["alg"]),
        decode_base64url(parts[1], where=where, limit=limit),
        decode_base64url(parts[2], where=where),
    )


def _header(segment: str, where: str) -> Object:
    header = parse_object(decode_base64url(segment, where=where), where=f"{where} header", limits=HEADER_LIMITS)
    # ``crit`` names extensions that must be understood (RFC 7515 §4.1.11), and we have none; ``b64`` (RFC 7797) means
    # another payload to those who know it than to those who do not.
    for name in ("crit", "b64"):
        if name in header:
            raise Unsupported("signature header", name, code="UNSUPPORTED_SUITE")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise Malformed(f"{where} header/alg", "missing, or not a text", code="BAD_JWS")
    if algorithm not in ALGORITHMS:
        raise Unsupported("signature algorithm", algorithm, code="UNSUPPORTED_SUITE")
    if not isinstance(header.get("typ", ""), str) or not isinstance(header.get("kid", ""), str):
        raise Malformed(f"{where} header", "a typ or kid that is not a text", code="BAD_JWS")
    return MappingProxyType(header)


_short_header = lru_cache(maxsize=1024)(_header)  # all credentials of an issuer have the same; 1 MB at most


def verify_jws(
    jws: Jws, key: PublicKey, *, typ: str | None, algorithms: Collection[str] = ALGORITHMS, where: str = "JWS"
) -> bytes:
    """The payload of a JWS that ``key`` has signed as a ``typ`` (RFC 7515 §5.2, RFC 8725 §3.11); None for any typ.

    Raises :class:`Rejected`, or :class:`Malformed` for a signature of another length.
    """
    if typ is not None and jws.header.get("typ") != typ:
        raise Rejected((Finding("PURPOSE_MISMATCH", f"not signed as a {typ}", where),))
    if jws.algorithm not in algorithms:
        raise Rejected((Finding("SUITE_NOT_ALLOWED", f"{jws.algorithm} is not accepted here", where),))
    if ALGORITHMS[jws.algorithm] != key.kind:
        raise Rejected((Finding("KEY_MISMATCH", f"a {key.kind.name} key does not sign as {jws.algorithm}", where),))
    if len(jws.signature) != SIGNATURE_LENGTH[jws.algorithm]:
        raise Malformed(where, f"a signature of {jws.algorithm} has another length", code="BAD_SIGNATURE")
    try:
        verify_signature(key, jws.text.rpartition(".")[0].encode("ascii"), jws.signature)
    except Rejected as no:
        raise Rejected(tuple(Finding(finding.code, finding.message, where) for finding in no.findings)) from None
    return jws.unverified


def sign_jws(
    payload: bytes, *, key: Signer, typ: str, header: Mapping[str, Json] = NOTHING, algorithm: str | None = None
) -> str:
    """The compact JWS over ``payload`` (RFC 7515 §5.1); ``header`` are members beside ``alg`` and ``typ``.

    ``algorithm`` is a name of ALGORITHMS that fits the key; without it, the one that most readers know. Raises
    :class:`Unsupported` for a key that signs no JWS.
    """
    name = algorithm or SIGNS_AS.get(key.public.kind, key.public.kind.name)
    if ALGORITHMS.get(name) != key.public.kind:
        raise Unsupported("signature algorithm", f"{name} with a {key.public.kind.name} key", code="UNSUPPORTED_SUITE")
    if "alg" in header or "typ" in header:
        raise Malformed("JWS header", "alg and typ are arguments of their own", code="BAD_JWS")
    members = (("alg", name), ("typ", typ), *header.items())
    is_text = all(type(value) is str for value in header.values())
    protected = _text_header(members) if is_text else encode_base64url(to_json(dict(members)))
    signed = f"{protected}.{encode_base64url(payload)}"
    signature = key.sign(signed.encode("ascii"))
    if len(signature) != SIGNATURE_LENGTH[name]:  # hardware may answer in DER
        raise Malformed("signer", "has to give r and s side by side, or an Ed25519 signature", code="BAD_SIGNATURE")
    return f"{signed}.{encode_base64url(signature)}"


@lru_cache(maxsize=256)
def _text_header(members: tuple[tuple[str, Json], ...]) -> str:
    return encode_base64url(to_json(dict(members)))


def numeric_date(claims: Object, name: str, *, where: str = "JWT") -> float | None:
    """The seconds since 1970 of a time claim, or None without it (RFC 7519 §2). Raises :class:`Malformed`."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LAST_SECOND:
        raise Malformed(f"{where}/{name}", "not a number of seconds since 1970", code="BAD_DATE")
    return value


def check_times(claims: Object, at: datetime, *, where: str = "JWT") -> Iterator[Finding]:
    """What ``exp`` and ``nbf`` say against a JWT at a moment (RFC 7519 §4.1.4, §4.1.5). Raises :class:`Malformed`."""
    _, expires, starts = (numeric_date(claims, name, where=where) for name in ("iat", "exp", "nbf"))
    if expires is not None and at.timestamp() >= expires:
        yield Finding("EXPIRED", "past its end", f"{where}/exp")
    if starts is not None and (at + SKEW).timestamp() < starts:
        yield Finding("NOT_YET_VALID", "not valid yet", f"{where}/nbf")
