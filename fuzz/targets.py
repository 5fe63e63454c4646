"""What is fuzzed: bytes in, a value or one of our errors out, never a third thing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vc import cbor
from vc.canon import Json, canonicalize, parse_json
from vc.contexts import W3C
from vc.did import resolve_method
from vc.errors import VcError
from vc.jsonld import to_quads
from vc.keys import parse_multikey
from vc.model import parse_credential, parse_presentation
from vc.multibase import decode_multibase
from vc.oid4vp import parse_request
from vc.rdf import canonicalize as canonicalize_rdf
from vc.rdf import parse_nquads
from vc.secure import hold, verify_proofs
from vc.suites.bbs_2023 import parse_base_proof_value, parse_derived_proof_value
from vc.trust import parse_trust
from vc.verify import Binding, Policy, verify_presentation
from work import CONTEXTS
from work.contexts import CREDENTIALS_URL, URL
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
    return Policy(context_lists=frozenset({(CREDENTIALS_URL, URL)}), bindings=frozenset(Binding))


def _presentation(raw: bytes) -> object:
    return verify_presentation(
        parse_json(raw),
        challenge="0123456789abcdef",
        domain="lender.example",
        trust=parse_trust(TRUST, contexts=CONTEXTS),
        policy=_policy(),
        at=AT,
    )


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
        "request": parse_request,
        "trust": lambda raw: parse_trust(raw, contexts=CONTEXTS),
        "statement": lambda raw: Statement.parse(parse_json(raw)),
        "document": lambda raw: check_document(_object(raw)),
    }
)


def attempt(target: Target, raw: bytes) -> str:
    """The code of the error that ``target`` gives for ``raw``, or "value". Anything else leaves as it is."""
    try:
        target(raw)
    except VcError as error:
        return error.code
    return "value"
