"""BBS signatures: the published fixtures step by step, values another implementation accepted, properties."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import shake_256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point

from tests.shared import shared_path
from vc import bbs, bbs_core
from vc.errors import Rejected, VcError

MOCK_SEED = bytes.fromhex("332e313431353932363533353839373933323338343632363433333833323739")
MOCK_DST = bbs_core.API_ID + b"MOCK_RANDOM_SCALARS_DST_"

SECRET_KEY = bbs.key_gen(b"a key for these tests, and no other use")
PUBLIC_KEY = bbs.sk_to_pk(SECRET_KEY)
HEADER = b"header"
PRESENTATION_HEADER = b"challenge"
MESSAGES = (b"one", b"two", b"three", b"")
SIGNATURE = bbs.sign(SECRET_KEY, PUBLIC_KEY, HEADER, MESSAGES)
HELD = bbs.hold(PUBLIC_KEY, SIGNATURE, HEADER, MESSAGES)
SHOWN = (0, 3)


def fixture(name: str) -> Any:
    return json.loads(shared_path(f"vectors/bbs-signature/bls12-381-sha-256/{name}.json").read_text())


def octets(values: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def seeded(count: int) -> Callable[[int], bytes]:
    """seeded_random_scalars of the draft's fixtures, handed out scalar by scalar."""
    stream = bbs_core.expand_message(MOCK_SEED, MOCK_DST, count * 48)
    pieces = iter([stream[i : i + 48] for i in range(0, len(stream), 48)])
    return lambda _: next(pieces)


def prove(held: bbs.Held = HELD, shown: Sequence[int] = SHOWN, rand: Callable[[int], bytes] = os.urandom) -> bytes:
    return bbs.proof_gen(held, presentation_header=PRESENTATION_HEADER, disclosed_indexes=shown, rand=rand)


def check(proof: bytes, messages: Sequence[bytes] = (b"one", b""), shown: Sequence[int] = SHOWN) -> None:
    bbs.proof_verify(
        PUBLIC_KEY,
        proof,
        header=HEADER,
        presentation_header=PRESENTATION_HEADER,
        disclosed_messages=messages,
        disclosed_indexes=shown,
    )


PROOF = prove()


# --- published fixtures ---


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", "68a985b87eb6b46952128911f2a4412bbc302a9d759667f87f7a21d803f07235"),
        (b"abc", "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615"),
    ],
)
def test_expand_message_xmd_as_in_rfc_9380(message: bytes, expected: str) -> None:
    dst = b"QUUX-V01-CS02-with-expander-SHA256-128"
    assert bbs_core.expand_message(message, dst, 32).hex() == expected


def test_p1_is_derived_as_the_ciphersuite_says() -> None:
    prefix = bbs_core.CIPHERSUITE_ID + b"H2G_HM2S_"
    v = bbs_core.expand_message(prefix + b"BP_MESSAGE_GENERATOR_SEED", prefix + b"SIG_GENERATOR_SEED_", 48)
    v = bbs_core.expand_message(v + bytes(7) + b"\x01", prefix + b"SIG_GENERATOR_SEED_", 48)
    assert G1Point.hash_to_curve(v, prefix + b"SIG_GENERATOR_DST_") == bbs_core.P1


def test_key_pair() -> None:
    case = fixture("keypair")
    secret_key = bbs.key_gen(*octets([case["keyMaterial"], case["keyInfo"], case["keyDst"]]))
    assert secret_key.hex() == case["keyPair"]["secretKey"]
    assert bbs.sk_to_pk(secret_key).hex() == case["keyPair"]["publicKey"]


def test_hash_to_scalar() -> None:
    case = fixture("h2s")
    scalar = bbs_core.hash_to_scalar(*octets([case["message"], case["dst"]]))
    assert scalar.to_be_bytes().hex() == case["scalar"]


@pytest.mark.parametrize("number", range(10))
def test_map_message_to_scalar_as_hash(number: int) -> None:
    suite = fixture("MapMessageToScalarAsHash")
    case = suite["cases"][number]
    assert suite["dst"] == bbs.MAP_DST.hex()
    assert [s.to_be_bytes().hex() for s in bbs.messages_to_scalars(octets([case["message"]]))] == [case["scalar"]]


