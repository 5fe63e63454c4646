"""Type Metadata of SD-JWT VCs (draft-ietf-oauth-sd-jwt-vc-19, type-metadata), from documents that are given, never
fetched.

What a type says of its claims is checked against a credential; what it says of display is read and handed on.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from vc.canon import Json, Limits, parse_object
from vc.disclosure import ELLIPSIS, RESERVED, SD, Path, Revealed
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.model import Object

DOCUMENT_LIMITS: Final = Limits(size=1 << 18, depth=16)
MAX_DOCUMENTS: Final = 8  # of one type: itself and what it extends
MAX_ENTRIES: Final = 1024  # of a list in a document
MAX_PATH: Final = 32  # parts of a claim path
MAX_STEPS: Final = 50_000  # places in a credential that all paths of a type select on their way, together
MAX_INTEGRITY: Final = 1024  # characters

STRENGTH: Final[Mapping[str, Callable[[bytes], "hashlib._Hash"]]] = MappingProxyType(
    {"sha512": hashlib.sha512, "sha384": hashlib.sha384, "sha256": hashlib.sha256}  # strongest first
)
_SVG_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

ClaimPath: TypeAlias = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class ClaimMetadata:
    """What a type says of the claims at a path (draft §claim-metadata); None for what it leaves out."""

    path: ClaimPath
    sd: str | None  # always, allowed or never; None is allowed
    mandatory: bool | None
    display: tuple[Object, ...] | None  # each with ``locale`` and ``label``
    svg_id: str | None


@dataclass(frozen=True, slots=True)
class TypeMetadata:
    """One document, or a type with everything that it inherits (draft §type-metadata-format)."""

    vct: str
    name: str | None
    description: str | None
    extends: tuple[str, ...]  # of a document: none or one; of a resolved type: all, from the nearest on
    extends_integrity: Json
    display: tuple[Object, ...] | None  # each with ``locale`` and ``name``
    claims: tuple[ClaimMetadata, ...]


# ---- integrity -------------------------------------------------------------------------------------------------------


def verify_integrity(raw: bytes, integrity: Json, *, where: str) -> None:
    """Raise :class:`Rejected` unless a document is the one that "integrity metadata" names (draft §document-integrity).

    The strongest hash that is known counts, and any of its digests. Raises :class:`Malformed` for another syntax.
    """
    if not isinstance(integrity, str) or len(integrity) > MAX_INTEGRITY:
        raise Malformed(where, f"not a text of at most {MAX_INTEGRITY} characters", code="BAD_TYPE_METADATA")
    digests: dict[str, list[bytes]] = {}
    for expression in integrity.split():
        name, _, rest = expression.partition("-")
        if name in STRENGTH:
            digests.setdefault(name, []).append(_base64(rest.partition("?")[0], where))
    strongest = next((name for name in STRENGTH if name in digests), None)
    if strongest is None or STRENGTH[strongest](raw).digest() not in digests[strongest]:
        raise Rejected((Finding("INTEGRITY_MISMATCH", "not the document that was meant", where),))


def _base64(text: str, where: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise Malformed(where, "not base64", code="BAD_TYPE_METADATA") from None


# ---- a type and what it extends --------------------------------------------------------------------------------------


def resolve_type(vct: str, integrity: Json, documents: Mapping[str, bytes]) -> TypeMetadata:
    """A type with all that it inherits, from ``documents``: bytes as received, by ``vct`` (§extending-type-metadata).

    ``integrity`` is the credential's ``vct#integrity``, or None. Raises :class:`Undetermined` for a document that is
    not given, :class:`Malformed` or :class:`Rejected` for one that breaks the rules, also those of inheritance.
    """
    chain = [_load(vct, integrity, documents)]
    while chain[-1].extends:
        (parent,) = chain[-1].extends
        if len(chain) == MAX_DOCUMENTS or any(parent == document.vct for document in chain):
            raise _broken(f"a type that extends itself, or more than {MAX_DOCUMENTS - 1} others", "/extends")
        chain.append(_load(parent, chain[-1].extends_integrity, documents))
    claims: dict[ClaimPath, ClaimMetadata] = {}
    for document in reversed(chain):
        for own in document.claims:
            claims[own.path] = _inherit(claims[own.path], own) if own.path in claims else own
    _check_svg_ids(claims.values())
    return replace(
        chain[0],
        extends=tuple(document.vct for document in chain[1:]),
        display=next((document.display for document in chain if document.display is not None), None),
        claims=tuple(claims.values()),
    )


def _load(vct: str, integrity: Json, documents: Mapping[str, bytes]) -> TypeMetadata:
    if vct not in documents:
        raise Undetermined(
            f"no type metadata for {vct[:200]}", "get its document and try again", code="TYPE_METADATA_MISSING"
        )
    raw = documents[vct]
    if integrity is not None:
        verify_integrity(raw, integrity, where="vct#integrity")
    document = parse_type_metadata(raw)
    if document.vct != vct:
        raise _broken("a document of another type", "/vct")
    return document


def _inherit(inherited: ClaimMetadata, own: ClaimMetadata) -> ClaimMetadata:
    """§claim-metadata-extends: the child's properties over the parent's, but no looser ``sd`` or ``mandatory``."""
    if own.sd is not None and inherited.sd not in (None, "allowed", own.sd):
        raise _broken("a type that changes what its parent says of selective disclosure", "/claims/sd")
    if inherited.mandatory and own.mandatory is False:
        raise _broken("a type that makes optional what its parent makes mandatory", "/claims/mandatory")
    return ClaimMetadata(
        own.path,
        inherited.sd if own.sd is None else own.sd,
        inherited.mandatory if own.mandatory is None else own.mandatory,
        inherited.display if own.display is None else own.display,
        inherited.svg_id if own.svg_id is None else own.svg_id,
    )


def _check_svg_ids(claims: Iterable[ClaimMetadata]) -> None:
    names = [claim.svg_id for claim in claims if claim.svg_id is not None]
    if len(set(names)) != len(names):
        raise Malformed("/claims/svg_id", "one id for two claims", code="BAD_TYPE_METADATA")


# ---- one document ----------------------------------------------------------------------------------------------------


def parse_type_metadata(raw: bytes, *, where: str = "type metadata") -> TypeMetadata:
    """One document, whatever it extends (draft §type-metadata-format). Raises :class:`Malformed`."""
    document = parse_object(raw, where=where, limits=DOCUMENT_LIMITS)
    vct, extends = _text(document, "vct"), _text(document, "extends")
    if vct is None:
        raise Malformed(f"{where}/vct", "missing", code="BAD_TYPE_METADATA")
    display = _displays(document, "name")
    for entry in display or ():
        _check_rendering(entry.get("rendering", {}))
    claims = tuple(_claim(entry) for entry in _list(document, "claims"))
    if len({claim.path for claim in claims}) != len(claims):
        raise Malformed(f"{where}/claims", "one path twice", code="BAD_TYPE_METADATA")
    return TypeMetadata(
        vct,
        _text(document, "name"),
        _text(document, "description"),
        () if extends is None else (extends,),
        document.get("extends#integrity"),
        display,
        claims,
    )


def _claim(entry: Json) -> ClaimMetadata:
    members = _object(entry, "claims")
    sd, mandatory, svg_id = _text(members, "sd"), members.get("mandatory"), _text(members, "svg_id")
    if sd not in (None, "always", "allowed", "never"):
        raise Malformed("/claims/sd", "neither always, allowed nor never", code="BAD_TYPE_METADATA")
    if "mandatory" in members and not isinstance(mandatory, bool):
        raise Malformed("/claims/mandatory", "neither true nor false", code="BAD_TYPE_METADATA")
    if svg_id is not None and not _SVG_ID.match(svg_id):
        raise Malformed("/claims/svg_id", "not letters, digits and underscores", code="BAD_TYPE_METADATA")
    return ClaimMetadata(
        _path(members.get("path")),
        sd,
        mandatory if isinstance(mandatory, bool) else None,
        _displays(members, "label"),
        svg_id,
    )


def _path(value: Json) -> ClaimPath:
    """§claim-path: names, places in lists, and None for every place."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_PATH:
        raise Malformed("/claims/path", f"not a list of 1 to {MAX_PATH} parts", code="BAD_TYPE_METADATA")
    parts: list[str | int | None] = []
    for part in value:
        if isinstance(part, str) or part is None or (type(part) is int and part >= 0):
            parts.append(part)
        else:
            raise Malformed("/claims/path", "neither a name, an index nor null", code="BAD_TYPE_METADATA")
    return tuple(parts)


