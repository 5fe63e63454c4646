"""Blind BBS signatures and pseudonyms: the published vectors step by step, golden values, properties, attacks."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import shake_256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, Scalar

from tests.shared import shared_path
from tests.test_bbs import flip
from tests.vectors import read
from vc import bbs, blind_bbs, pseudonym_bbs
from vc.bbs_core import (
    IDENTITY_G1,
    P1,
    calculate_domain,
    calculate_random_scalars,
    expand_message,
    multiexp,
    proof_challenge_calculate,
    proof_finalize,
    proof_init,
)
from vc.blind_bbs import BlindHeld, combined_generators
from vc.errors import Malformed, Rejected, VcError

SECRET_KEY = bbs.key_gen(b"a key for these tests, and no other use")
PUBLIC_KEY = bbs.sk_to_pk(SECRET_KEY)
HEADER, PRESENTATION_HEADER, CONTEXT = b"header", b"challenge", b"https://lender.example/"
MESSAGES = (b"one", b"two", b"three")
SHOWN = (0, 2)
HOLDER_SECRET = b"the secret of a holder, of any length over 32"
PROVER_NYM, ENTROPY = (7).to_bytes(32, "big"), (11).to_bytes(32, "big")


def blind_held(rand: Callable[[int], bytes] = os.urandom, committed: Sequence[bytes] = (HOLDER_SECRET,)) -> BlindHeld:
    commitment, blind = blind_bbs.commit(committed, rand=rand)
    signature = blind_bbs.blind_sign(
        SECRET_KEY, PUBLIC_KEY, commitment, header=HEADER, messages=MESSAGES, committed=len(committed)
    )
    return hold(signature, blind, committed)


def hold(signature: bytes, blind: bytes, committed: Sequence[bytes] = (HOLDER_SECRET,)) -> BlindHeld:
    return blind_bbs.blind_hold(
        PUBLIC_KEY,
        signature,
        header=HEADER,
        messages=MESSAGES,
        committed_messages=committed,
        secret_prover_blind=blind,
    )


def blind_proof(held: BlindHeld, rand: Callable[[int], bytes] = os.urandom) -> bytes:
    return blind_bbs.blind_proof_gen(held, presentation_header=PRESENTATION_HEADER, disclosed_indexes=SHOWN, rand=rand)


def check_blind(proof: bytes, **changes: Any) -> None:
    arguments: dict[str, Any] = {
        "header": HEADER,
        "presentation_header": PRESENTATION_HEADER,
        "length": len(MESSAGES),
        "committed": 1,
        "disclosed_messages": [MESSAGES[i] for i in SHOWN],
        "disclosed_indexes": SHOWN,
    }
    blind_bbs.blind_proof_verify(PUBLIC_KEY, proof, **(arguments | changes))


def nym_signature(
    rand: Callable[[int], bytes] = os.urandom, committed: Sequence[bytes] = (), prover: bytes = PROVER_NYM
) -> tuple[bytes, bytes, bytes]:
    commitment, blind = pseudonym_bbs.commit_with_nym(committed, prover, rand=rand)
    signature = pseudonym_bbs.blind_sign_with_nym(
        SECRET_KEY, PUBLIC_KEY, commitment, ENTROPY, header=HEADER, messages=MESSAGES, committed=len(committed)
    )
    return commitment, blind, signature


def nym_held(signature: bytes, blind: bytes, **changes: Any) -> BlindHeld:
    arguments: dict[str, Any] = {
        "header": HEADER,
        "messages": MESSAGES,
        "committed_messages": (),
        "prover_nym": PROVER_NYM,
        "signer_nym_entropy": ENTROPY,
        "secret_prover_blind": blind,
    }
    return pseudonym_bbs.hold_with_nym(PUBLIC_KEY, signature, **(arguments | changes))


def nym_proof(
    held: BlindHeld, rand: Callable[[int], bytes] = os.urandom, context_id: bytes = CONTEXT
) -> tuple[bytes, bytes]:
    return pseudonym_bbs.proof_gen_with_nym(
        held, presentation_header=PRESENTATION_HEADER, context_id=context_id, disclosed_indexes=SHOWN, rand=rand
    )


def check_nym(proof: bytes, pseudonym: bytes, **changes: Any) -> None:
    arguments: dict[str, Any] = {
        "header": HEADER,
        "presentation_header": PRESENTATION_HEADER,
        "context_id": CONTEXT,
        "length": len(MESSAGES),
        "committed": 0,
        "disclosed_messages": [MESSAGES[i] for i in SHOWN],
        "disclosed_indexes": SHOWN,
    }
    pseudonym_bbs.proof_verify_with_nym(PUBLIC_KEY, proof, pseudonym, **(arguments | changes))


HELD = blind_held()
PROOF = blind_proof(HELD)
NYM_HELD = nym_held(*reversed(nym_signature()[1:]))
NYM_PROOF, NYM = nym_proof(NYM_HELD)


# --- the vectors of vc-di-bbs, below their documents ---

VECTORS = shared_path("vectors/vc-di-bbs")
INPUTS = VECTORS / "FeatureInputs"
KEYS = read(VECTORS, "BBSKeyMaterial.json")
SEED = bytes.fromhex(read(VECTORS, "BBSDeriveMaterial.json")["pseudoRandSeedHex"])


@dataclass(frozen=True, slots=True)
class Vector:
    """One feature's vectors, and which secrets were committed."""

    name: str
    api_id: bytes
    holder_secret: bool
    nym: bool

    def read(self, name: str) -> Any:
        return read(VECTORS / self.name, name)

    def header(self) -> bytes:
        hashes = self.read("addHashData.json")
        return bytes.fromhex(hashes["proofHash"] + hashes["mandatoryHash"])

    def messages(self) -> list[bytes]:
        return [line.encode() for _, line in self.read("addBaseTransform.json")["nonMandatory"]["value"]]

    def committed(self) -> list[bytes]:
        return [bytes.fromhex(read(INPUTS, "holderSecret.json")["holderSecretHex"])] if self.holder_secret else []

    def commitment(self) -> tuple[bytes, bytes]:
        info = self.read("commitmentInfo.json")
        return bytes.fromhex(info["commitmentWithProof"]), bytes.fromhex(info["secretProverBlind"])


