"""The formats of credentials that this wallet keeps: as issuers name them, and as verifiers say what they check."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vc.canon import Json
from vc.errors import Unsupported
from vc.jose import ALGORITHMS
from vc.keys import ED25519, P256, KeyKind
from vc.model import Object
from vc.oid4vp import SD_JWT_VC, Request
from vc.sdjwt import parse_sd_jwt
from vc.suites.plain import ECDSA_RDFC_2019, EDDSA_RDFC_2022
from wallet.keys import kind_of

if TYPE_CHECKING:
    from wallet.choose import Copy

SD_JWT: Final = "sd-jwt"  # the name of a suite that is none
FORMATS: Final = ("bbs-2023", "ecdsa-sd-2023", SD_JWT)  # those first that tell least when they are shown
ALL: Final = "all"
SENSIBLE: Final = frozenset[str]()  # no format named: what to_take chooses

# What a key of the wallet signs a KB-JWT as; Ed25519 has two names (RFC 9864), of which the first is known to more.
KEY_BINDING: Final[Mapping[KeyKind, tuple[str, ...]]] = MappingProxyType(
    {ED25519: ("EdDSA", "Ed25519"), P256: ("ES256",)}
)
HOLDER_SUITES: Final[Mapping[KeyKind, str]] = MappingProxyType(
    {ED25519: EDDSA_RDFC_2022.name, P256: ECDSA_RDFC_2019.name}
)


def parse_formats(names: Collection[str]) -> frozenset[str]:
    """The formats that these names mean; :data:`SENSIBLE` for none. Raises :class:`Unsupported`."""
    for name in names:
        if name not in (*FORMATS, ALL):
            raise Unsupported("--format", f"{name}; known are {', '.join(FORMATS)} and {ALL}", code="UNKNOWN_FORMAT")
    return frozenset(FORMATS if ALL in names else names)


def to_take(offered: Mapping[str, Json], formats: Collection[str]) -> tuple[str, ...]:
    """Of the configurations of an offer, by name, those that are fetched: what is in one of ``formats``.

    For :data:`SENSIBLE`, one set of each statement: of the JSON-LD ones that in the format that tells least, since both
    answer the same requests; and the SD-JWT VC beside it, which alone answers verifiers who ask for the format of the
    European wallets. It costs nothing while it is not shown: its copies are bound to the same keys.
    """
    kinds = {name: kind for name, described in offered.items() if (kind := format_of(described)) is not None}
    if formats:
        return tuple(name for name, kind in kinds.items() if kind in formats)
    best: dict[str, int] = {}
    for name, kind in kinds.items():
        about = _about(offered[name])
        best[about] = min(best.get(about, len(FORMATS)), FORMATS.index(kind))
    return tuple(name for name, kind in kinds.items() if kind == SD_JWT or FORMATS[best[_about(offered[name])]] == kind)


def _about(configuration: Json) -> str:
    """What a configuration is about: its types, or its vct (OpenID4VCI §A.1.2.1, §A.3.2)."""
    described = configuration if isinstance(configuration, dict) else {}
    defined = described.get("credential_definition")
    types = defined.get("type") if isinstance(defined, dict) else described.get("vct")
    return ",".join(sorted(map(str, types))) if isinstance(types, list) else str(types)


def format_of(configuration: Json) -> str | None:
    """The format of a credential configuration (OpenID4VCI §12.2.4, §A.1.2, §A.3); None for one that is not ours."""
    if not isinstance(configuration, dict):
        return None
    named = configuration.get("credential_signing_alg_values_supported")
    algorithms = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
    match configuration.get("format"):
        case "ldp_vc":
            return next((suite for suite in FORMATS if suite in algorithms), None)
        case "dc+sd-jwt" if named is None or not ALGORITHMS.keys().isdisjoint(algorithms):
            return SD_JWT
    return None


def can_check(request: Request, copy: "Copy") -> bool:
    """Whether the verifier says that it can check what ``copy`` would become (OID4VP §11.1, §B.1.3.2.3, §B.3.4). One
    that says nothing of it is taken to be able to."""
    formats = _supported(request)
    if not formats:
        return True
    stated = formats.get(copy.format)
    if not isinstance(stated, dict):
        return False
    signed, *_ = suites = signs_as(copy)
    if isinstance(copy.document, str):
        bound = copy.holder is None or bool(key_binding(request, kind_of(copy.holder)))
        return bound and _names(stated, "sd-jwt_alg_values", signed)
    return _names(stated, "proof_type_values", "DataIntegrityProof") and all(
        _names(stated, "cryptosuite_values", suite) for suite in suites
    )


def signs_as(copy: "Copy") -> tuple[str, ...]:
    """What a showing of ``copy`` is signed with, as OpenID4VP names it: by its issuer, and by the key of its holder."""
    if isinstance(copy.document, str):
        issuers = parse_sd_jwt(copy.document).jws.algorithm
        return (issuers, KEY_BINDING[kind_of(copy.holder)][0]) if copy.holder else (issuers,)
    return (copy.suite, HOLDER_SUITES[kind_of(copy.holder)]) if copy.holder else (copy.suite,)


def key_binding(request: Request, kind: KeyKind) -> str:
    """The name of the algorithm for a KB-JWT by a key of this ``kind`` that the verifier checks; empty for none."""
    stated = _supported(request).get(SD_JWT_VC)
    checked = [
        name for name in KEY_BINDING[kind] if not isinstance(stated, dict) or _names(stated, "kb-jwt_alg_values", name)
    ]
    return checked[0] if checked else ""


def _supported(request: Request) -> Object:
    metadata = request.extra.get("client_metadata")
    formats = metadata.get("vp_formats_supported") if isinstance(metadata, dict) else None
    return formats if isinstance(formats, dict) else {}


def _names(stated: Object, member: str, wanted: str) -> bool:
    listed = stated.get(member)
    return not isinstance(listed, list) or wanted in listed
