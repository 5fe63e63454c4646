"""P-256 and P-384 keys: the examples of RFC 6979, secrets that stay secret, points and signatures that are none."""

import pickle
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from vc import ecdsa
from vc.did import resolve_method
from vc.ecdsa import Curve
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.keys import (
    BLS12_381_G2,
    P256,
    P384,
    X25519,
    EcdsaKey,
    Ed25519Key,
    P256Key,
    P384Key,
    PublicKey,
    Signer,
    parse_multikey,
    verify_ecdsa,
    verify_signature,
)

KEYS: Final = (P256Key.from_secret(bytes(range(1, 33))), P384Key.from_secret(bytes(range(1, 49))))
CURVES: Final = (ecdsa.P256, ecdsa.P384)
by_name: Final = [curve.name for curve in CURVES]
without_deadline: Final = settings(deadline=None)

# RFC 6979 A.2.5 and A.2.6, the message "sample" with the hash of the curve's own size: secret, x, r, s.
EXAMPLES: Final = [
    pytest.param(
        P256Key,
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        id="P-256",
    ),
    pytest.param(
        P384Key,
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
        id="P-384",
    ),
]


@pytest.mark.parametrize(("kind", "secret", "x", "r", "s"), EXAMPLES)
def test_examples_of_rfc_6979(kind: type[EcdsaKey], secret: str, x: str, r: str, s: str) -> None:
    key = kind.from_secret(bytes.fromhex(secret))
    assert key.public.raw[1:].hex() == x.lower()
    assert key.sign(b"sample").hex() == (r + s).lower()
    assert key.secret.hex() == secret.lower()


@pytest.mark.parametrize("key", KEYS, ids=by_name)
def test_a_key_is_a_signer_and_signs_as_whom_it_is_told(key: EcdsaKey) -> None:
    signer: Signer = key
    assert resolve_method(signer.verification_method).public == key.public
    assert key.did == resolve_method(signer.verification_method).controller
    method = "https://example.com/issuer#key-1"
    other = type(key).from_secret(key.secret, method)
    assert (other.verification_method, other.public, other.did) == (method, key.public, "https://example.com/issuer")


@pytest.mark.parametrize("key", KEYS, ids=by_name)
def test_a_key_crosses_processes(key: EcdsaKey) -> None:
    copy = pickle.loads(pickle.dumps(key))
    assert copy == key
    assert copy.sign(b"data") == key.sign(b"data")


@pytest.mark.parametrize("key", KEYS, ids=by_name)
def test_a_key_does_not_show_its_secret(key: EcdsaKey) -> None:
    shown = f"{key!r} {key!s} {[key]}".lower()
    assert key.public.multikey.lower() in shown
    assert "privatekey" not in shown
    for spelling in (key.secret.hex(), repr(key.secret)[2:-1], str(int.from_bytes(key.secret, "big"))):
        assert spelling.lower() not in shown


@without_deadline
@given(st.sampled_from(KEYS), st.binary(max_size=80))
def test_a_signature_verifies_by_whatever_road(key: EcdsaKey, data: bytes) -> None:
    signature = key.sign(data)
    assert len(signature) == {P256: 64, P384: 96}[key.public.kind]
    verify_ecdsa(key.public, data, signature)
    verify_signature(parse_multikey(key.public.multikey), data, signature)


@pytest.mark.parametrize(("key", "curve"), list(zip(KEYS, CURVES, strict=True)), ids=by_name)
def test_both_values_of_s_verify_and_no_others(key: EcdsaKey, curve: Curve) -> None:
    signature = key.sign(b"data")
    r, s = (int.from_bytes(half, "big") for half in (signature[: curve.length], signature[curve.length :]))
    order = curve.group.group_order

    def pair(first: int, second: int) -> bytes:
        return first.to_bytes(curve.length, "big") + second.to_bytes(curve.length, "big")

    verify_ecdsa(key.public, b"data", pair(r, order - s))
    top = (1 << 8 * curve.length) - 1
    for first, second in ((0, s), (r, 0), (0, 0), (order, s), (r, order), (s, r), (top, top), (1, 1)):
        with pytest.raises(Rejected) as refused:
            verify_ecdsa(key.public, b"data", pair(first, second))
        assert refused.value.code == "PROOF_INVALID"


@without_deadline
@given(st.sampled_from(KEYS), st.sampled_from(["key", "data", "signature"]), st.integers(0, 2**16))
def test_a_flipped_bit_is_noticed(key: EcdsaKey, part: str, bit: int) -> None:
    parts = {"key": key.public.raw, "data": b"what was signed", "signature": key.sign(b"what was signed")}
    changed = bytearray(parts[part])
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    with pytest.raises((Rejected, Malformed)) as refused:
        verify_ecdsa(PublicKey(key.public.kind, parts["key"]), parts["data"], parts["signature"])
    assert refused.value.code == ("PROOF_INVALID" if isinstance(refused.value, Rejected) else "BAD_KEY")
    assert part == "key" or isinstance(refused.value, Rejected)