VECTOR_LIST = [
    Vector("HolderBinding", blind_bbs.API_ID, holder_secret=True, nym=False),
    Vector("Pseudonym", pseudonym_bbs.API_ID, holder_secret=False, nym=True),
    Vector("PseudonymHB", pseudonym_bbs.API_ID, holder_secret=True, nym=True),
]
vectors = pytest.mark.parametrize("vector", VECTOR_LIST, ids=lambda vector: vector.name)


def prover_nym() -> bytes:
    return bytes.fromhex(read(INPUTS, "proverNym.json")["proverNymHex"])


def entropy() -> bytes:
    return bytes.fromhex(read(INPUTS, "signerNymEntropy.json")["signerNymEntropyHex"])


def seeded(api_id: bytes, count: int) -> Callable[[int], bytes]:
    """The vectors' random scalars: seeded_random_scalars of the BBS draft's fixtures, its tag the interface's id."""
    stream = expand_message(SEED, api_id, count * 48)
    pieces = iter([stream[i : i + 48] for i in range(0, len(stream), 48)])
    return lambda _: next(pieces)


def behind(commitment: bytes, secrets: Sequence[Scalar]) -> Callable[[int], bytes]:
    """The random scalars of a commitment, worked out by who knows its secrets: they were not published."""
    scalars = [Scalar.from_be_bytes(commitment[i : i + 32]) for i in range(48, len(commitment), 32)]
    *hats, challenge = scalars
    tildes = [hat - secret * challenge for hat, secret in zip(hats, secrets, strict=True)]
    pieces = iter([bytes(16) + scalar.to_be_bytes() for scalar in (secrets[0], *tildes)])
    return lambda _: next(pieces)


