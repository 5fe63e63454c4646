"""The Credential Issuer Metadata (OpenID4VCI §12.2): what can be had here, and how, in the words of the schemas.

It is the same for everybody, in both languages, and changes only with the keys and the settings.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

from aiohttp import web

from issuer.config import Config
from issuer.deps import DEPS, Deps, in_thread
from issuer.formats import CONFIGURATIONS, CREDENTIAL_FORMAT, Configuration, Format
from issuer.keyring import KeyRing
from issuer.keys import IssuerKey
from issuer.sealing import JSON, JWT, encryption_metadata
from vc.canon import Json, parse_object, to_json
from vc.io.openapi import PROBLEM, PROBLEM_SCHEMA
from vc.io.route import Answer, Route
from vc.jose import SIGNS_AS, sign_jws
from vc.keyproof import ALGORITHMS, ATTESTATION, DI_VP
from vc.keyproof import JWT as JWT_PROOF
from vc.multibase import encode_base64url
from work.types import LANGUAGES, TYPES, Words
from work.vct import DOCUMENTS

PATH: Final = "/.well-known/openid-credential-issuer"
TYPES_PATH: Final = "/vct/{type}"
SIGNED_TYP: Final = "openidvci-issuer-metadata+jwt"
SIGNED_FOR: Final = timedelta(hours=24)  # signed anew each hour, the same by all replicas
MAX_AGE: Final = 300  # seconds

NONCE: Final = "/nonce"
CREDENTIAL: Final = "/credential"
DEFERRED: Final = "/deferred"
NOTIFICATION: Final = "/notification"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the description of a configuration depends on, beside the configuration."""

    algorithm: str  # of SD-JWT VCs
    attestations: bool  # whether providers of wallets are known
    attested: bool  # whether every key needs a key attestation
    key_storage: tuple[str, ...] = ()  # what it has to say
    user_authentication: tuple[str, ...] = ()


def metadata(config: Config, ring: KeyRing, *, at: datetime) -> dict[str, Json]:
    """The metadata parameters (§12.2.4) without ``credential_configurations_supported``."""
    keys = ring.signing(at)
    said: dict[str, Json] = {
        "credential_issuer": config.base,
        "credential_endpoint": config.base + CREDENTIAL,
        "nonce_endpoint": config.base + NONCE,
        "deferred_credential_endpoint": config.base + DEFERRED,
        "notification_endpoint": config.base + NOTIFICATION,
        **encryption_metadata(ring.secret, required=config.require_encryption),
    }
    if config.batch_size > 1:
        said["batch_credential_issuance"] = {"batch_size": config.batch_size}
    if keys.name:
        said["display"] = [{"name": keys.name, "locale": language} for language in LANGUAGES]
    return said


@lru_cache(maxsize=4)
def configurations(terms: Terms) -> bytes:
    """``credential_configurations_supported``: by far the largest part, made once."""
    return to_json({one.id: configuration_metadata(one, terms) for one in CONFIGURATIONS.values()})


def configuration_metadata(one: Configuration, terms: Terms) -> dict[str, Json]:
    """One of ``credential_configurations_supported``, with what its format adds (appendices A.1.2.2, A.3.2)."""
    described: dict[str, Json] = {"format": CREDENTIAL_FORMAT[one.format], "scope": one.id}
    if one.format is Format.SD_JWT:
        described["vct"] = one.kind.vct
        described["credential_signing_alg_values_supported"] = [terms.algorithm]
    else:
        contexts, types = list[Json](one.kind.contexts), list[Json](one.kind.types)
        described["credential_definition"] = {"@context": contexts, "type": types}
        described["credential_signing_alg_values_supported"] = [str(one.format)]
    return {
        **described,
        "cryptographic_binding_methods_supported": ["did:key", "did:jwk", "jwk"],
        "proof_types_supported": proof_types(one, terms),
        "credential_metadata": {
            "display": _credential_display(one),
            "claims": list[Json](_claims(one)),
        },
    }


def proof_types(one: Configuration, terms: Terms) -> dict[str, Json]:
    """The key proofs that are taken for a configuration, with what is required of them."""
    levels = {"key_storage": terms.key_storage, "user_authentication": terms.user_authentication}
    named: dict[str, Json] = {name: list[Json](values) for name, values in levels.items() if values}
    required: dict[str, Json] = {"key_attestations_required": named} if terms.attested else {}
    taken = taken_proofs(one, attested=terms.attested, attestations=terms.attestations)
    return {
        name: {"proof_signing_alg_values_supported": list[Json](algorithms), **required}
        for name, algorithms in taken.items()
    }


def taken_proofs(one: Configuration, *, attested: bool, attestations: bool) -> dict[str, tuple[str, ...]]:
    """The algorithms of the key proofs that are taken (appendix F): ``di_vp`` for linked data, ``attestation`` where
    wallet providers are known; where keys have to be attested, only what can come with a key attestation."""
    data_integrity = one.format is not Format.SD_JWT and not attested
    taken = {JWT_PROOF: True, DI_VP: data_integrity, ATTESTATION: attestations}
    return {name: ALGORITHMS[name] for name, is_taken in taken.items() if is_taken}


