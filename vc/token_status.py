"""Token Status List (draft-ietf-oauth-status-list-20, editors' text of April 2026): build, update, read; JWT and CWT.

A list is read as it was received, compressed, and inflated in pieces. Keys are found by the caller; what is verified
here is that the token is one, signed by that key, about that list, and not past its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from vc import cbor
from vc.canon import Json, Limits, parse_object, to_json
from vc.cose import MAX_COSE, Sign1, sign_sign1, verify_sign1
from vc.deflate import MAX_DEFLATED, ZLIB, deflate, inflate, pick
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.jose import LAST_SECOND, SKEW, Jws, parse_jws, sign_jws, verify_jws
from vc.keys import PublicKey, Signer
from vc.model import is_url
from vc.multibase import decode_base64url, encode_base64url
from vc.status import REVOKED, SUSPENDED, unknown_status, unusable

SIZES: Final = (1, 2, 4, 8)
APPLICATION_SPECIFIC: Final = frozenset({3, 12, 13, 14, 15})  # Status Types Values
TYP_JWT: Final = "statuslist+jwt"
TYP_CWT: Final = "application/statuslist+cwt"
MAX_ENCODED: Final = MAX_DEFLATED * 4 // 3  # characters
TOKEN_LIMITS: Final = Limits(size=MAX_ENCODED + 4096, depth=8)
MAX_JWT: Final = TOKEN_LIMITS.size * 4 // 3 + 4096  # characters
MAX_INDEX: Final = 10**10
MAX_TTL: Final = 10**9  # seconds: 30 years
MAX_LISTS: Final = 10_000  # in one aggregation: 1.3 billion statuses in lists of the smallest usual size

# Keys of CWT claims: RFC 8392 §4, and those that the draft asks for.
_CWT: Final[Mapping[str, int]] = {
    "iss": 1,
    "sub": 2,
    "exp": 4,
    "iat": 6,
    "status_list": 65533,
    "ttl": 65534,
    "status": 65535,
}
_NAMES: Final[Mapping[int, str]] = {key: name for name, key in _CWT.items()}


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Which status of which list is a token's (Referenced Token in JOSE, Referenced Token in COSE)."""

    uri: str
    index: int

    @classmethod
    def parse(cls, claim: object, *, where: str = "/status") -> Self:
        """The ``status`` claim of a token; the structure is the same in CBOR. Raises :class:`Malformed`."""
        match claim:
            case {"status_list": {"idx": int(index), "uri": str(uri)}}:
                if not isinstance(index, bool) and 0 <= index < MAX_INDEX and is_url(uri):
                    return cls(uri, index)
        raise _bad(where, "names no place in a status list")

    def to_json(self) -> dict[str, Json]:
        """The ``status`` claim."""
        return {"status_list": {"idx": self.index, "uri": self.uri}}


@dataclass(frozen=True, slots=True)
class TokenStatusList:
    """A status list (Status List), compressed as received: ``bits`` for each status, 1, 2, 4 or 8."""

    bits: int
    compressed: bytes = field(repr=False)
    aggregation_uri: str | None = None

    @classmethod
    def parse(cls, value: Json, *, where: str = "/status_list") -> Self:
        """Status List in JSON Format. Raises :class:`Malformed`."""
        if not isinstance(value, dict) or not isinstance(text := value.get("lst"), str):
            raise _bad(where, "not an object with a list")
        return cls._of(value, decode_base64url(text, where=f"{where}/lst", limit=MAX_ENCODED), where)

    @classmethod
    def parse_cbor(cls, value: cbor.Cbor, *, where: str = "/status_list") -> Self:
        """Status List in CBOR Format, decoded. Raises :class:`Malformed`."""
        if not isinstance(value, dict) or not isinstance(compressed := value.get("lst"), bytes):
            raise _bad(where, "not a map with a list")
        return cls._of(value, compressed, where)

    @classmethod
    def _of(cls, value: Mapping[str, object], compressed: bytes, where: str) -> Self:
        bits, uri = value.get("bits"), value.get("aggregation_uri")
        if not isinstance(bits, int) or isinstance(bits, bool) or bits not in SIZES:
            raise _bad(f"{where}/bits", "not 1, 2, 4 or 8")
        if not isinstance(uri, str | None) or (uri is None and "aggregation_uri" in value):
            raise _bad(f"{where}/aggregation_uri", "not a text")
        return cls(bits, compressed, uri)

    @classmethod
    def of(cls, statuses: bytes, *, bits: int, aggregation_uri: str | None = None) -> Self:
        """The list that holds ``statuses``, packed as :func:`set_statuses` does (Compressed Byte Array)."""
        _check_bits(bits)
        return cls(bits, deflate(statuses, form=ZLIB), aggregation_uri)

    def read(self, index: int) -> int:
        """The value of one status. Raises :class:`Rejected` beyond the list's end, :class:`Malformed` for no list."""
        byte, place = divmod(index * self.bits, 8)
        picked, _ = pick(inflate(self.compressed, form=ZLIB, where="lst"), byte, byte + 1)
        if index < 0 or not picked:
            raise Rejected((Finding("RANGE_ERROR", "names a place that its status list does not have", "/status"),))
        return picked[0] >> place & ((1 << self.bits) - 1)

    def expand(self) -> bytes:
        """All statuses, packed. Raises :class:`Malformed`."""
        return b"".join(inflate(self.compressed, form=ZLIB, where="lst"))

    def to_json(self) -> dict[str, Json]:
        """Status List in JSON Format."""
        return {"bits": self.bits, "lst": encode_base64url(self.compressed), **self._aggregation()}

    def to_cbor(self) -> dict[str, cbor.Cbor]:
        """Status List in CBOR Format, to be encoded."""
        return {"bits": self.bits, "lst": self.compressed, **self._aggregation()}

    def _aggregation(self) -> dict[str, str]:
        return {} if self.aggregation_uri is None else {"aggregation_uri": self.aggregation_uri}