@vectors
def test_published_commitment(vector: Vector) -> None:
    commitment, blind = vector.commitment()
    committed = blind_bbs.committed_scalars(vector.committed(), vector.api_id)
    nyms = (Scalar.from_be_bytes(prover_nym()),) if vector.nym else ()
    rand = behind(commitment, [Scalar.from_be_bytes(blind), *committed, *nyms])
    if vector.nym:
        made = pseudonym_bbs.commit_with_nym(vector.committed(), prover_nym(), rand=rand)
    else:
        made = blind_bbs.commit(vector.committed(), rand=rand)
    assert made == (commitment, blind)
    count = len(committed) + len(nyms)
    point = blind_bbs.deserialize_and_validate_commit(commitment, vector.api_id, count)
    assert point.to_compressed_bytes() == commitment[:48]


def published_signature(vector: Vector) -> bytes:
    return bytes.fromhex(vector.read("addRawBaseSignatureInfo.json")["bbsSignature"])


@vectors
def test_published_signature(vector: Vector) -> None:
    keys = bytes.fromhex(KEYS["privateKeyHex"]), bytes.fromhex(KEYS["publicKeyHex"])
    arguments: dict[str, Any] = {
        "header": vector.header(),
        "messages": vector.messages(),
        "committed": len(vector.committed()),
    }
    commitment, _ = vector.commitment()
    if vector.nym:
        made = pseudonym_bbs.blind_sign_with_nym(*keys, commitment, entropy(), **arguments)
    else:
        made = blind_bbs.blind_sign(*keys, commitment, **arguments)
    assert made == published_signature(vector)


def published_held(vector: Vector) -> BlindHeld:
    arguments: dict[str, Any] = {
        "header": vector.header(),
        "messages": vector.messages(),
        "committed_messages": vector.committed(),
        "secret_prover_blind": vector.commitment()[1],
    }
    public_key, signature = bytes.fromhex(KEYS["publicKeyHex"]), published_signature(vector)
    if not vector.nym:
        return blind_bbs.blind_hold(public_key, signature, **arguments)
    return pseudonym_bbs.hold_with_nym(
        public_key, signature, prover_nym=prover_nym(), signer_nym_entropy=entropy(), **arguments
    )


@vectors
def test_published_nym_secret(vector: Vector) -> None:
    held = published_held(vector)
    assert held.length == vector.read("derivedDisclosureData.json")["lengthBBSMessages"]
    if vector.nym:
        secret = held.held.messages[-1].to_be_bytes().hex()
        assert secret == vector.read("nymSecret.json")["nymSecretHex"].zfill(64)


@vectors
def test_published_proof_and_pseudonym(vector: Vector) -> None:
    expected = vector.read("derivedDisclosureData.json")
    held, shown = published_held(vector), expected["adjSelectiveIndexes"]
    arguments: dict[str, Any] = {
        "presentation_header": bytes(expected["presentationHeader"].values()),
        "disclosed_indexes": shown,
        "rand": seeded(vector.api_id, 5 + len(held.held.messages) - len(shown)),
    }
    context_id = read(INPUTS, "verifierInfo.json")["verifierId"].encode()
    if vector.nym:
        proof, pseudonym = pseudonym_bbs.proof_gen_with_nym(held, context_id=context_id, **arguments)
        assert pseudonym.hex() == expected["pseudonym"]
    else:
        proof = blind_bbs.blind_proof_gen(held, **arguments)
    assert proof.hex() == expected["bbsProof"]


# --- values that another implementation accepted ---


def counting() -> Callable[[int], bytes]:
    numbers = iter(range(1, 1000))
    return lambda n: shake_256(b"golden" + next(numbers).to_bytes(4, "big")).digest(n)


