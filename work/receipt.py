"""A retention receipt: a verifier's signed word to a worker on what it keeps of an answer, and until when.

It is a JWS by the key that signed the request, under the same name; whoever holds the request can check it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

from cryptography import x509

from vc.canon import Json, Limits, parse_object, to_json
from vc.client_id import ClientId, client_key
from vc.documents import Documents
from vc.errors import Finding, Malformed, Rejected
from vc.jose import numeric_date, parse_jws, sign_jws, verify_jws
from vc.keys import Signer
from vc.model import Object

TYP: Final = "ouvrage-retention-receipt+jwt"
MEMBER: Final = "retention_receipt"  # of the verifier's reply to an answer (OID4VP §8.2 lets it have others)
MAX_RECEIPT: Final = 1 << 15  # characters: a chain of five certificates has most of it
MAX_TEXT: Final = 2048
_LIMITS: Final = Limits(size=1 << 14, depth=4)
_WHERE: Final = "receipt"


class Kept(StrEnum):
    """What a verifier keeps until the day that it says."""

    REPORT = "report"  # what was proven, and nothing that could be shown to somebody else as a proof
    ANSWER = "answer"  # the presentation itself, too


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a verifier says that it keeps. ``erase_by`` is the day at whose end nothing of it is left."""

    verifier: str  # the client_id of the request
    nonce: str  # of the request: which answer this is about
    purpose: str
    received: datetime
    kept: tuple[Kept, ...]
    erase_by: date | None
    answer_sha256: str

    def to_json(self) -> dict[str, Json]:
        """The claims of the JWS."""
        return {
            "iss": self.verifier,
            "nonce": self.nonce,
            "iat": int(self.received.timestamp()),
            "purpose": self.purpose,
            "kept": [one.value for one in self.kept],
            "eraseBy": None if self.erase_by is None else f"{self.erase_by:%Y-%m-%d}",
            "answerSha256": self.answer_sha256,
        }


def sign_receipt(receipt: Receipt, *, key: Signer, header: Object) -> str:
    """The receipt as a JWS; ``header`` names the key as the request's did."""
    return sign_jws(to_json(receipt.to_json()), key=key, typ=TYP, header=header)


def verify_receipt(
    text: str,
    *,
    client_id: str,
    nonce: str,
    roots: Collection[x509.Certificate],
    documents: Documents,
    at: datetime,
) -> Receipt:
    """The receipt for an answer to the request with this ``client_id`` and ``nonce``, signed by who asked.

    Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected`.
    """
    jws = parse_jws(text.strip(), where=_WHERE, limit=MAX_RECEIPT)
    _, key = client_key(ClientId.parse(client_id), jws.header, roots=roots, documents=documents, at=at)
    claims = parse_object(verify_jws(jws, key, typ=TYP, where=_WHERE), where=_WHERE, limits=_LIMITS)
    receipt = _parse(claims)
    if (receipt.verifier, receipt.nonce) != (client_id, nonce):
        raise Rejected((Finding("RECEIPT_MISMATCH", "is about another answer, or by another verifier", _WHERE),))
    return receipt


def _parse(claims: Object) -> Receipt:
    received = numeric_date(claims, "iat", where=_WHERE)
    kept = claims.get("kept")
    if received is None or not isinstance(kept, list) or not all(one in set(Kept) for one in kept):
        raise Malformed(_WHERE, "does not say when, and what of the answer is kept")
    return Receipt(
        verifier=_text(claims, "iss"),
        nonce=_text(claims, "nonce"),
        purpose=_text(claims, "purpose"),
        received=datetime.fromtimestamp(received, UTC),
        kept=tuple(Kept(str(one)) for one in kept),
        erase_by=_day(claims.get("eraseBy")),
        answer_sha256=_text(claims, "answerSha256"),
    )


def _text(claims: Object, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise Malformed(f"{_WHERE}/{name}", f"not a text of at most {MAX_TEXT} characters")
    return value


def _day(value: Json) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == len("2026-11-24") else "")
    except ValueError:
        raise Malformed(f"{_WHERE}/eraseBy", "not a day such as 2026-11-24", code="BAD_DATE") from None