def test_create_generators() -> None:
    case = fixture("generators")
    generators = bbs.create_generators(11)
    assert bbs_core.P1.to_compressed_bytes().hex() == case["P1"]
    assert generators.q_1.to_compressed_bytes().hex() == case["Q1"]
    assert [h.to_compressed_bytes().hex() for h in generators.h] == case["MsgGenerators"]
    assert generators.octets.hex() == case["Q1"] + "".join(case["MsgGenerators"])


def test_mocked_random_scalars() -> None:
    case = fixture("mockedRng")
    assert (case["seed"], case["dst"]) == (MOCK_SEED.hex(), MOCK_DST.hex())
    scalars = bbs_core.calculate_random_scalars(case["count"], seeded(case["count"]))
    assert [scalar.to_be_bytes().hex() for scalar in scalars] == case["mockedScalars"]


@pytest.mark.parametrize("number", [1, 4, 10])
def test_signature_fixture_valid(number: int) -> None:
    case = fixture(f"signature/signature{number:03}")
    assert case["result"]["valid"]
    secret_key, public_key = octets([case["signerKeyPair"]["secretKey"], case["signerKeyPair"]["publicKey"]])
    header, messages = bytes.fromhex(case["header"]), octets(case["messages"])
    signature = bbs.sign(secret_key, public_key, header, messages)
    assert signature.hex() == case["signature"]
    held = bbs.hold(public_key, signature, header, messages)
    assert held.domain.to_be_bytes().hex() == case["trace"]["domain"]
    assert held.b.to_compressed_bytes().hex() == case["trace"]["B"]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (2, "modified message"),
        (3, "extra unsigned message"),
        (5, "missing messages"),
        (6, "re-ordered messages"),
        (7, "wrong public key"),
        (8, "different header"),
        (9, "re-ordered(randomly shuffled) messages"),
    ],
)
def test_signature_fixture_invalid(number: int, reason: str) -> None:
    case = fixture(f"signature/signature{number:03}")
    assert case["result"] == {"valid": False, "reason": reason}
    public_key, signature, header = octets([case["signerKeyPair"]["publicKey"], case["signature"], case["header"]])
    with pytest.raises(Rejected) as refusal:
        bbs.verify(public_key, signature, header, octets(case["messages"]))
    assert refusal.value.code == "PROOF_INVALID"


def verify_fixture(case: Any) -> None:
    public_key, proof, header, ph = octets(
        [case["signerPublicKey"], case["proof"], case["header"], case["presentationHeader"]]
    )
    bbs.proof_verify(
        public_key,
        proof,
        header=header,
        presentation_header=ph,
        disclosed_messages=octets([case["messages"][i] for i in case["disclosedIndexes"]]),
        disclosed_indexes=case["disclosedIndexes"],
    )


@pytest.mark.parametrize("number", [1, 2, 3, 14, 15])
def test_proof_fixture_valid(number: int) -> None:
    case = fixture(f"proof/proof{number:03}")
    assert case["result"]["valid"]
    public_key, signature, header, ph = octets(
        [case["signerPublicKey"], case["signature"], case["header"], case["presentationHeader"]]
    )
    held = bbs.hold(public_key, signature, header, octets(case["messages"]))
    shown = case["disclosedIndexes"]
    rand = seeded(5 + len(case["messages"]) - len(shown))
    proof = bbs.proof_gen(held, presentation_header=ph, disclosed_indexes=shown, rand=rand)
    assert proof.hex() == case["proof"]
    verify_fixture(case)


@pytest.mark.parametrize("number", [1, 2, 3, 14, 15])
def test_proof_fixture_traces(number: int) -> None:
    case = fixture(f"proof/proof{number:03}")
    trace, shown = case["trace"], case["disclosedIndexes"]
    public_key, signature, header, ph = octets(
        [case["signerPublicKey"], case["signature"], case["header"], case["presentationHeader"]]
    )
    held = bbs.hold(public_key, signature, header, octets(case["messages"]))
    undisclosed = bbs_core.undisclosed_indexes(shown, len(held.messages))
    mocked = trace["random_scalars"]
    names = ("r1", "r2", "e_tilde", "r1_tilde", "r3_tilde")
    scalars = bbs_core.calculate_random_scalars(5 + len(undisclosed), seeded(5 + len(undisclosed)))
    assert [s.to_be_bytes().hex() for s in scalars] == [*(mocked[name] for name in names), *mocked["m_tilde_scalars"]]

    made = bbs_core.proof_init(held, scalars, undisclosed)
    assert made.points.hex() == "".join(trace[name] for name in ("A_bar", "B_bar", "D", "T1", "T2"))
    assert made.domain.to_be_bytes().hex() == trace["domain"]

    disclosed = [held.messages[i] for i in shown]
    checked = bbs_core.proof_verify_init(
        public_key,
        bbs_core.octets_to_proof(bytes.fromhex(case["proof"])),
        held.generators,
        header=header,
        disclosed_messages=disclosed,
        disclosed_indexes=shown,
    )
    assert checked == made
    challenge = bbs_core.proof_challenge_calculate(made, disclosed, shown, ph)
    assert challenge.to_be_bytes().hex() == trace["challenge"]