def _displays(members: Object, label: str) -> tuple[Object, ...] | None:
    """§display-metadata, §claim-display-metadata: an object for each locale; ``label`` is what people read."""
    if "display" not in members:
        return None
    displays = tuple(_object(entry, "display") for entry in _list(members, "display"))
    for display in displays:
        if _text(display, "locale") is None or _text(display, label) is None:
            raise Malformed("/display", f"an entry without locale or {label}", code="BAD_TYPE_METADATA")
        _text(display, "description")
    return displays


def _check_rendering(rendering: Json) -> None:
    """§rendering-metadata: what would be loaded to show a credential is named by https or data URIs only."""
    methods = _object(rendering, "rendering")
    simple = _object(methods.get("simple", {}), "simple")
    images = [simple[name] for name in ("logo", "background_image") if name in simple]
    for image in (*images, *_list(methods, "svg_templates")):
        uri = _text(_object(image, "rendering"), "uri")
        if uri is None or not uri.startswith(("https://", "data:")):
            raise Malformed("/display/rendering/uri", "neither an https nor a data URI", code="BAD_TYPE_METADATA")


def _object(value: Json, where: str) -> Object:
    if not isinstance(value, dict):
        raise Malformed(f"/{where}", "not an object", code="BAD_TYPE_METADATA")
    return value


