"""Verifiable credentials: bytes and values in, values out.

Pure: no network, no clock, no disk, no logging. Time, chance, trust and policy are arguments. Everything that goes
wrong is a :class:`VcError`, sorted by what the caller can do next.
"""

from vc.canon import parse_json, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jsonld import Contexts
from vc.keys import Bls12381Key, Ed25519Key, P256Key, P384Key, PublicKey, Signer
from vc.model import Credential, Presentation, Proof, parse_credential, parse_presentation
from vc.secure import derive, hold, sign, sign_selective, verify_proofs
from vc.trust import Trust, TrustedIssuer, parse_trust
from vc.verify import Binding, Policy, Verified, VerifiedCredential, verify_presentation

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
    "Presentation",
    "Proof",
    "PublicKey",
    "Rejected",
    "Signer",
    "Trust",
    "TrustedIssuer",
    "Undetermined",
    "Unsupported",
    "VcError",
    "Verified",
    "VerifiedCredential",
    "derive",
    "hold",
    "parse_credential",
    "parse_json",
    "parse_presentation",
    "parse_trust",
    "sign",
    "sign_selective",
    "to_json",
    "verify_presentation",
    "verify_proofs",
]