@pytest.mark.parametrize(
    ("number", "reason", "code"),
    [
        (4, "different presentation header", "PROOF_INVALID"),
        (5, "wrong public key", "PROOF_INVALID"),
        (6, "modified messages", "PROOF_INVALID"),
        (7, "extra message un-revealed in proof", "PROOF_INVALID"),
        (8, "extra message invalid message un-revealed in proof", "PROOF_INVALID"),
        (9, "missing message revealed in proof", "PROOF_INVALID"),
        (10, "re-ordered messages", "MALFORMED"),  # its indexes are 4, 2, 4, 6
        (11, "extra valid message, modified total message count", "PROOF_INVALID"),
        (12, "truncated proof, one less undisclosed message", "PROOF_INVALID"),
        (13, "different header", "PROOF_INVALID"),
    ],
)
def test_proof_fixture_invalid(number: int, reason: str, code: str) -> None:
    case = fixture(f"proof/proof{number:03}")
    assert case["result"] == {"valid": False, "reason": reason}
    with pytest.raises(VcError) as refusal:
        verify_fixture(case)
    assert refusal.value.code == code


# --- values that another implementation accepted ---


@dataclass(frozen=True, slots=True)
class Golden:
    key_info: bytes
    header: bytes
    presentation_header: bytes
    messages: tuple[bytes, ...]
    disclosed_indexes: tuple[int, ...]
    public_key: bytes
    signature: bytes
    proof: bytes