@pytest.mark.parametrize("key", KEYS, ids=by_name)
def test_a_signature_has_the_length_of_its_curve(key: EcdsaKey) -> None:
    signature = key.sign(b"data")
    r, s = signature[: len(signature) // 2], signature[len(signature) // 2 :]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature, signature * 2, der, r):
        with pytest.raises(Malformed) as refused:
            verify_ecdsa(key.public, b"data", wrong)
        assert refused.value.code == "BAD_SIGNATURE"


@pytest.mark.parametrize("curve", CURVES, ids=by_name)
def test_what_is_no_compressed_point(curve: Curve) -> None:
    good = {"P-256": KEYS[0], "P-384": KEYS[1]}[curve.name].public
    uncompressed = ecdsa.load_public(curve, good.raw).public_numbers()
    y = uncompressed.y.to_bytes(curve.length, "big")
    for wrong in (
        b"",
        b"\0",  # the point at infinity
        bytes(curve.length + 1),
        b"\x04" + good.raw[1:],
        b"\x05" + good.raw[1:],
        b"\x02" + b"\xff" * curve.length,  # beyond the field
        b"\x04" + good.raw[1:] + y,
        bytes([6 + (y[-1] & 1)]) + good.raw[1:] + y,
    ):
        with pytest.raises(Malformed) as refused:
            ecdsa.load_public(curve, wrong)
        assert refused.value.code == "BAD_KEY"


@pytest.mark.parametrize("kind", [P256, P384], ids=by_name)
def test_a_multikey_that_is_off_its_curve_is_refused(kind: Any) -> None:
    candidates = [PublicKey(kind, b"\x02" + number.to_bytes(kind.length - 1, "big")) for number in range(1, 20)]
    read = [verdict(public.multikey) for public in candidates]
    assert {"BAD_KEY"} < set(read) < {"BAD_KEY", *candidates}


def verdict(multikey: str) -> PublicKey | str:
    """The key, or the code of why it is none."""
    try:
        return parse_multikey(multikey)
    except VcError as error:
        return error.code


@pytest.mark.parametrize(("kind", "curve"), [(P256Key, ecdsa.P256), (P384Key, ecdsa.P384)], ids=by_name)
def test_what_is_no_secret(kind: type[EcdsaKey], curve: Curve) -> None:
    order = curve.group.group_order
    wrong = [b"hunter2" * 5, b"", bytes(curve.length), b"\xff" * curve.length, order.to_bytes(curve.length, "big")]
    for secret in wrong:
        with pytest.raises(Malformed) as refused:
            kind.from_secret(secret)
        assert refused.value.code == "BAD_KEY"
        assert "hunter2" not in f"{refused.value!r} {refused.value}"
    assert kind.from_secret((order - 1).to_bytes(curve.length, "big")).secret == (order - 1).to_bytes(
        curve.length, "big"
    )


@pytest.mark.parametrize("curve", CURVES, ids=by_name)
def test_random_bytes_become_secrets_within_the_order(curve: Curve) -> None:
    length = ecdsa.material_length(curve)
    order = curve.group.group_order
    assert int.from_bytes(ecdsa.key_gen(curve, bytes(length)), "big") == 1
    assert int.from_bytes(ecdsa.key_gen(curve, (order - 2).to_bytes(length, "big")), "big") == order - 1
    assert int.from_bytes(ecdsa.key_gen(curve, (order - 1).to_bytes(length, "big")), "big") == 1
    with pytest.raises(Malformed):
        ecdsa.key_gen(curve, b"\x01" * (length - 1))


def test_generated_keys_come_from_the_given_chance() -> None:
    asked = []

    def rand(length: int) -> bytes:
        asked.append(length)
        return b"\x07" * length

    assert P256Key.generate(rand) == P256Key.generate(rand)
    assert P384Key.generate(rand, "https://example.com/#k").verification_method == "https://example.com/#k"
    assert asked == [40, 40, 56]


def test_every_kind_verifies_in_its_own_way_only() -> None:
    signers: list[Signer] = [*KEYS, Ed25519Key.from_seed(bytes(32))]
    for signer in signers:
        verify_signature(signer.public, b"data", signer.sign(b"data"))
        for other in signers:
            if other is not signer:
                with pytest.raises((Rejected, Malformed)):
                    verify_signature(other.public, b"data", signer.sign(b"data"))
    with pytest.raises(Unsupported):
        verify_ecdsa(signers[2].public, b"data", signers[2].sign(b"data"))
    for kind in (X25519, BLS12_381_G2):
        with pytest.raises(Unsupported):
            verify_signature(PublicKey(kind, bytes(kind.length)), b"data", bytes(64))


def test_hashes_are_those_of_the_curves() -> None:
    """ES256 and ES384, whatever signs: not SHA-256 for both."""
    for key, curve, right, wrong in (
        (KEYS[0], ecdsa.P256, hashes.SHA256(), hashes.SHA384()),
        (KEYS[1], ecdsa.P384, hashes.SHA384(), hashes.SHA256()),
    ):
        signature = key.sign(b"data")
        r, s = (int.from_bytes(half, "big") for half in (signature[: curve.length], signature[curve.length :]))
        public = ecdsa.load_public(curve, key.public.raw)
        public.verify(encode_dss_signature(r, s), b"data", ec.ECDSA(right))
        with pytest.raises(InvalidSignature):
            public.verify(encode_dss_signature(r, s), b"data", ec.ECDSA(wrong))