# Made by this library. The JavaScript implementation of the author of the vectors (Wind4Greg/grotto-bbs-signatures of
# February 2025, on @noble/curves 1.9.7) made the same signatures, accepted these proofs, and made others for the same
# statements that this library accepted.
GOLDEN_BLIND = (
    bytes.fromhex(
        "815c801f665c84bb1357eb5a7b96072f6d6b3c3b105f98a8f5722f23bc1e2bd0e8edb7824c8fd92bef8719daf5377ad73fa5"
        "4524a008f1719dcf0727c5fe03b4acabdb5b670b8cf2d535856d79212aa80f28cbeff31fb1f4116860299a0ed9d4078d56fd"
        "eced1afdce71471d9c30370b65d24c7bd164b1d81c9175deed4c29d3a11035a22c3f834b8396b94fccb84851"
    ),
    bytes.fromhex(
        "867b3d288d63f770eacea5b6c6ed7ea2c72f85cc1afeb316f034c29401b9cc647480fd5d47361539bd3557a683f5b4b05330"
        "8beef5752dc167cd7011c357b45f1e2668e4d059e6188fb76d3f56850dc6"
    ),
    bytes.fromhex(
        "830973733dfbabba714e55204acbff2da843d1214109d3f1635565fb1dc9a31bb9ee32cc32ccc41f100183b72c84f29c8a23"
        "af6f09ff6b569e071added8d2431b1609bf00b210be20334710ade9f2ce588d03903efe2e4135838f2484a83d162b8301841"
        "8c195f190e767c85ccbc64397365c65720a8c24b3f23902c3e0409a739aca56b2669e3450149c083202e654420ca9beb5651"
        "a3985bec9cd1726904601aeacfb0f4d3ee18aa9972c8e8f8d8cc151424599244f57227342fab4c31644a631541d76ee28322"
        "f1c4fd8d462ded4b33a870ac08ef8eaf63f0c8495c9c674920ef5be204f65abbf68de7e8b76bfc9c0345cfb839de5ac24698"
        "0bf46e83770d12bc94756a8b011ac145eff4ae02393f226956cdec412139dfdcf86d144564ef9fb5a89ee31c78b22dfe4238"
        "5fc4ded804ca772d74623ecb5b9c237195ae229530df481f80d89f37fdf6c6d35f90e2916c7597bdddec889422dbf0306508"
        "522928ccaa2ee80db0328f4b41d57eefa092"
    ),
)
GOLDEN_NYM = (
    bytes.fromhex(
        "a966b133c462c6387d9ccb7d70c52c8c0f94c4a4db5257413e0fd71e3adf890b77078f76cdaa17e72f4c184d6a4401ff6ec4"
        "766913bf4e4bdc80770cee2dcbce70515de54f9bf4bd9761bf05f327160a296430337a55e76ac4546e8f97d5498d0836fb38"
        "7fe9b9651f44d188a63d17f20a4a25cc9c6346c68ed1cc9906cc84b8f637d47134bb9721f61dbb370174fd470d34f97fc161"
        "5a5f5c477d49afeb6bbdab1bf4836fb24cab615e96ec4db43bb2"
    ),
    bytes.fromhex(
        "8abbc5e9cc617dd0b74b4182e6a27fceaae73a4e1b631a8c7b440326cfc7e268b79afa5f7de3cc0f1206e9b6c1695beb0e30"
        "ae7a9fd815bd65bc8b54427322ecdfdac0967f61bcd0ca0b67a82d1edc27"
    ),
    bytes.fromhex(
        "b590f22c18dc58cf0befc8c0f9fc1b994b8a2d10ce6ad255f9c157fea62da96daa345f061d4aee4fff4dfd10bcaa96b28e61"
        "e694f86a79d003e572eef3c85f8f23921121fee0788dd57e5edd8770fc91f3dccdfb7fd3284c6ad7927346987208a6390cc9"
        "f33692a5f1a257d855e485c6a5d0fc74a84e8b75b709773b0aa12caa931b8db428f1baf1643b10d0de3bdce20c1d7bb29765"
        "4a3bed9d5babc2b988ff76f1f4b65d7c7bad7e46d53c11c781c05ddaaa7c68a8037c76f75bf8e078aada6d7b97ad6a192bac"
        "12209c0f050dad560f4b44ce640d2b903be7ee3372bff5ccfc76bde3bdbcd060e7f1fa49d37a4b702678c3b7e558c2d7289a"
        "34ed92bf8b0d41db1b7ccb2f31392b1b3504387c465a573e059d5711701d01c696e35431c0b11e6525f01fa5e36e05164030"
        "3ba061265e07893b784fd23b9d071b463a8d67cf6d6f6c5235fad068ee958ffc5250881437abcefffafd92bdff652c9cc552"
        "85948042d3f1c70cacfacb07dc19b44f606d67a00fa2fe3e3049e9f930083fae02a9ede5532243880422ab9795d8b560d5dd"
    ),
    bytes.fromhex("a62bcbf72a0ddd6e100260473b11448b6682b400670a4d50526c4ac6e90efff4f35136dd0c85c3c2e20c6b8900b444b0"),
)