# Made by this library. @digitalbazaar/bbs-signatures 3.0.0 (npm, on @noble/curves 1.9.7) made the same public keys and
# signatures, accepted these proofs, and made others for the same statements that this library accepted.
GOLDEN = (
    Golden(
        key_info=b"",
        header=b"",
        presentation_header=b"",
        messages=(),
        disclosed_indexes=(),
        public_key=bytes.fromhex(
            "891eee467fd433a65ede63520ec1e0347f22aa7e8100062d4526e2cb5bfcdf496a9a25fd2e1c018e5352e21295cb07630bc9"
            "10a689c5fb1b351a6bee7ff2b71d72b537486c04ed85c1d27c88a950e85451e3855d21ae93c3240219112d92e92d"
        ),
        signature=bytes.fromhex(
            "b99cc7eaf2ea1d95c6ba1b9bf3b4c7df1adc5cd8979110b85944c2549cfb854c417253492aab6cd00948a91bb794bc7c6102"
            "0fe274011b9eea114556d473909e4db0072cccbf9a2a2f0b3d505d4c856a"
        ),
        proof=bytes.fromhex(
            "98306f18ab274bad1fd49a962a94f7084d14cb86ac68f7cb8534ba01df01da35aa8c424cef4a1597e8631e227e08055bafdd"
            "c0991d3fdafe5b182a85f4d181cb8c5201e2ed025792191f659f598d97f0b35876e55a82ca2493cacc3b80a9a65a879e3b59"
            "bbe29b131ac3cfb20ac6ee2bf5ebf0cc613769b38bf5c9573cd537baded8a3308b32fb7c753cb66022bcdb372f18b5874a12"
            "bebe8239cdc01ffbe55e26fa2f993709ae231d5a536e9d3a0a3f01512c4e76ba40441e9c16e10df672004ba9c2f3b099ea53"
            "588523308c4bbbca549603587797864f0ae91bc82070345115dce717ebd06be87e448d1f368670e0305bcb073c5249171796"
            "99be46b5dddc49a44ed52ab1c83d00bfbecde90e804e"
        ),
    ),
    Golden(
        key_info=b"first",
        header=b"hours",
        presentation_header=b"lender 1",
        messages=(b"2026-01 120", b"2026-02 96", b"2026-03 144", b"rating 4.9", b""),
        disclosed_indexes=(1, 3),
        public_key=bytes.fromhex(
            "8bc2587824072f2e1b4487c734140614d6ab6d037288b5c6c84265f30ef57fc127a8a69eddb95dc2769e37662a7b252d0e05"
            "00a25f2d4e87a445c9e61ac837e7dafe0edf6ad235c377e5faae34a106ce7773ea20be17eb3fd84621989f35b31c"
        ),
        signature=bytes.fromhex(
            "b56911d6f8776719f77522a7c62c5c21ae60e4f6430713a47542a558e526f2a2259266bc5ad3d2221076686a7c3154360dfe"
            "1276f4be01206bd1ccd07fdcae83ed1901c5b1583e3fa99658451a1c728c"
        ),
        proof=bytes.fromhex(
            "b0d01d4fd2905777d7ae625a5053baf11ef70b1f0b73ac90c2ec9adf5540528036629f9ad448d523cdfd92fcf14b0efe99b7"
            "89b6feb0161518ec5945c2ba882d938c3678b647303ac58ac4bad9a48ec6062c4b2368dc58c75d0024ab6d9b8f0b993fc90d"
            "a93385c5bc94738872f7c80333cc5a946d7d6604781e7c108ef78c3ac8faaf6fe685ae3c6beb217dbedc0cab464ffff20038"
            "c3643f924784173b0e73fde570bbdfb76f6c7c672d9a0506f99061f31f1a81e6fcce2dd78aec73b35ca269a348a1120a41aa"
            "0404b91a241f7f7b3acb6cb5a6ff2be9327808e589cc2a20254abb115950fa343a13eac9e3e4eaab0e9713d4a9ef9cd59a58"
            "39e343c39a675dd55aaddc29755a759df4a059f709f031057e0df4bc3a5b6491ba005e428383efb9c71b54dc420c3cc56450"
            "a9e6579800d87a2309b5dfbe656ab1f26c438e11d22c02f16ac62014fc644803a5dbaed81b0cd8115e8f2beba833f7cbd80c"
            "4c3b68ad98b90453b390e035f489828c70a7"
        ),
    ),
    Golden(
        key_info=b"second",
        header=b"x" * 200,
        presentation_header=b"",
        messages=(b"m" * 600, b"n" * 512, b"o" * 513),
        disclosed_indexes=(0, 1, 2),
        public_key=bytes.fromhex(
            "92748cc0612ce037273855589af58a39ca69d2fcee9210e6c4f4c74783d37a745798f395bbbb184527cbf58e9f4242a20bd0"
            "d8101bfa44ffa08fe174d609355ce466f37e866bc5939e86cfe1790e55ee3ded590ad690400b3b106d8fc1e722dd"
        ),
        signature=bytes.fromhex(
            "ad94ac2e32f458fdb6c0a792995b8d0e33437de0e9c259dc89317258ebc16c65395e87aa278e96625fa6172175225f67627b"
            "280a97049499a6ed191ad09ae8971c7d9f0f6e90ceac752f01f14446f385"
        ),
        proof=bytes.fromhex(
            "8ab47f218929c82d26be58c3a34109c94ea8631ee9f8f81e176a070e0f1686ef187f6cc1bc31b5f01e9592ff317bb0518eba"
            "eab11ef352a17d6951772dcc739cc21be1fe95737ebb62cf41a81fee848ba6ef9c42132e170b185e8788e812fa2ead119ab2"
            "66f3c248d04c656085d7fa4bcfd76ba13824a8598f04e9e56ab466e469404affbb2dfe2496d98850708a6d7a66ff584ed4ed"
            "d8271ed2b408f89408ea0e0d4b24ae87339ecc242d354503cb0a3935f5b8950ad591caa89a56eb114f4e3687392f5401b705"
            "103827edda902cfa27e436822be5917fcc3523267cd3c266d67749e86683f82f9c86d2adb664b61f69f729c73c2c5205f8a9"
            "c6abc88d85a36339549a497ceb57604a1a3ff6b2a5b4"
        ),
    ),
)


