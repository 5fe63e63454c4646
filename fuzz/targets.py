"""What is fuzzed: bytes in, a value or one of our errors out, never a third thing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fuzz.targets_protocol import PROTOCOL
from vc import cbor
from vc.canon import Json, canonicalize, parse_json
from vc.contexts import W3C
from vc.cose import parse_sign1
from vc.did import resolve_method
from vc.did_webvh import read_log
from vc.documents import NO_DOCUMENTS, Documents, Given, resolve
from vc.envelope import Content, parse_envelope
from vc.enveloped import by_did, open_credential
from vc.errors import VcError
from vc.frames import join
from vc.io.pictures import read_codes
from vc.jose import parse_jws
from vc.jsonld import to_quads
from vc.jwk import parse_jwk
from vc.keys import parse_multikey
from vc.model import parse_credential, parse_presentation
from vc.multibase import decode_multibase
from vc.oid4vp import parse_request
from vc.rdf import canonicalize as canonicalize_rdf
from vc.rdf import parse_nquads
from vc.sdjwt import parse_sd_jwt
from vc.sdjwt_issuer import find_self_described
from vc.sdjwt_vc import verify_credential
from vc.secure import hold, verify_proofs
from vc.status import StatusEntry, StatusList
from vc.suites import bbs_2023_feature_values as features
from vc.suites import ecdsa_sd_2023
from vc.suites.bbs_2023 import parse_base_proof_value, parse_derived_proof_value
from vc.token_status import parse_aggregation, parse_status_jwt
from vc.trust import parse_trust
from vc.type_metadata import parse_type_metadata
from vc.vcapi import World
from vc.vcapi import derive as derive_body
from vc.vcapi import verify_credential as verify_credential_body
from vc.vcapi import verify_presentation as verify_presentation_body
from vc.verify import Binding, Policy, verify_presentation
from vc.x5c import parse_x5c
from work import CONTEXTS
from work.contexts import CREDENTIALS_URL, URL
from work.dictionary import DICTIONARIES
from work.statement import Statement
from work.validate import check_document

CORPUS: Final = Path(__file__).with_name("corpus")
AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TRUST: Final = b'{"type":"OuvrageTrust","version":1,"asOf":"2026-11-24T00:00:00Z","issuers":[],"public":[]}'

Target = Callable[[bytes], object]


def _object(raw: bytes) -> dict[str, Json]:
    value = parse_json(raw)
    return value if isinstance(value, dict) else {}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


@cache
def _policy() -> Policy:
    return Policy(
        context_lists=frozenset({(CREDENTIALS_URL, URL)}),
        bindings=frozenset(Binding),
        holder_types=frozenset({"ReplyCredential"}),
        self_asserted=("sourceMethod", "workerImportUnverified"),
    )


def _presentation(raw: bytes) -> object:
    return verify_presentation(
        parse_json(raw),
        challenge="0123456789abcdef",
        domain="lender.example",
        trust=parse_trust(TRUST, contexts=CONTEXTS),
        policy=_policy(),
        at=AT,
    )


def _did_web(raw: bytes) -> object:
    documents = Documents.of({"did:web:platform.example": Given(raw)})
    return resolve("did:web:platform.example#key-1", documents=documents, purpose="assertionMethod", at=AT)


def _did_webvh(raw: bytes) -> object:
    """The DID stands in the log's first state; without one there is nothing to read."""
    state = _object(raw.split(b"\n")[0]).get("state")
    did = state.get("id") if isinstance(state, dict) else ""
    return read_log(raw, did=did if isinstance(did, str) else "")


def _bits(raw: bytes) -> object:
    listed = StatusList.parse(parse_credential(parse_json(raw)))
    return listed.read(StatusEntry("https://platform.example/status/3", 94567, min(listed.purposes)))


def _sd_jwt_vc(raw: bytes) -> object:
    return verify_credential(
        _text(raw), find_issuer=find_self_described, challenge=None, at=AT, check_status=None, types=None
    )


def _enveloped(raw: bytes) -> object:
    return open_credential(
        parse_envelope(parse_json(raw), content=Content.CREDENTIAL), find=by_did(NO_DOCUMENTS, at=AT)
    )


def _world() -> World:
    return World(CONTEXTS, AT, lambda _url: None)


TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        "json": lambda raw: canonicalize(parse_json(raw)),
        "nquads": lambda raw: canonicalize_rdf(parse_nquads(_text(raw))),
        "nquads384": lambda raw: canonicalize_rdf(parse_nquads(_text(raw)), algorithm="sha384"),
        "cbor": cbor.decode,
        "multibase": lambda raw: decode_multibase(_text(raw)),
        "multikey": lambda raw: parse_multikey(_text(raw)),
        "did": lambda raw: resolve_method(_text(raw)),
        "base-proof": lambda raw: parse_base_proof_value(_text(raw)),
        "derived-proof": lambda raw: parse_derived_proof_value(_text(raw)),
        "json-ld": lambda raw: to_quads(_object(raw), W3C),
        "credential": lambda raw: parse_credential(parse_json(raw)),
        "presentation": lambda raw: parse_presentation(parse_json(raw)),
        "verify-proofs": lambda raw: verify_proofs(_object(raw), contexts=CONTEXTS),
        "hold": lambda raw: hold(_object(raw), contexts=CONTEXTS),
        "verify-presentation": _presentation,
        "ecdsa-sd-base-proof": lambda raw: ecdsa_sd_2023.parse_base_proof_value(_text(raw)),
        "ecdsa-sd-derived-proof": lambda raw: ecdsa_sd_2023.parse_derived_proof_value(_text(raw)),
        "feature-base-proof": lambda raw: features.parse_base_proof_value(_text(raw), experimental=True),
        "feature-derived-proof": lambda raw: features.parse_derived_proof_value(_text(raw), experimental=True),
        "did-web": _did_web,
        "did-webvh": _did_webvh,
        "jwk": lambda raw: parse_jwk(parse_json(raw)),
        "x5c": lambda raw: parse_x5c(parse_json(raw)),
        "jws": lambda raw: parse_jws(_text(raw)),
        "sd-jwt": lambda raw: parse_sd_jwt(_text(raw)),
        "sd-jwt-vc": _sd_jwt_vc,
        "type-metadata": parse_type_metadata,
        "cose": parse_sign1,
        "enveloped": _enveloped,
        "status-list": _bits,
        "status-token": lambda raw: parse_status_jwt(_text(raw)),
        "status-aggregation": parse_aggregation,
        "vc-api-credential": lambda raw: verify_credential_body(parse_json(raw), _world()),
        "vc-api-presentation": lambda raw: verify_presentation_body(parse_json(raw), _world()),
        "vc-api-derive": lambda raw: derive_body(parse_json(raw), contexts=CONTEXTS, rand=bytes),
        "request": parse_request,
        "frames": lambda raw: join(_text(raw).splitlines(), dictionaries=DICTIONARIES),
        "picture": lambda raw: read_codes(raw, where="picture"),
        "trust": lambda raw: parse_trust(raw, contexts=CONTEXTS),
        "statement": lambda raw: Statement.parse(parse_json(raw)),
        "document": lambda raw: check_document(_object(raw)),
        **PROTOCOL,
    }
)


def attempt(target: Target, raw: bytes) -> str:
    """The code of the error that ``target`` gives for ``raw``, or "value". Anything else leaves as it is."""
    try:
        target(raw)
    except VcError as error:
        return error.code
    return "value"