def test_golden_values() -> None:
    rand = counting()
    commitment, blind = blind_bbs.commit((HOLDER_SECRET,), rand=rand)
    signature = blind_bbs.blind_sign(SECRET_KEY, PUBLIC_KEY, commitment, header=HEADER, messages=MESSAGES, committed=1)
    proof = blind_proof(hold(signature, blind), rand)
    assert (commitment, signature, proof) == GOLDEN_BLIND
    check_blind(proof)
    commitment, blind, signature = nym_signature(rand, (HOLDER_SECRET,))
    held = nym_held(signature, blind, committed_messages=(HOLDER_SECRET,))
    proof, pseudonym = nym_proof(held, rand)
    assert (commitment, signature, proof, pseudonym) == GOLDEN_NYM
    check_nym(proof, pseudonym, committed=1)


# --- properties ---


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.binary(max_size=40), max_size=4),
    st.lists(st.binary(max_size=40), max_size=3),
    st.binary(max_size=80),
    st.data(),
)
def test_what_is_signed_blindly_can_be_shown_in_any_part(
    messages: list[bytes], committed: list[bytes], header: bytes, data: st.DataObject
) -> None:
    shown = sorted(data.draw(st.sets(st.sampled_from(range(len(messages)))) if messages else st.just(set())))
    signed: dict[str, Any] = {"header": header, "messages": messages}
    commitment, blind = pseudonym_bbs.commit_with_nym(committed, PROVER_NYM, rand=os.urandom)
    signature = pseudonym_bbs.blind_sign_with_nym(
        SECRET_KEY, PUBLIC_KEY, commitment, ENTROPY, committed=len(committed), **signed
    )
    held = nym_held(signature, blind, committed_messages=committed, **signed)
    proof, pseudonym = pseudonym_bbs.proof_gen_with_nym(
        held, presentation_header=header, context_id=CONTEXT, disclosed_indexes=shown, rand=os.urandom
    )
    assert len(proof) == 272 + 32 * (len(messages) - len(shown) + len(committed) + 2)
    disclosed: dict[str, Any] = {"disclosed_messages": [messages[i] for i in shown], "disclosed_indexes": shown}
    counts = {"length": len(messages), "committed": len(committed)}
    check_nym(proof, pseudonym, header=header, presentation_header=header, **counts, **disclosed)
    assert pseudonym == NYM  # of the same nym secret in the same context, whatever else was signed


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 8 * len(PROOF) - 1))
def test_no_bit_of_a_blind_proof_can_be_flipped(bit: int) -> None:
    with pytest.raises(VcError):
        check_blind(flip(PROOF, bit))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 8 * (len(NYM_PROOF) + len(NYM)) - 1))