def _credential_display(one: Configuration) -> list[Json]:
    kind = one.kind
    return [
        {"name": kind.labels[language], "locale": language, "description": kind.explain[language]}
        for language in LANGUAGES
    ]


def _claims(one: Configuration) -> Iterator[Json]:
    """Descriptions of claims (appendix B.2), each by its path in the format."""
    for claim in one.kind.claims.values():
        flat = one.format is Format.SD_JWT
        path: list[Json] = [claim.jwt] if flat else ["credentialSubject", *claim.path]
        yield {"path": path, "mandatory": claim.mandatory, "display": _display(claim.labels)}


def _display(words: Words) -> list[Json]:
    return [{"name": words[language], "locale": language} for language in LANGUAGES]


# ---- how it is served ------------------------------------------------------------------------------------------------


def unsigned(deps: Deps) -> bytes:
    """The metadata as JSON."""
    ring, at, config = deps.keyring(), deps.now(), deps.config
    terms = Terms(
        SIGNS_AS[ring.signing(at).jwt.public.kind],
        bool(config.wallet_roots),
        config.attested_keys,
        config.key_storage,
        config.user_authentication,
    )
    head = to_json(metadata(config, ring, at=at)).removesuffix(b"}")
    return b"".join((head, b',"credential_configurations_supported":', configurations(terms), b"}"))


def signed(deps: Deps) -> bytes:
    """The metadata as a JWT (§12.2.3), the same for an hour: with our certificates, or with the DID of the key."""
    hour = deps.now().replace(minute=0, second=0, microsecond=0)
    keys = deps.keyring().signing(deps.now())
    return _signed(unsigned(deps), deps.config.base, keys.jwt, keys.x5c, hour)  # type: ignore[arg-type]  # every kind of key is frozen


@lru_cache(maxsize=2)  # anybody may ask: a key that is kept elsewhere signs once an hour
def _signed(said: bytes, base: str, key: IssuerKey, x5c: tuple[str, ...], hour: datetime) -> bytes:
    claims: dict[str, Json] = {
        **parse_object(said),
        "iss": key.verification_method.partition("#")[0],
        "sub": base,
        "iat": int(hour.timestamp()),
        "exp": int((hour + SIGNED_FOR).timestamp()),
    }
    named: dict[str, Json] = {"x5c": list(x5c)} if x5c else {"kid": key.verification_method}
    return sign_jws(to_json(claims), key=key, typ=SIGNED_TYP, header=named).encode()


async def get_metadata(request: web.Request) -> web.Response:
    """The metadata, signed for who asks for ``application/jwt``."""
    deps = request.app[DEPS]
    wants = _preferred(request.headers.get("Accept", ""))
    body = await in_thread(lambda: signed(deps) if wants == JWT else unsigned(deps))
    return cached(request, body, wants, vary="Accept, Accept-Encoding")


async def get_type(request: web.Request) -> web.Response:
    """The Type Metadata of a type of SD-JWT VC, byte for byte what ``vct#integrity`` was computed from."""
    kind = TYPES.get(request.match_info["type"])
    if kind is None:
        raise web.HTTPNotFound(text="no such type")
    return cached(request, DOCUMENTS[kind.vct], JSON, vary="Accept-Encoding")


def cached(request: web.Request, body: bytes, content_type: str, *, vary: str) -> web.Response:
    """What is the same for everybody: with its ETag, compressed for who can read that, or 304 for who has it."""
    packed, tag = _packed(body)
    zipped = "gzip" in request.headers.get("Accept-Encoding", "") and len(packed) < len(body)
    tag = f'"{tag}{"-gzip" if zipped else ""}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={MAX_AGE}", "Vary": vary}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=packed if zipped else body, content_type=content_type, headers=headers)


@lru_cache(maxsize=32)
def _packed(body: bytes) -> tuple[bytes, str]:
    return gzip.compress(body, 6, mtime=0), encode_base64url(sha256(body).digest()[:12])


def _preferred(accept: str) -> str:
    """``application/jwt`` where it is asked for at least as much as JSON (RFC 9110 §12.5.1), or else JSON."""
    weights = {"application/jwt": 0.0, "application/json": 0.0}
    for part in accept[:1000].split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        if name in weights and quality.replace(".", "", 1).isdigit():
            weights[name] = float(quality)
    return JWT if weights[JWT] > 0 and weights[JWT] >= weights[JSON] else JSON


_ANSWERS: Final = {
    200: Answer(
        "The metadata.", {JSON: {"type": "object", "required": ["credential_issuer"]}, JWT: {"type": "string"}}
    ),
    304: Answer("As it was when it got this ETag."),
}
_TYPE: Final = {200: Answer("The document.", {JSON: {"type": "object", "required": ["vct"]}}), 304: _ANSWERS[304]}
ROUTES: Final = (
    Route(
        "GET", PATH, get_metadata, "Credential Issuer Metadata (OpenID4VCI 12.2)", _ANSWERS, "wallets", well_known=True
    ),
    Route(
        "GET",
        TYPES_PATH,
        get_type,
        "Type Metadata of an SD-JWT VC type",
        {**_TYPE, 404: Answer("No such type.", {PROBLEM: PROBLEM_SCHEMA})},
        "wallets",
    ),
)
