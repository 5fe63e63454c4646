"""What a worker brings: a text that was pasted, a file, or a picture of a QR code. What it is, it says itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from vc.canon import parse_object
from vc.errors import Malformed, VcError
from vc.frames import is_frame, join
from vc.io.pictures import MAX_FILES, is_picture, said
from vc.offer import SCHEMES
from vc.oid4vp import Request, parse_request
from wallet.answering import link_in
from work.dictionary import DICTIONARIES

MAX_REQUEST: Final = 1 << 18
MAX_PARAMETERS: Final = 64  # of a link
REQUEST_SCHEMES: Final = ("openid4vp", "haip-vp")  # OID4VP §13.1.2, HAIP §5; of any other with a client_id, too


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Where a platform's offer is, or the offer itself."""

    link: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials, still to be verified."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class RequestLink:
    """Where a verifier's request is, or the request itself. ``pasted``: the worker has seen where it leads, which
    nobody sees of a picture."""

    link: str
    pasted: bool


Brought = OfferLink | Credentials | Request | RequestLink


def read_brought(text: str, files: tuple[bytes, ...]) -> Brought:
    """What was pasted, or else what is in the file, or in the pictures of one message. Raises :class:`Malformed` where
    it is nothing of ours."""
    pasted = text.strip().encode()
    given = (pasted,) if pasted else files
    if not given:
        raise Malformed("field", "nothing was pasted and no file was chosen", code="NOTHING_BROUGHT")
    if len(given) > MAX_FILES:
        raise Malformed("files", f"more than {MAX_FILES}", code="TOO_LARGE")
    raw = given[0] if len(given) == 1 and not _has_codes(given[0]) else read_pictures(given)
    read = _read_json if raw.lstrip()[:1] in (b"{", b"[") else _read_link
    return read(raw, pasted=bool(pasted))


def _has_codes(raw: bytes) -> bool:
    """Whether it is a picture, or the text of QR codes that belong together."""
    return is_picture(raw) or is_frame(raw[:64].decode("ascii", "replace"))


def read_pictures(given: Sequence[bytes]) -> bytes:
    """What the QR codes in pictures say, together. Raises :class:`Malformed` ``NO_QR`` where there are none,
    ``FRAME_MISSING`` where there are not all."""
    try:
        texts = [text for raw in given for text in said(raw, where="picture") if text]
        if any(map(is_frame, texts)):
            return join(filter(is_frame, texts), dictionaries=DICTIONARIES, where="picture").raw
    except VcError as error:
        code = error.code if error.code in ("TOO_LARGE", "FRAME_MISSING", "FRAMES_MIXED") else "NO_QR"
        raise Malformed("picture", f"cannot be read: {error}", code=code) from None
    if not texts:
        raise Malformed("picture", "there is no QR code in it that can be read", code="NO_QR")
    if len(set(texts)) > 1:
        raise Malformed("picture", "several QR codes that do not belong together", code="FRAMES_MIXED")
    return texts[0].encode()


def _read_link(raw: bytes, *, pasted: bool) -> Brought:
    try:
        link = raw.decode("utf-8").strip()
        parts = urlsplit(link)
        names = parse_qs(parts.query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise Malformed("text", "neither a link nor a file of ours", code="UNKNOWN_THING") from None
    if parts.scheme.lower() in SCHEMES or "credential_offer" in names or "credential_offer_uri" in names:
        return OfferLink(link)
    if parts.scheme.lower() in REQUEST_SCHEMES or "request_uri" in names or "client_id" in names:
        return RequestLink(link, pasted)
    raise Malformed("text", "neither a link nor a file of ours", code="UNKNOWN_THING")


def _read_json(raw: bytes, *, pasted: bool) -> Brought:
    """An offer as ``issuer offer --json`` prints it, a request as ``verifier request`` does, or credentials."""
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
    if (link := link_in(members)) is not None:
        return RequestLink(link, pasted)
    return Credentials(raw)
