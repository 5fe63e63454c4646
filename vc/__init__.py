"""Verifiable credentials: bytes and values in, values out.

Pure: no network, no clock, no disk, no logging. Time, chance, trust and policy are arguments. Everything that goes
wrong is a :class:`VcError`, sorted by what the caller can do next. docs/library.md has an example of each name here.
"""

from vc.canon import parse_json, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jsonld import Contexts
from vc.keys import Bls12381Key, Ed25519Key, P256Key, P384Key, Signer
from vc.model import Credential, parse_credential
from vc.secure import derive, hold, sign, sign_selective, verify_proofs
from vc.trust import Trust, parse_trust
from vc.verify import Binding, Policy, Verified, verify_presentation

__all__ = [
    "Binding",
    "Bls12381Key",
    "Contexts",
    "Credential",
    "Ed25519Key",
    "Finding",
    "Malformed",
    "P256Key",
    "P384Key",
    "Policy",
    "Rejected",
    "Signer",
    "Trust",
    "Undetermined",
    "Unsupported",
    "VcError",
    "Verified",
    "derive",
    "hold",
    "parse_credential",
    "parse_json",
    "parse_trust",
    "sign",
    "sign_selective",
    "to_json",
    "verify_presentation",
    "verify_proofs",
]
