"""Proof values of bbs-2023 with an optional feature (vc-di-bbs#optional-features): their headers and components.

They are written as the specification's text says. The vectors published with it differ in three things, which are read
as well: a pseudonym alone has the headers of both features (08 and 09, not 06 and 07), ``signer_nym_entropy`` is a
big number (CBOR tag 2) instead of octets, and derived proofs leave out ``nym_domain``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vc import cbor
from vc.bbs_core import SCALAR_LENGTH
from vc.errors import Malformed
from vc.multibase import decode_base64url, encode_base64url
from vc.suites.bbs_2023 import (
    FEATURES,
    BaseProofValue,
    DerivedProofValue,
    base_proof_components,
    derived_proof_components,
    parse_base_components,
    parse_derived_components,
    unsupported_feature,
)
from vc.suites.proof_value import AT, parse_components, serialize_components

_SHARED: Final = 5  # components that every option has
_TAGGED: Final = b"\xc2\x58\x20"  # a big number of 32 octets


@dataclass(frozen=True, slots=True)
class Feature:
    """A value of ``featureOption``: the headers of its proof values, and what its holder commits to."""

    option: str
    base_proof: bytes
    derived_proof: bytes
    holder_secret: bool
    pseudonym: bool

    @property
    def committed(self) -> int:
        """How many messages are committed, besides the nym."""
        return int(self.holder_secret)

    def announces(self, actual: "Feature") -> bool:
        """Whether a header of this feature may stand on a proof of the ``actual`` one."""
        return self == actual or (self.option == "holder_binding_pseudonym" and actual.option == "pseudonym")


ANONYMOUS_HOLDER_BINDING: Final = Feature(
    "anonymous_holder_binding", b"\xd9\x5d\x04", b"\xd9\x5d\x05", holder_secret=True, pseudonym=False
)
PSEUDONYM: Final = Feature("pseudonym", b"\xd9\x5d\x06", b"\xd9\x5d\x07", holder_secret=False, pseudonym=True)
HOLDER_BINDING_PSEUDONYM: Final = Feature(
    "holder_binding_pseudonym", b"\xd9\x5d\x08", b"\xd9\x5d\x09", holder_secret=True, pseudonym=True
)
OPTIONS: Final[Mapping[str, Feature]] = MappingProxyType(
    {feature.option: feature for feature in (ANONYMOUS_HOLDER_BINDING, PSEUDONYM, HOLDER_BINDING_PSEUDONYM)}
)


@dataclass(frozen=True, slots=True)
class FeatureBaseProofValue:
    """The components of a base proof with a feature (vc-di-bbs#serializebaseproofvalue)."""

    feature: Feature
    base: BaseProofValue
    signer_nym_entropy: bytes | None


@dataclass(frozen=True, slots=True)
class FeatureDerivedProofValue:
    """The components of a derived proof with a feature (vc-di-bbs#serializederivedproofvalue)."""

    feature: Feature
    derived: DerivedProofValue
    length: int  # lengthBBSMessages: of the issuer's claims that are not mandatory
    nym_domain: str | None = None
    pseudonym: bytes | None = None


def serialize_base_proof_value(value: FeatureBaseProofValue) -> str:
    """vc-di-bbs#serializebaseproofvalue."""
    components = base_proof_components(value.base)
    if value.signer_nym_entropy is not None:
        components.append(value.signer_nym_entropy)
    return serialize_components(value.feature.base_proof, components)


def parse_base_proof_value(proof_value: str, *, experimental: bool) -> FeatureBaseProofValue:
    """vc-di-bbs#parsebaseproofvalue. Raises :class:`Malformed`, or :class:`Unsupported` without the flag."""
    feature = feature_of(proof_value, experimental=experimental)
    shared, extra = _components(_untagged(proof_value), feature.base_proof)
    match extra:
        case [] if not feature.pseudonym:
            return FeatureBaseProofValue(feature, parse_base_components(shared), None)
        case [bytes(entropy)] if feature.pseudonym:
            return FeatureBaseProofValue(feature, parse_base_components(shared), entropy)
    raise Malformed(AT, f"not the components of a base proof with {feature.option}", code="PROOF_INVALID")


def serialize_derived_proof_value(value: FeatureDerivedProofValue) -> str:
    """vc-di-bbs#serializederivedproofvalue. A value without ``nym_domain`` is written without, too."""
    nym: list[cbor.Cbor] = [part for part in (value.nym_domain, value.pseudonym) if part is not None]
    components = [*derived_proof_components(value.derived), *nym, value.length]
    return serialize_components(value.feature.derived_proof, components)


def parse_derived_proof_value(proof_value: str, *, experimental: bool) -> FeatureDerivedProofValue:
    """vc-di-bbs#parsederivedproofvalue. Raises :class:`Malformed`, or :class:`Unsupported` without the flag."""
    feature = feature_of(proof_value, experimental=experimental)
    shared, extra = _components(proof_value, feature.derived_proof)
    match extra:
        case [int(length)] if not feature.pseudonym:
            return FeatureDerivedProofValue(feature, parse_derived_components(shared), length)
        case [bytes(pseudonym), int(length)] if feature.pseudonym:
            return FeatureDerivedProofValue(feature, parse_derived_components(shared), length, None, pseudonym)
        case [str(domain), bytes(pseudonym), int(length)] if feature.pseudonym:
            return FeatureDerivedProofValue(feature, parse_derived_components(shared), length, domain, pseudonym)
    raise Malformed(AT, f"not the components of a derived proof with {feature.option}", code="PROOF_INVALID")


def _untagged(proof_value: str) -> str:
    """A base proof value whose last component is octets. No component before it can end with the octet of the tag."""
    data = decode_base64url(proof_value[1:], where=AT)
    at = -len(_TAGGED) - SCALAR_LENGTH
    if data[at:-SCALAR_LENGTH] != _TAGGED:
        return proof_value
    return "u" + encode_base64url(data[:at] + data[at + 1 :])


def _components(proof_value: str, header: bytes) -> tuple[list[object], list[object]]:
    """The components that every option has, and those of the feature."""
    components = parse_components(proof_value, header, suite="bbs-2023")
    listed = components if isinstance(components, list) else []
    return listed[:_SHARED], listed[_SHARED:]


def feature_of(proof_value: str, *, experimental: bool) -> Feature:
    """The feature that a proof value announces. Raises :class:`Malformed`, or :class:`Unsupported` without the flag."""
    option = FEATURES.get(proof_value[:5])
    if option is None:
        raise Malformed(AT, "not a proof of bbs-2023 with an optional feature", code="PROOF_INVALID")
    check_experimental(OPTIONS[option], experimental=experimental)
    return OPTIONS[option]


def check_experimental(feature: Feature, *, experimental: bool) -> None:
    """The drafts behind the features still change, so whoever uses one has to say so. Raises :class:`Unsupported`."""
    if not experimental:
        raise unsupported_feature(feature.option)


def is_base_proof(proof_value: str, feature: Feature) -> bool:
    return proof_value.startswith("u" + encode_base64url(feature.base_proof))