def new_statuses(entries: int, *, bits: int) -> bytes:
    """Room for ``entries`` statuses, all of them valid."""
    _check_bits(bits)
    return bytes((entries * bits + 7) // 8)


def set_statuses(statuses: bytes, values: Mapping[int, int], *, bits: int) -> bytes:
    """The statuses with these values at these indexes, packed from the lowest bit (Compressed Byte Array, step 3).

    Raises :class:`Malformed` for what does not fit in.
    """
    _check_bits(bits)
    changed, mask, room = bytearray(statuses), (1 << bits) - 1, len(statuses) * 8 // bits
    for index, value in values.items():
        if not 0 <= index < room or not 0 <= value <= mask:
            raise Malformed("status list", f"no room for {value} at {index}", code="RANGE_ERROR")
        byte, place = divmod(index * bits, 8)
        changed[byte] = changed[byte] & ~(mask << place) | value << place
    return bytes(changed)


def check_status_type(value: int) -> Iterator[Finding | Undetermined]:
    """What a status says against its token (Status Types Values). One that is not known here cannot be told."""
    if value == 1:
        yield REVOKED
    elif value == 2:
        yield SUSPENDED
    elif value != 0:
        yield unknown_status("a kind of status that is not known here")


@dataclass(frozen=True, slots=True)
class StatusListToken:
    """A Status List Token: which list it is, as of when, until when, and the list."""

    uri: str
    issued: datetime
    statuses: TokenStatusList
    expires: datetime | None = None
    ttl: timedelta | None = None
    issuer: str | None = None


def parse_status_jwt(text: str) -> Jws:
    """A Status List Token in JWT Format, read and not verified: its header says which key to look for.

    Raises :class:`Malformed` or :class:`Unsupported`.
    """
    return parse_jws(text, where="status list token", limit=MAX_JWT)


def verify_status_jwt(token: Jws, *, key: PublicKey, uri: str, at: datetime) -> StatusListToken:
    """The list ``uri`` that ``key`` has signed as a JWT, in force at ``at`` (Status List Token in JWT Format).

    Raises :class:`Rejected`, :class:`Malformed`, or :class:`Undetermined` for one that is past its end.
    """
    payload = verify_jws(token, key, typ=TYP_JWT, where="status list token")
    claims = parse_object(payload, where="status list token", limits=TOKEN_LIMITS)
    return _checked(_token(claims, TokenStatusList.parse(claims.get("status_list"))), uri, at)


def verify_status_cwt(token: Sign1, *, key: PublicKey, uri: str, at: datetime) -> StatusListToken:
    """The list ``uri`` that ``key`` has signed as a CWT, in force at ``at`` (Status List Token in CWT Format).

    Raises :class:`Rejected`, :class:`Malformed`, or :class:`Undetermined` for one that is past its end.
    """
    payload = verify_sign1(token, key, typ=TYP_CWT, where="status list token")
    claims = cbor.decode(payload, where="status list token", limit=MAX_COSE, sorted_keys=False)
    if not isinstance(claims, dict):
        raise _bad("status list token", "not a map of claims")
    named = {_NAMES[claim]: value for claim, value in claims.items() if claim in _NAMES}
    return _checked(_token(named, TokenStatusList.parse_cbor(named.get("status_list", 0))), uri, at)


def sign_status_jwt(token: StatusListToken, *, key: Signer, kid: str, x5c: Sequence[str] = ()) -> str:
    """The token as a JWT that ``key`` signs; ``kid``, and ``x5c`` if there is one, name the key to those who verify."""
    claims: dict[str, Json] = {**_claims(token), "status_list": token.statuses.to_json()}
    header: dict[str, Json] = {"kid": kid, **({"x5c": list[Json](x5c)} if x5c else {})}
    return sign_jws(to_json(claims), key=key, typ=TYP_JWT, header=header)


def sign_status_cwt(token: StatusListToken, *, key: Signer, kid: str) -> bytes:
    """The token as a CWT that ``key`` signs; ``kid`` names the key to those who verify."""
    claims: dict[object, object] = {_CWT[name]: value for name, value in _claims(token).items()}
    claims[_CWT["status_list"]] = token.statuses.to_cbor()
    return sign_sign1(cbor.encode(claims), key=key, typ=TYP_CWT, kid=kid.encode())


def check_status(
    claim: object, *, tokens: Mapping[str, StatusListToken], notes: frozenset[int] = frozenset()
) -> Iterator[Finding | Undetermined]:
    """What the verified ``tokens``, by URI, say of a token with this ``status`` claim (Validation Rules, step 4).

    ``notes`` are the application-specific values (3, 12 to 15) that the application knows, and that leave the token
    valid: :func:`read_status` tells them. Raises :class:`Malformed` for a claim that names no place in a list.
    """
    reference = StatusReference.parse(claim)
    token = tokens.get(reference.uri)
    if token is None:
        yield unknown_status("a status list that is not held here")
        return
    try:
        value = token.statuses.read(reference.index)
        yield from check_status_type(0 if value in notes & APPLICATION_SPECIFIC else value)
    except Rejected as no:
        yield from no.findings
    except Malformed as error:
        yield unusable(f"cannot be read ({error.code})")


def read_status(claim: object, *, tokens: Mapping[str, StatusListToken]) -> int:
    """The value that stands for a token with this ``status`` claim, once :func:`check_status` has nothing against it.

    Raises :class:`Malformed` or :class:`Rejected`; :class:`Undetermined` where the list is not held.
    """
    reference = StatusReference.parse(claim)
    if reference.uri not in tokens:
        raise unknown_status("a status list that is not held here")
    return tokens[reference.uri].statuses.read(reference.index)


def parse_aggregation(raw: bytes) -> tuple[str, ...]:
    """The URIs of an issuer's lists (Status List Aggregation Data Structure). Raises :class:`Malformed`."""
    uris = parse_object(raw, where="status list aggregation").get("status_lists")
    if not isinstance(uris, list) or len(uris) > MAX_LISTS or not all(is_url(uri) for uri in uris):
        raise _bad("status list aggregation", f"not a list of at most {MAX_LISTS} URIs")
    return tuple(map(str, uris))


def aggregation(uris: tuple[str, ...]) -> dict[str, Json]:
    """The document that names an issuer's lists."""
    return {"status_lists": list[Json](uris)}


def _claims(token: StatusListToken) -> dict[str, str | int]:
    claims: dict[str, str | int] = {"sub": token.uri, "iat": int(token.issued.timestamp())}
    if token.expires is not None:
        claims["exp"] = int(token.expires.timestamp())
    if token.ttl is not None:
        claims["ttl"] = token.ttl // timedelta(seconds=1)
    if token.issuer is not None:
        claims["iss"] = token.issuer
    return claims


def _token(claims: Mapping[str, object], statuses: TokenStatusList) -> StatusListToken:
    """The claims that are required, and those that are known; others may be there and say nothing here."""
    uri, issuer, issued = claims.get("sub"), claims.get("iss"), _moment(claims, "iat")
    if not isinstance(uri, str) or issued is None:
        raise _bad("status list token", "needs sub and iat")
    if not isinstance(issuer, str | None):
        raise _bad("status list token/iss", "not a text")
    return StatusListToken(uri, issued, statuses, _moment(claims, "exp"), _ttl(claims), issuer)


def _checked(token: StatusListToken, uri: str, at: datetime) -> StatusListToken:
    if token.uri != uri:  # else a list of the same signer in which nothing is set could stand for this one
        raise Rejected((Finding("STATUS_VERIFICATION_ERROR", "is the status list of another place", "/status"),))
    if at + SKEW < token.issued or (token.expires is not None and at >= token.expires):
        raise Undetermined(
            "the status list is from another time than the one asked about", "get a newer one", code="STATUS_STALE"
        )
    return token


def _moment(claims: Mapping[str, object], name: str) -> datetime | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LAST_SECOND:
        raise Malformed(f"status list token/{name}", "not a number of seconds since 1970", code="BAD_DATE")
    return datetime.fromtimestamp(value, UTC)


def _ttl(claims: Mapping[str, object]) -> timedelta | None:
    if "ttl" not in claims:
        return None
    value = claims["ttl"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_TTL:
        raise _bad("status list token/ttl", "not a positive number of seconds")
    return timedelta(seconds=value)


def _check_bits(bits: int) -> None:
    if bits not in SIZES:
        raise _bad("status list", "has 1, 2, 4 or 8 bits for each status")


def _bad(where: str, why: str) -> Malformed:
    return Malformed(where, why, code="MALFORMED_VALUE_ERROR")
