"""Envelopes: objects whose ``id`` is a data: URL that carries something secured by JOSE, SD-JWT or COSE
(vc-data-model-2.0#enveloped-verifiable-credentials). Parsed and built here; what they carry is :mod:`vc.enveloped`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.model import CREDENTIALS_V2, ENVELOPED_CREDENTIAL, check_context
from vc.multibase import decode_base64url, encode_base64url

ENVELOPED_PRESENTATION: Final = "EnvelopedVerifiablePresentation"
MAX_ENVELOPE: Final = 1 << 20  # characters: what else is read whole has the same bound

_DATA: Final = "data:"
_BASE64: Final = "base64"
_TO_URL: Final = str.maketrans("+/", "-_")
_FROM_URL: Final = str.maketrans("-_", "+/")


class Content(StrEnum):
    """What is secured: a credential or a presentation, by the subtype of its media type."""

    CREDENTIAL = "vc"
    PRESENTATION = "vp"


class Securing(StrEnum):
    """How it is secured, by the suffix of the media type."""

    JWT = "jwt"
    SD_JWT = "sd-jwt"
    COSE = "cose"
    LEGACY_JWT = "legacy"  # claims named vc or vp (vc-data-model-1.1#json-web-token): read, never made


@dataclass(frozen=True, slots=True)
class Form:
    """A row of the media types (vc-jose-cose#media-types)."""

    media_type: str
    content: Content
    securing: Securing


LEGACY_MEDIA_TYPE: Final = "application/jwt"

_FORMS: Final = tuple(
    Form(f"application/{content}+{securing}", content, securing)
    for content in Content
    for securing in (Securing.JWT, Securing.SD_JWT, Securing.COSE)
)
FORMS: Final[Mapping[str, Form]] = MappingProxyType({form.media_type: form for form in _FORMS})
LEGACY: Final[Mapping[Content, Form]] = MappingProxyType(
    {content: Form(LEGACY_MEDIA_TYPE, content, Securing.LEGACY_JWT) for content in Content}
)
_TYPES: Final[Mapping[str, Content]] = MappingProxyType(
    {ENVELOPED_CREDENTIAL: Content.CREDENTIAL, ENVELOPED_PRESENTATION: Content.PRESENTATION}
)


@dataclass(frozen=True, slots=True)
class Secured:
    """Something secured, as received: the form that it is said to have, and its bytes. Nothing in it is verified."""

    form: Form
    body: bytes = field(repr=False)  # ASCII of a JWT or an SD-JWT; COSE as it is

    @property
    def text(self) -> str:
        """A JWT or an SD-JWT as text, COSE in base64: what a data: URL says after its comma. Raises Malformed."""
        if self.form.securing is Securing.COSE:
            return _encode_base64(self.body)
        try:
            return self.body.decode("ascii")
        except UnicodeDecodeError:
            raise Malformed(self.form.media_type, "not ASCII", code="BAD_ENVELOPE") from None


def form_of(media_type: str, content: Content) -> Form:
    """The form that a media type names, for ``content``. Raises :class:`Unsupported` or :class:`Malformed`."""
    if media_type == LEGACY_MEDIA_TYPE:
        return LEGACY[content]
    form = FORMS.get(media_type)
    if form is None:
        raise Unsupported("media type", media_type, code="UNSUPPORTED_SUITE")
    if form.content is not content:
        raise Malformed("media type", f"{media_type} is no {content}", code="BAD_ENVELOPE")
    return form


def parse_text(text: str, form: Form, *, where: str = "") -> Secured:
    """What :attr:`Secured.text` was, for a known form. Raises :class:`Malformed`."""
    if len(text) > MAX_ENVELOPE:
        raise Malformed(where, f"more than {MAX_ENVELOPE} characters", code="TOO_LARGE")
    if form.securing is Securing.COSE:
        return Secured(form, _decode_base64(text, where))
    if not text.isascii():
        raise Malformed(where, "not ASCII", code="BAD_ENVELOPE")
    return Secured(form, text.encode("ascii"))


def envelope(secured: Secured) -> dict[str, Json]:
    """The object that carries ``secured`` (vc-data-model-2.0#enveloped-verifiable-credentials)."""
    encoding = f";{_BASE64}" if secured.form.securing is Securing.COSE else ""
    (kind,) = (name for name, content in _TYPES.items() if content is secured.form.content)
    return {
        "@context": CREDENTIALS_V2,
        "id": f"{_DATA}{secured.form.media_type}{encoding},{secured.text}",
        "type": kind,
    }


def parse_envelope(value: Json, *, content: Content, where: str = "") -> Secured:
    """What an envelope carries (vc-data-model-2.0#enveloped-verifiable-credentials).

    An envelope that says anything beside ``@context``, ``id`` and ``type`` is refused: nothing secures it. Raises
    :class:`Malformed`, or :class:`Unsupported` for a media type that we do not know.
    """
    if not isinstance(value, dict):
        raise Malformed(where, "not an object", code="NOT_AN_OBJECT")
    contexts = value.get("@context")
    listed: Json = contexts if isinstance(contexts, list) else [contexts]
    check_context({"@context": listed}, where, versions=(CREDENTIALS_V2,))
    types = value.get("type")
    kind = types[0] if isinstance(types, list) and len(types) == 1 else types
    if not isinstance(kind, str) or _TYPES.get(kind) is not content:
        raise Malformed(f"{where}/type", f"not an envelope of a {content}", code="BAD_TYPE")
    if value.keys() != {"@context", "id", "type"}:
        raise Malformed(where, "says something that nothing secures", code="BAD_ENVELOPE")
    return parse_data_url(value["id"], content=content, where=f"{where}/id")


def parse_data_url(url: Json, *, content: Content, where: str = "") -> Secured:
    """What a data: URL carries (RFC 2397, vc-jose-cose#media-types); COSE is in base64, and nothing else is.

    Raises :class:`Malformed`, or :class:`Unsupported` for a media type that we do not know.
    """
    if not isinstance(url, str) or not url.startswith(_DATA):
        raise Malformed(where, "not a data: URL", code="BAD_ENVELOPE")
    if len(url) > MAX_ENVELOPE:
        raise Malformed(where, f"more than {MAX_ENVELOPE} characters", code="TOO_LARGE")
    head, _, text = url.removeprefix(_DATA).rstrip("\n").partition(",")  # no part of a URL (url.spec.whatwg.org)
    media_type, *parameters = head.split(";")
    form = form_of(media_type, content)
    if parameters != ([_BASE64] if form.securing is Securing.COSE else []) or not text:
        raise Malformed(where, "not the spelling of its media type in a data: URL", code="BAD_ENVELOPE")
    return parse_text(text, form, where=where)


def _encode_base64(data: bytes) -> str:
    text = encode_base64url(data).translate(_FROM_URL)
    return text + "=" * (-len(text) % 4)


def _decode_base64(text: str, where: str) -> bytes:
    """RFC 4648 §4; implementations disagree on the padding, so both forms are read."""
    bare = text.rstrip("=")
    if text not in (bare, bare + "=" * (-len(bare) % 4)) or not {"-", "_"}.isdisjoint(bare):
        raise Malformed(where, "not base64", code="BAD_ENVELOPE")
    return decode_base64url(bare.translate(_TO_URL), where=where)