def test_no_bit_of_a_proof_or_its_pseudonym_can_be_flipped(bit: int) -> None:
    changed = flip(NYM_PROOF + NYM, bit)
    with pytest.raises(VcError):
        check_nym(changed[:-48], changed[-48:])


COMMITMENT, _ = blind_bbs.commit((HOLDER_SECRET,), rand=os.urandom)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 8 * len(COMMITMENT) - 1))
def test_no_bit_of_a_commitment_can_be_flipped(bit: int) -> None:
    with pytest.raises(VcError):
        blind_bbs.deserialize_and_validate_commit(flip(COMMITMENT, bit), blind_bbs.API_ID, 1)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_only_our_errors_leave(raw: bytes) -> None:
    with pytest.raises(VcError):
        check_blind(raw)
    with pytest.raises(VcError):
        check_nym(raw, NYM)
    with pytest.raises(VcError):
        check_nym(NYM_PROOF, raw)
    with pytest.raises(VcError):
        blind_bbs.deserialize_and_validate_commit(raw, blind_bbs.API_ID, 1)


# --- what never verifies ---

BLIND_CHANGES: list[dict[str, Any]] = [
    {"header": b"other"},
    {"presentation_header": b"other"},
    {"length": 2},
    {"length": 4},
    {"length": -1},
    {"length": 2**64},
    {"committed": 0},
    {"committed": 2},
    {"length": 4, "committed": 0},
    {"length": 2, "committed": 2},
    {"disclosed_messages": [b"one", b"two"]},
    {"disclosed_indexes": (0, 1)},
    {"disclosed_indexes": (2, 0)},
    {"disclosed_indexes": (0, 3)},
]


@pytest.mark.parametrize("change", BLIND_CHANGES, ids=str)
def test_a_changed_statement_never_verifies(change: dict[str, Any]) -> None:
    with pytest.raises(VcError):
        check_blind(PROOF, **change)
    with pytest.raises(VcError):
        check_nym(NYM_PROOF, NYM, **({"committed": 1} if change == {"committed": 0} else change))


def test_a_number_that_does_not_fit_is_seen_before_anything_is_computed() -> None:
    for length in (2, 4, 2**64):
        with pytest.raises(Rejected, match="another number of messages"):
            check_blind(PROOF, length=length, disclosed_messages=[b"one", b"two"], disclosed_indexes=(0, 1))


def test_the_unchanged_statements_do() -> None:
    check_blind(PROOF)
    check_nym(NYM_PROOF, NYM)


def test_another_secret_or_blind_holds_nothing() -> None:
    commitment, blind = blind_bbs.commit((HOLDER_SECRET,), rand=os.urandom)
    signature = blind_bbs.blind_sign(SECRET_KEY, PUBLIC_KEY, commitment, header=HEADER, messages=MESSAGES, committed=1)
    hold(signature, blind)
    for other_blind, committed in ((blind, (b"x" * 32,)), (ENTROPY, (HOLDER_SECRET,)), (blind, ())):
        with pytest.raises(Rejected):
            hold(signature, other_blind, committed)


def test_another_part_of_the_nym_holds_nothing() -> None:
    _, blind, signature = nym_signature()
    nym_held(signature, blind)
    other = (12).to_bytes(32, "big")
    for change in ({"prover_nym": other}, {"signer_nym_entropy": other}, {"secret_prover_blind": other}):
        with pytest.raises(Rejected):
            nym_held(signature, blind, **change)


def test_a_pseudonym_stays_and_differs_where_it_should() -> None:
    again = nym_proof(NYM_HELD)
    assert again[1] == NYM
    assert again[0] != NYM_PROOF
    proof, elsewhere = nym_proof(NYM_HELD, context_id=b"https://landlord.example/")
    assert elsewhere != NYM
    for wrong in ((proof, NYM), (NYM_PROOF, elsewhere), (proof, elsewhere)):
        with pytest.raises(Rejected):
            check_nym(*wrong)
    check_nym(proof, elsewhere, context_id=b"https://landlord.example/")


