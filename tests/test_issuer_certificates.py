"""Certificates for the key of tokens: the request, the chain that comes back, and each way of being wrong."""

from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from issuer.copies import Job, Slot, sign_copy
from issuer.formats import Format
from issuer.keyring import KeyRing
from issuer.keys import Role, new_key
from tests.certificates import NOW, Party, certify, names, secret, usage
from tests.cli import ouvrage
from tests.line import AT, SAMPLES, holder_key, issuer_keys, rand_from
from vc.certificates import csr, parse_chain
from vc.errors import Malformed, Rejected, VcError
from vc.keys import Ed25519Key, P256Key, P384Key
from vc.sdjwt import parse_sd_jwt
from vc.x5c import parse_x5c, verify_chain
from work.statement import Statement

ROOT: Final = certify("root", secret(1), authority=True)
BETWEEN: Final = certify("between", secret(2), ROOT, authority=True, below=0)
KEYS: Final = [
    P256Key.generate(rand_from("p256")),
    P384Key.generate(rand_from("p384")),
    Ed25519Key.from_seed(rand_from("ed25519")(32)),
]


def pem(*parties: Party) -> bytes:
    return b"".join(party.certificate.public_bytes(Encoding.PEM) for party in parties)


def certified(key: Any, by: Party = BETWEEN, **words: Any) -> Party:
    """What an authority makes of the issuer's request."""
    request = x509.load_pem_x509_csr(csr(key, name="Platform", uris=[key.did], hosts=["issuer.example"]).encode())
    names_ = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    class Asked:
        def public_key(self) -> Any:
            return request.public_key()

    return certify("platform", Asked(), by, extensions=[(names_, False), *words.pop("extensions", ())], **words)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)
def test_a_request_is_the_keys_own_and_names_the_issuer(key: Any) -> None:
    uris, hosts = [key.did, "https://issuer.example"], ["issuer.example"]
    request = x509.load_pem_x509_csr(csr(key, name="Courses & Cie " * 9, uris=uris, hosts=hosts).encode())
    assert request.is_signature_valid
    stated = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert stated.get_values_for_type(x509.UniformResourceIdentifier) == uris
    assert stated.get_values_for_type(x509.DNSName) == hosts
    assert (
        verify_chain([certified(key).certificate, BETWEEN.certificate], [ROOT.certificate], at=NOW).public == key.public
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)
def test_a_chain_goes_out_without_its_root(key: Any) -> None:
    leaf = certified(key)
    for given in (pem(leaf, BETWEEN, ROOT), pem(leaf, BETWEEN)):
        x5c = parse_chain(given, key.public, at=NOW, where="chain")
        assert [b64decode(one) for one in x5c] == [
            one.certificate.public_bytes(Encoding.DER) for one in (leaf, BETWEEN)
        ]
        verified = verify_chain(parse_x5c(list(x5c)), [ROOT.certificate], at=NOW)
        assert (verified.public, verified.hosts) == (key.public, frozenset({"issuer.example"}))