def _list(members: Object, name: str) -> list[Json]:
    value = members.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise Malformed(f"/{name}", f"not a list of at most {MAX_ENTRIES}", code="BAD_TYPE_METADATA")
    return value


def _text(members: Object, name: str) -> str | None:
    value = members.get(name)
    if name in members and not isinstance(value, str):
        raise Malformed(f"/{name}", "not a text", code="BAD_TYPE_METADATA")
    return value if isinstance(value, str) else None


def _broken(why: str, where: str) -> Rejected:
    return Rejected((Finding("TYPE_RULES_BROKEN", why, where),))


# ---- a credential against its type -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Selection:
    """What a claim path selects (§claim-path): places with their values, and whether something hidden may belong to
    it. ``steps`` is the work that it took."""

    places: tuple[tuple[Path, Json], ...]
    may_be_hidden: bool
    steps: int


def check_claims(metadata: TypeMetadata, issued: Revealed, *, complete: bool) -> Iterator[Finding]:
    """Everything in which a credential breaks the rules of its type (draft §claim-metadata).

    ``issued`` keeps what is hidden (``reveal(…, keep_hidden=True)``), so that places in lists count as issued.
    ``complete`` is for a holder, who has every disclosure; for a verifier, a claim that may be hidden is not missing.
    Raises :class:`Malformed` beyond MAX_STEPS.
    """
    steps = 0
    for claim in metadata.claims:
        selection = select(claim.path, issued.claims)
        if selection is None:
            yield Finding("TYPE_RULES_BROKEN", "a claim that is no object or no list, as its type says", "/claims")
            continue
        steps += selection.steps
        if steps > MAX_STEPS:
            raise Malformed("/claims", "select too many places of this credential", code="TOO_LARGE")
        if claim.mandatory and not selection.places and (complete or not selection.may_be_hidden):
            yield Finding("TYPE_RULES_BROKEN", "a claim is missing that its type makes mandatory", "/claims")
        for place, value in selection.places:
            selective = place in issued.disclosed or _is_hidden(value)
            if claim.sd == ("never" if selective else "always"):
                yield Finding("TYPE_RULES_BROKEN", f"selective disclosure of a claim is {claim.sd}", "/claims")


def select(path: ClaimPath, claims: Json) -> Selection | None:
    """§claim-path, on claims that keep what is hidden; None where processing ends in an error.

    Raises :class:`Malformed` beyond MAX_STEPS.
    """
    chosen: list[tuple[Path, Json]] = [((), claims)]
    may_be_hidden = False
    steps = 0
    for part in path:
        known = [(place, value) for place, value in chosen if not _is_hidden(value)]
        if not all(isinstance(value, dict if isinstance(part, str) else list) for _, value in known):
            return None
        may_be_hidden = may_be_hidden or len(known) < len(chosen) or any(_hides(part, value) for _, value in known)
        chosen = [step for place, value in known for step in _step(part, place, value)]
        steps += len(chosen)
        if steps > MAX_STEPS:
            raise Malformed("/claims/path", "selects too many places of this credential", code="TOO_LARGE")
    return Selection(tuple(chosen), may_be_hidden, steps)


def _step(part: str | int | None, place: Path, value: Json) -> Iterator[tuple[Path, Json]]:
    if isinstance(value, dict) and isinstance(part, str):
        if part in value and part not in RESERVED:
            yield (*place, part), value[part]
    elif isinstance(value, list):
        for index in range(len(value)) if part is None else (part,):
            if isinstance(index, int) and index < len(value):
                yield (*place, index), value[index]


def _hides(part: str | int | None, value: Json) -> bool:
    """Whether an object has digests left, one of which may be of the claim ``part``."""
    return isinstance(part, str) and isinstance(value, dict) and part not in value and SD in value


def _is_hidden(value: Json) -> bool:
    """Whether a list's element was not disclosed: after ``reveal``, nothing else has this name."""
    return isinstance(value, dict) and ELLIPSIS in value