def test_the_two_interfaces_do_not_mix() -> None:
    commitment, blind, signature = nym_signature()
    with pytest.raises(Rejected):
        blind_bbs.deserialize_and_validate_commit(commitment, blind_bbs.API_ID, 1)
    with pytest.raises(Rejected):
        hold(signature, blind)
    with pytest.raises(Rejected):
        check_blind(NYM_PROOF)
    with pytest.raises(Rejected):
        check_nym(PROOF, NYM)
    with pytest.raises(Rejected):
        bbs.verify(PUBLIC_KEY, signature, HEADER, MESSAGES)


def test_a_secret_that_counts_as_shown_makes_no_pseudonym() -> None:
    """With the nym shown, the last hidden message is the blind, which its holder may choose: a pseudonym at will.

    The holder knows what the signer will add, as when a credential is issued again, and makes the nym the scalar of an
    octet string that it can show.
    """
    (nym,) = blind_bbs.committed_scalars((b"nym",), pseudonym_bbs.API_ID)
    prover = (nym - Scalar.from_be_bytes(ENTROPY)).to_be_bytes()
    _, blind, signature = nym_signature(prover=prover)
    held = nym_held(signature, blind, prover_nym=prover).held
    undisclosed = [1, 3]  # the hidden claim and the blind; 4 is the nym
    scalars = calculate_random_scalars(7, os.urandom)
    forged = pseudonym_bbs.nym_proof_init(CONTEXT, held.messages[3], scalars[-1])
    init_res = pseudonym_bbs.with_nym(proof_init(held, scalars, undisclosed), forged)
    shown = (0, 2, 4)
    dst = pseudonym_bbs.API_ID + b"H2S_"
    disclosed = [held.messages[i] for i in shown]
    challenge = proof_challenge_calculate(init_res, disclosed, shown, PRESENTATION_HEADER, dst)
    proof = proof_finalize(init_res, challenge, held.e, scalars, [held.messages[i] for i in undisclosed])
    with pytest.raises(Malformed, match="disclosed indexes"):
        check_nym(proof, forged[0], disclosed_messages=[*(MESSAGES[i] for i in SHOWN), b"nym"], disclosed_indexes=shown)


@pytest.mark.parametrize("shown", [(3,), (4,), (-1,), (0, 0), (2, 0)])
def test_a_holder_cannot_show_its_secrets(shown: tuple[int, ...]) -> None:
    with pytest.raises(Malformed, match="disclosed indexes"):
        blind_bbs.blind_proof_gen(HELD, presentation_header=b"", disclosed_indexes=shown, rand=os.urandom)
    with pytest.raises(Malformed, match="disclosed indexes"):
        pseudonym_bbs.proof_gen_with_nym(
            NYM_HELD, presentation_header=b"", context_id=CONTEXT, disclosed_indexes=shown, rand=os.urandom
        )


def test_a_signer_wants_the_commitment_that_was_agreed_on() -> None:
    commitment, _ = blind_bbs.commit((HOLDER_SECRET, b"something else"), rand=os.urandom)
    signed: dict[str, Any] = {"header": HEADER, "messages": MESSAGES}
    for octets in (b"", commitment, commitment[:-1], commitment[:48]):
        with pytest.raises(Malformed, match="commitment"):
            blind_bbs.blind_sign(SECRET_KEY, PUBLIC_KEY, octets, committed=1, **signed)
    without_proof = COMMITMENT[:48] + bytes(31) + b"\1" + COMMITMENT[80:]
    with pytest.raises(Rejected, match="without proof"):
        blind_bbs.blind_sign(SECRET_KEY, PUBLIC_KEY, without_proof, committed=1, **signed)


