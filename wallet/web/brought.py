"""What a worker brings: a text that was pasted, a file, or a picture of a QR code. What it is, it says itself."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from vc.canon import parse_object
from vc.errors import Malformed, VcError
from vc.frames import is_frame, join
from vc.io.pictures import is_picture, read_codes
from vc.offer import SCHEMES
from vc.oid4vp import Request, parse_request
from work.dictionary import DICTIONARIES

MAX_REQUEST: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Where a platform's offer is, or the offer itself."""

    link: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials, still to be verified."""

    raw: bytes


Brought = OfferLink | Credentials | Request


def read_brought(text: str, files: tuple[bytes, ...]) -> Brought:
    """What was pasted, or else what is in the file. Raises :class:`Malformed` where it is nothing of ours."""
    raw = text.strip().encode() or (files[0] if files else b"")
    if not raw:
        raise Malformed("field", "nothing was pasted and no file was chosen", code="NOTHING_BROUGHT")
    if is_picture(raw):
        raw = read_picture(raw)
    return _read_json(raw) if raw.lstrip()[:1] in (b"{", b"[") else _read_link(raw)


def read_picture(raw: bytes) -> bytes:
    """What the QR codes in a picture say. Raises :class:`Malformed` ``NO_QR`` where there are none, or not all."""
    try:
        texts = [text for text in read_codes(raw, where="picture") if text]
        if any(map(is_frame, texts)):
            return join(filter(is_frame, texts), dictionaries=DICTIONARIES, where="picture").raw
    except VcError as error:
        code = "TOO_LARGE" if error.code == "TOO_LARGE" else "NO_QR"
        raise Malformed("picture", f"cannot be read: {error}", code=code) from None
    if not texts:
        raise Malformed("picture", "there is no QR code in it that can be read", code="NO_QR")
    return texts[0].encode()


def _read_link(raw: bytes) -> Brought:
    try:
        link = raw.decode("utf-8").strip()
        parts = urlsplit(link)
    except ValueError:
        raise Malformed("text", "neither a link nor a file of ours", code="UNKNOWN_THING") from None
    if parts.scheme.lower() in SCHEMES or "credential_offer" in parts.query:
        return OfferLink(link)
    if parts.scheme.lower() in ("openid4vp", "haip-vp") or "request_uri" in parts.query:
        raise Malformed("link", "a request by a link cannot be answered here yet", code="REQUEST_LINK")
    raise Malformed("text", "neither a link nor a file of ours", code="UNKNOWN_THING")


def _read_json(raw: bytes) -> Brought:
    """An offer as ``issuer offer --json`` prints it, a request, or credentials."""
    try:
        members = parse_object(raw, where="file") if raw.lstrip().startswith(b"{") else {}
    except VcError:
        members = {}  # too large for a request: whoever reads credentials says what is wrong
    if isinstance(members.get("offer"), str):
        return OfferLink(str(members["offer"]))
    if "dcql_query" in members or "response_type" in members:
        if len(raw) > MAX_REQUEST:
            raise Malformed("request", f"larger than {MAX_REQUEST} bytes", code="TOO_LARGE")
        return parse_request(raw)
    return Credentials(raw)
