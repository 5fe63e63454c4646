"""bbs-2023 with its optional features (vc-di-bbs#optional-features). Experimental: nothing here works without the flag.

Anonymous holder binding, credential-bound pseudonyms, and both together. What they share with the baseline is taken
from vc/suites/bbs_2023.py; a feature changes only the components of a proof value and the BBS interface that signs.

The specification marks the features as at risk. They follow its text of April 2025 and its vectors of 18 February 2025,
which were made with the drafts as vc/blind_bbs.py and vc/pseudonym_bbs.py name them; where the two differ,
vc/suites/bbs_2023_feature_values.py says what is read and what is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from vc import blind_bbs, pseudonym_bbs
from vc.bbs_core import PROOF_LENGTH_FLOOR, SCALAR_LENGTH
from vc.blind_bbs import BlindHeld
from vc.canon import Json
from vc.did import VerificationMethod
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.jsonld import Contexts, to_rdf
from vc.keys import Bls12381Key
from vc.model import Object, Proof
from vc.suites.bbs_2023 import (
    HMAC_KEY_LENGTH,
    BaseProofValue,
    DerivedProofValue,
    signed_messages,
    to_be_signed,
    verify_data,
)
from vc.suites.bbs_2023_feature_values import (
    OPTIONS,
    PSEUDONYM,
    Feature,
    FeatureBaseProofValue,
    FeatureDerivedProofValue,
    check_experimental,
    feature_of,
    is_base_proof,
    parse_base_proof_value,
    parse_derived_proof_value,
    serialize_base_proof_value,
    serialize_derived_proof_value,
)
from vc.suites.proof_value import AT, check_count, disclose, refuse_base_proof
from vc.suites.selective import Labelled, create_shuffled_id_label_map_function, label, parse_pointers

MIN_HOLDER_SECRET: Final = 32  # octets (vc-di-bbs#anonymous-holder-binding): a shorter secret could be guessed

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class HolderSecrets:
    """What a holder keeps to itself, for every showing of one credential. It has no repr.

    ``secret_prover_blind`` belongs to one commitment; ``holder_secret`` and ``prover_nym`` may serve for many.
    """

    secret_prover_blind: bytes
    holder_secret: bytes | None = None
    prover_nym: bytes | None = None


@dataclass(frozen=True, slots=True)
class HeldFeature:
    """A base proof that its holder has verified, with all that deriving from it needs computed once."""

    document: Object
    proof: Proof
    base: BaseProofValue
    labelled: Labelled
    feature: Feature  # by the holder's secrets
    held: BlindHeld


@dataclass(frozen=True, slots=True)
class VerifiedFeature:
    """What a derived proof shows beside its claims: who made it knows the secrets that were signed.

    ``pseudonym`` is the same whenever this credential's ``nym_secret`` is used for this ``nym_domain``.
    """

    feature: Feature
    nym_domain: str | None
    pseudonym: bytes | None


def commit(
    *,
    holder_secret: bytes | None,
    prover_nym: bytes | None,
    rand: Callable[[int], bytes],
    experimental: bool = False,
) -> tuple[bytes, HolderSecrets]:
    """vc-di-bbs#optional-features, a holder's first step: ``commitment_with_proof`` for the issuer, and what to keep.

    ``holder_secret`` has at least 32 random octets, ``prover_nym`` is made by :func:`vc.pseudonym_bbs.random_nym`;
    which of them is given says which feature it is for. Raises :class:`Malformed`, or :class:`Unsupported` without the
    flag.
    """
    check_experimental(_feature_for(holder_secret, prover_nym), experimental=experimental)
    committed = () if holder_secret is None else (holder_secret,)
    if prover_nym is None:
        commitment, blind = blind_bbs.commit(committed, rand=rand)
    else:
        commitment, blind = pseudonym_bbs.commit_with_nym(committed, prover_nym, rand=rand)
    return commitment, HolderSecrets(blind, holder_secret, prover_nym)


def _feature_for(holder_secret: bytes | None, prover_nym: bytes | None) -> Feature:
    if holder_secret is not None and len(holder_secret) < MIN_HOLDER_SECRET:
        raise Malformed("holder secret", f"under {MIN_HOLDER_SECRET} octets")
    for feature in OPTIONS.values():
        if (feature.holder_secret, feature.pseudonym) == (holder_secret is not None, prover_nym is not None):
            return feature
    raise Malformed("holder secret", "nothing to commit to")


def create_base_proof(
    document: Object,
    options: Object,
    *,
    feature: Feature,
    commitment_with_proof: bytes,
    signer_nym_entropy: bytes | None,
    key: Bls12381Key,
    mandatory_pointers: Sequence[str],
    contexts: Contexts,
    rand: Callable[[int], bytes],
    experimental: bool = False,
) -> dict[str, Json]:
    """vc-di-bbs#create-base-proof-bbs-2023, for a holder who sent ``commitment_with_proof``.

    ``signer_nym_entropy`` is fresh for each holder (:func:`vc.pseudonym_bbs.random_nym`), the same one for the same
    holder only to keep a pseudonym; None for a feature without pseudonyms. Raises :class:`Rejected` where the
    commitment's own proof does not hold, :class:`Malformed`, or :class:`Unsupported` without the flag.
    """
    check_experimental(feature, experimental=experimental)
    hmac_key = rand(HMAC_KEY_LENGTH)
    paths = parse_pointers(mandatory_pointers, document, where="/mandatoryPointers")
    header, messages = to_be_signed(document, options, to_rdf(document, contexts), paths, hmac_key, contexts)
    signature = _sign(feature, key, commitment_with_proof, signer_nym_entropy, header, messages)
    base = BaseProofValue(signature, header, key.public.raw, hmac_key, tuple(mandatory_pointers))
    value = FeatureBaseProofValue(feature, base, signer_nym_entropy)
    return {**options, "proofValue": serialize_base_proof_value(value)}


def _sign(
    feature: Feature,
    key: Bls12381Key,
    commitment: bytes,
    signer_nym_entropy: bytes | None,
    header: bytes,
    messages: Sequence[bytes],
) -> bytes:
    secret, public, count = key.secret, key.public.raw, feature.committed
    if feature.pseudonym:
        entropy = _given(signer_nym_entropy, "signer nym entropy")
        return pseudonym_bbs.blind_sign_with_nym(
            secret, public, commitment, entropy, header=header, messages=messages, committed=count
        )
    _not_given(signer_nym_entropy, "signer nym entropy")
    return blind_bbs.blind_sign(secret, public, commitment, header=header, messages=messages, committed=count)


def hold(
    document: Object,
    proof: Proof,
    *,
    secrets: HolderSecrets,
    method: VerificationMethod,
    contexts: Contexts,
    experimental: bool = False,
) -> HeldFeature:
    """Verify a base proof as its holder, with the holder's ``secrets``, and keep what deriving needs.

    Raises :class:`Malformed`, :class:`Unsupported` without the flag, or :class:`Rejected` where the signature is not
    the method's over ``document`` and a commitment to these secrets.
    """
    value = parse_base_proof_value(proof.value, experimental=experimental)
    feature = _feature_for(secrets.holder_secret, secrets.prover_nym)
    if not value.feature.announces(feature):
        raise Malformed(AT, f"a proof with {value.feature.option}, for which other secrets are needed")
    located = to_rdf(document, contexts)
    messages = signed_messages(document, proof, value.base, located=located, method=method, contexts=contexts)
    labelled = label(located, create_shuffled_id_label_map_function(value.base.hmac_key))
    return HeldFeature(document, proof, value.base, labelled, feature, _hold(value, secrets, messages))


def _hold(value: FeatureBaseProofValue, secrets: HolderSecrets, messages: Sequence[bytes]) -> BlindHeld:
    base = value.base
    committed = () if secrets.holder_secret is None else (secrets.holder_secret,)
    if secrets.prover_nym is None or value.signer_nym_entropy is None:  # both or neither: the features agree
        return blind_bbs.blind_hold(
            base.public_key,
            base.bbs_signature,
            header=base.bbs_header,
            messages=messages,
            committed_messages=committed,
            secret_prover_blind=secrets.secret_prover_blind,
        )
    return pseudonym_bbs.hold_with_nym(
        base.public_key,
        base.bbs_signature,
        header=base.bbs_header,
        messages=messages,
        committed_messages=committed,
        prover_nym=secrets.prover_nym,
        signer_nym_entropy=value.signer_nym_entropy,
        secret_prover_blind=secrets.secret_prover_blind,
    )


def add_derived_proof(
    base: HeldFeature,
    selective_pointers: Sequence[str],
    *,
    presentation_header: bytes,
    nym_domain: str | None,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """vc-di-bbs#add-derived-proof-bbs-2023: the secured document that shows the selected and mandatory claims.

    ``nym_domain`` names the verifier or the occasion that the pseudonym is for; None for a feature without pseudonyms.
    Raises :class:`Malformed` for pointers that name nothing.
    """
    chosen = disclose(base.document, base.labelled, base.base.mandatory_pointers, selective_pointers)
    indexes = chosen.selective_indexes
    if base.feature.pseudonym:
        bbs_proof, pseudonym = pseudonym_bbs.proof_gen_with_nym(
            base.held,
            presentation_header=presentation_header,
            context_id=_context_id(_given(nym_domain, "nym domain")),
            disclosed_indexes=indexes,
            rand=rand,
        )
    else:
        _not_given(nym_domain, "nym domain")
        pseudonym = None
        bbs_proof = blind_bbs.blind_proof_gen(
            base.held, presentation_header=presentation_header, disclosed_indexes=indexes, rand=rand
        )
    derived = DerivedProofValue(bbs_proof, chosen.label_map, chosen.mandatory_indexes, indexes, presentation_header)
    value = FeatureDerivedProofValue(base.feature, derived, base.held.length, nym_domain, pseudonym)
    return {
        **chosen.reveal_document,
        "proof": {**base.proof.options, "proofValue": serialize_derived_proof_value(value)},
    }


def verify_derived_proof(
    document: Object,
    proof: Proof,
    *,
    method: VerificationMethod,
    contexts: Contexts,
    nym_domain: str | None,
    experimental: bool = False,
) -> VerifiedFeature:
    """vc-di-bbs#verify-derived-proof-bbs-2023: what the proof shows, if it is the method's over ``document``.

    ``nym_domain`` is the domain that a pseudonym was asked for; None takes the one that the proof names, if any. Raises
    :class:`Rejected`, :class:`Malformed`, :class:`Unsupported` without the flag, or :class:`Undetermined` where neither
    side names a domain.
    """
    if is_base_proof(proof.value, feature_of(proof.value, experimental=experimental)):
        refuse_base_proof()
    value = parse_derived_proof_value(proof.value, experimental=experimental)
    domain = agreed_domain(value, nym_domain)
    data = verify_data(document, proof, value.derived, contexts)
    check_count(len(data.non_mandatory), len(value.derived.selective_indexes))
    messages = [line.encode("utf-8") for line in data.non_mandatory]
    feature = shown_feature(value)
    _verify(value, feature, domain, method.public.raw, data.proof_hash + data.mandatory_hash, messages)
    return VerifiedFeature(feature, domain, value.pseudonym)


def _verify(
    value: FeatureDerivedProofValue,
    feature: Feature,
    domain: str | None,
    public_key: bytes,
    header: bytes,
    messages: Sequence[bytes],
) -> None:
    derived = value.derived
    if value.pseudonym is None or domain is None:  # both or neither: see agreed_domain
        blind_bbs.blind_proof_verify(
            public_key,
            derived.bbs_proof,
            header=header,
            presentation_header=derived.presentation_header,
            length=value.length,
            committed=feature.committed,
            disclosed_messages=messages,
            disclosed_indexes=derived.selective_indexes,
        )
        return
    pseudonym_bbs.proof_verify_with_nym(
        public_key,
        derived.bbs_proof,
        value.pseudonym,
        header=header,
        presentation_header=derived.presentation_header,
        context_id=_context_id(domain),
        length=value.length,
        committed=feature.committed,
        disclosed_messages=messages,
        disclosed_indexes=derived.selective_indexes,
    )


def shown_feature(value: FeatureDerivedProofValue) -> Feature:
    """The feature that the proof can show: the header only announces one, and is not signed.

    The published vector of a pseudonym alone has the header of both features. Taken at its word it would claim a holder
    secret that nobody signed; it counts as what it is.
    """
    hidden = (len(value.derived.bbs_proof) - PROOF_LENGTH_FLOOR) // SCALAR_LENGTH
    committed = hidden + len(value.derived.selective_indexes) - value.length - 1  # one is the blind
    if committed == PSEUDONYM.committed + 1 and value.feature.announces(PSEUDONYM):
        return PSEUDONYM
    return value.feature


def agreed_domain(value: FeatureDerivedProofValue, asked: str | None) -> str | None:
    """The domain that a pseudonym is checked for (vc-di-bbs#credential-bound-pseudonyms).

    A pseudonym of another domain is worth nothing to who asked: its holder could have one for every day.
    """
    if value.pseudonym is None:
        if asked is not None:
            raise Rejected((Finding("PSEUDONYM_MISSING", "shows no pseudonym, though one was asked for", AT),))
        return None
    named = value.nym_domain
    if asked is not None and named is not None and asked != named:
        raise Rejected((Finding("DOMAIN_MISMATCH", "shows a pseudonym made for another domain", AT),))
    domain = named if asked is None else asked
    if domain is None:
        raise Undetermined(
            "the proof does not name the domain of its pseudonym",
            "say which nym_domain was asked for",
            code="NO_DOMAIN",
        )
    return domain


def _given(value: _T | None, name: str) -> _T:
    if value is None:
        raise Malformed(name, "needed for this feature")
    return value


def _not_given(value: object, name: str) -> None:
    if value is not None:
        raise Malformed(name, "has no use in this feature")


def _context_id(nym_domain: str) -> bytes:
    try:
        return nym_domain.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("nym domain", "not a text of Unicode characters") from None