KEY: Final = P256Key.generate(rand_from("p256"))
PEER: Final = certify("peer", secret(8), ROOT)
LEAF: Final = certified(KEY)
WRONG: Final = {
    "another key": (pem(certified(KEYS[1]), BETWEEN), "CHAIN_INVALID"),
    "another order": (pem(LEAF, ROOT, BETWEEN), "CHAIN_INVALID"),
    "upside down": (pem(BETWEEN, LEAF), "CHAIN_INVALID"),
    "somebody else between": (pem(LEAF, certify("between", secret(9), ROOT, authority=True)), "CHAIN_INVALID"),
    "over": (pem(certified(KEY, days=(-9, -2)), BETWEEN), "CHAIN_INVALID"),
    "over, alone": (pem(certified(KEY, days=(-9, -2))), "CHAIN_INVALID"),
    "not yet": (pem(certified(KEY, days=(2, 9)), BETWEEN), "CHAIN_INVALID"),
    "not for signatures": (pem(certified(KEY, extensions=[(usage(), True)]), BETWEEN), "CHAIN_INVALID"),
    "no authority between": (pem(certified(KEY, PEER), PEER), "CHAIN_INVALID"),
    "nothing": (b"", "BAD_CERTIFICATE"),
    "six": (pem(LEAF, *[BETWEEN] * 5), "BAD_CERTIFICATE"),
    "no base64": (b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "BAD_CERTIFICATE"),
    "no certificate": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "BAD_CERTIFICATE"),
    "binary": (bytes(range(256)), "BAD_CERTIFICATE"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_another_chain_is_refused(name: str) -> None:
    raw, code = WRONG[name]
    with pytest.raises(VcError) as refused:
        parse_chain(raw, KEY.public, at=NOW, where="chain")
    assert refused.value.code == code


def test_a_key_that_certifies_itself_is_refused() -> None:
    own = ec.derive_private_key(int.from_bytes(KEY.secret, "big"), ec.SECP256R1())
    with pytest.raises(Rejected, match="itself"):
        parse_chain(pem(certify("self", own)), KEY.public, at=NOW, where="chain")


def test_the_chain_is_sent_with_its_own_key_only() -> None:
    made = KeyRing.of(issuer_keys(), secret=bytes(32), at=AT)
    chain = parse_chain(pem(certified(issuer_keys().jwt), BETWEEN), issuer_keys().jwt.public, at=NOW, where="chain")
    made = made.with_key(replace(made.signer(Role.JWT, AT), x5c=chain))
    assert header(made)["x5c"] == list(chain)
    rotated = made.rotated(Role.JWT, new_key(Role.JWT, None, rand_from("n")), at=AT, days=0, rand=rand_from("d"))
    assert "x5c" not in header(rotated)


def header(held: KeyRing) -> Any:
    statement = Statement("Earnings", "worker-1", SAMPLES["Earnings"])
    slot = Slot("list", 1, "https://issuer.example/status/list")
    job = Job(statement, "digest", holder_key().did, Format.SD_JWT, slot)
    return parse_sd_jwt(sign_copy(job, keys=held.signing(AT), at=AT, rand=rand_from("x5c")).body).jws.header


def test_names_that_no_certificate_can_have_are_our_error(tmp_path: Path) -> None:
    ouvrage(tmp_path, "issuer", "keys", "--name", "P", "--legal-identifier", "1")
    refused = ouvrage(tmp_path, "issuer", "keys", "csr", "--host", "exämple.fr", ok=False)
    assert (refused.code, "BAD_NAME" in refused.err) == (2, True)


def test_the_commands(tmp_path: Path) -> None:
    ouvrage(tmp_path, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1", "--at", "2026-11-24")
    ouvrage(tmp_path, "issuer", "keys", "did", "web", "--domain", "issuer.example", "--at", "2026-11-24")
    done = ouvrage(
        tmp_path, "issuer", "keys", "csr", "--uri", "https://issuer.example", "--out", "jwt.csr", "--at", "2026-11-24"
    )
    assert "jwt.csr" in done.out
    request = x509.load_pem_x509_csr((tmp_path / "jwt.csr").read_bytes())
    stated = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert stated == names("did:web:issuer.example", "https://issuer.example", "issuer.example")

    class Asked:
        def public_key(self) -> Any:
            return request.public_key()

    (tmp_path / "chain.pem").write_bytes(pem(certify("platform", Asked(), BETWEEN), BETWEEN, ROOT))
    words = ("issuer", "keys", "certify", "--chain", "chain.pem", "--at", "2026-11-24")
    assert ouvrage(tmp_path, *words, "--json").json == {"key": "jwt-1", "certificates": 2}
    (tmp_path / "chain.pem").write_bytes(pem(ROOT))
    assert ouvrage(tmp_path, *words, ok=False).code == 1
    with pytest.raises(Malformed):
        parse_x5c([])
