"""What a worker brings: a text that was pasted, a file, or a picture of a QR code. What it is, it says itself."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

import zxingcpp
from PIL import Image

from vc.canon import parse_object
from vc.errors import Malformed, VcError
from vc.offer import SCHEMES
from vc.oid4vp import Request, parse_request

MAX_REQUEST: Final = 1 << 18
MAX_SIDE: Final = 8192  # pixels: what a phone's camera makes, and no picture that unpacks to gigabytes
MAX_PIXELS: Final = 50_000_000
PICTURES: Final = ("PNG", "JPEG", "WEBP", "GIF")
_CODES: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_MAGIC: Final = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")


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
    if raw.startswith(_MAGIC):
        raw = read_picture(raw)
    return _read_json(raw) if raw.lstrip()[:1] in (b"{", b"[") else _read_link(raw)


def read_picture(raw: bytes) -> bytes:
    """What the QR code in a picture says. Raises :class:`Malformed` ``NO_QR`` where there is none."""
    try:
        with Image.open(BytesIO(raw), formats=PICTURES) as picture:
            if max(picture.size) > MAX_SIDE or picture.width * picture.height > MAX_PIXELS:
                raise Malformed("picture", f"has more than {MAX_SIDE} pixels on a side", code="TOO_LARGE")
            found = zxingcpp.read_barcodes(picture.convert("L"), formats=_CODES)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Malformed("picture", "cannot be read", code="NO_QR") from None
    texts = [one.text for one in found if one.text]
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