def counting() -> Callable[[int], bytes]:
    numbers = iter(range(1, 1000))
    return lambda n: shake_256(b"golden" + next(numbers).to_bytes(4, "big")).digest(n)


@pytest.mark.parametrize("golden", GOLDEN, ids=["no-messages", "five-messages", "all-shown"])
def test_golden_values(golden: Golden) -> None:
    secret_key = bbs.key_gen(b"golden key material, never to be used", golden.key_info)
    assert bbs.sk_to_pk(secret_key) == golden.public_key
    assert bbs.sign(secret_key, golden.public_key, golden.header, golden.messages) == golden.signature
    held = bbs.hold(golden.public_key, golden.signature, golden.header, golden.messages)
    proof = bbs.proof_gen(
        held,
        presentation_header=golden.presentation_header,
        disclosed_indexes=golden.disclosed_indexes,
        rand=counting(),
    )
    assert proof == golden.proof
    bbs.proof_verify(
        golden.public_key,
        proof,
        header=golden.header,
        presentation_header=golden.presentation_header,
        disclosed_messages=[golden.messages[i] for i in golden.disclosed_indexes],
        disclosed_indexes=golden.disclosed_indexes,
    )


# --- properties ---


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=80), st.data())
def test_what_is_signed_can_be_shown_in_any_part(messages: list[bytes], header: bytes, data: st.DataObject) -> None:
    shown = sorted(data.draw(st.sets(st.sampled_from(range(len(messages)))) if messages else st.just(set())))
    ph = data.draw(st.binary(max_size=80))
    signature = bbs.sign(SECRET_KEY, PUBLIC_KEY, header, messages)
    held = bbs.hold(PUBLIC_KEY, signature, header, messages)
    proof = bbs.proof_gen(held, presentation_header=ph, disclosed_indexes=shown, rand=os.urandom)
    assert len(proof) == 272 + 32 * (len(messages) - len(shown))
    bbs.proof_verify(
        PUBLIC_KEY,
        proof,
        header=header,
        presentation_header=ph,
        disclosed_messages=[messages[i] for i in shown],
        disclosed_indexes=shown,
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8 * len(SIGNATURE) - 1))
def test_no_bit_of_a_signature_can_be_flipped(bit: int) -> None:
    with pytest.raises(VcError):
        bbs.verify(PUBLIC_KEY, flip(SIGNATURE, bit), HEADER, MESSAGES)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8 * len(PROOF) - 1))
def test_no_bit_of_a_proof_can_be_flipped(bit: int) -> None:
    with pytest.raises(VcError):
        check(flip(PROOF, bit))


def flip(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_proofs_of_one_signature_have_nothing_in_common() -> None:
    proofs = [prove(), prove()]
    points = [{proof[i : i + 48] for i in (0, 48, 96)} for proof in proofs]
    scalars = [{proof[i : i + 32] for i in range(144, len(proof), 32)} for proof in proofs]
    assert not points[0] & points[1]
    assert not scalars[0] & scalars[1]


def test_caches_change_no_result() -> None:
    other_key = bbs.sk_to_pk(bbs.key_gen(b"another key for these tests, as useless"))
    headers, keys, counts = (b"", b"a", b"a"), (PUBLIC_KEY, other_key, PUBLIC_KEY), (5, 6, 5)
    for public_key, count, header in zip(keys, counts, headers, strict=True):
        generators = bbs.create_generators(count)
        octets = public_key + (count - 1).to_bytes(8, "big") + generators.octets + bbs_core.API_ID
        octets += len(header).to_bytes(8, "big") + header
        expected = bbs_core.hash_to_scalar(octets, bbs_core.HASH_TO_SCALAR_DST)
        assert bbs_core.calculate_domain(public_key, generators, header) == expected
    assert bbs.create_generators(6).octets[: 5 * 48] == bbs.create_generators(5).octets


@pytest.mark.parametrize("length", [0, 511, 512, 513])
def test_long_and_short_messages_map_alike(length: int) -> None:
    message = b"m" * length
    expected = bbs_core.hash_to_scalar(message, bbs.MAP_DST)
    assert [bbs.messages_to_scalars((message,)) for _ in range(2)] == [(expected,), (expected,)]


def test_what_is_held_does_not_show_in_logs() -> None:
    assert "Scalar" not in repr(HELD)
    assert "G1Point" not in repr(HELD)