def test_a_commitment_that_cancels_the_rest_is_not_signed() -> None:
    generators = combined_generators(blind_bbs.API_ID, len(MESSAGES), 1)
    scalars = blind_bbs.signer_scalars(MESSAGES, blind_bbs.API_ID)
    domain = calculate_domain(PUBLIC_KEY, generators, HEADER)
    rest = P1 + multiexp([generators.q_1, *generators.h[:3]], [domain, *scalars])
    with pytest.raises(Rejected, match="cancels"):
        blind_bbs.finalize_blind_sign(SECRET_KEY, PUBLIC_KEY, generators, HEADER, scalars, IDENTITY_G1 - rest)


def test_a_nym_of_zero_is_nobodys() -> None:
    _, blind, signature = nym_signature()
    order = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    with pytest.raises(Malformed, match="cancels"):
        nym_held(signature, blind, signer_nym_entropy=(order - 7).to_bytes(32, "big"))


@pytest.mark.parametrize("pseudonym", [b"", b"\xc0" + bytes(47), bytes(48), G1Point().to_compressed_bytes()], ids=len)
def test_what_is_no_pseudonym(pseudonym: bytes) -> None:
    with pytest.raises(Malformed, match="pseudonym"):
        check_nym(NYM_PROOF, pseudonym)


def test_a_proof_that_says_nothing_about_the_pseudonym() -> None:
    op = pseudonym_bbs.hash_to_curve_g1(CONTEXT)
    with pytest.raises(Rejected, match="nothing about the pseudonym"):
        pseudonym_bbs.nym_proof_verify_init((op * Scalar(3)).to_compressed_bytes(), CONTEXT, Scalar(6), Scalar(2))


# --- bounds and care ---


def test_bounds() -> None:
    with pytest.raises(Malformed, match="messages"):
        blind_bbs.blind_sign(
            SECRET_KEY, PUBLIC_KEY, COMMITMENT, header=b"", messages=[b"m"] * (bbs.MAX_MESSAGES - 1), committed=1
        )
    nym_proof(NYM_HELD, context_id=b"c" * pseudonym_bbs.MAX_CONTEXT_ID)
    with pytest.raises(Malformed, match="context id"):
        nym_proof(NYM_HELD, context_id=b"c" * (pseudonym_bbs.MAX_CONTEXT_ID + 1))


@pytest.mark.parametrize("scalar", [b"", bytes(32), b"\xff" * 32, b"\1" * 33], ids=["empty", "zero", "large", "long"])
def test_what_is_no_scalar(scalar: bytes) -> None:
    _, blind, signature = nym_signature()
    with pytest.raises(Malformed, match="prover nym"):
        pseudonym_bbs.commit_with_nym((), scalar, rand=os.urandom)
    for name in ("prover_nym", "signer_nym_entropy", "secret_prover_blind"):
        with pytest.raises(Malformed, match=name.replace("_", " ")):
            nym_held(signature, blind, **{name: scalar})


def test_a_broken_rand_makes_nothing() -> None:
    def stuck(length: int) -> bytes:
        return b"\7" * length

    for attempt in (
        lambda: blind_bbs.commit((HOLDER_SECRET,), rand=stuck),
        lambda: blind_proof(HELD, rand=stuck),
        lambda: nym_proof(NYM_HELD, rand=stuck),
    ):
        with pytest.raises(Malformed, match="rand"):
            attempt()


def test_random_nyms_are_fresh_scalars() -> None:
    nyms = {pseudonym_bbs.random_nym(os.urandom) for _ in range(8)}
    assert len(nyms) == 8
    for nym in nyms:
        pseudonym_bbs.commit_with_nym((), nym, rand=os.urandom)


def test_what_is_held_does_not_show_in_logs() -> None:
    assert "Scalar" not in repr(HELD)
    assert "G1Point" not in repr(HELD)
