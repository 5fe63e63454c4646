"""Certificate chains: what leads to a trusted root, and each thing that does not."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.certificates import NOW, Party, certify, names, secret, usage
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.keys import ED25519, P256, P384, P256Key
from vc.x5c import MAX_CERTIFICATE, MAX_CHAIN, VerifiedChain, parse_certificate, parse_x5c, verify_chain

ROOT: Final = certify("root", secret(1), authority=True)
BETWEEN: Final = certify("between", secret(2), ROOT, authority=True, below=0)
SIGNER: Final = certify("signer", secret(3), BETWEEN, extensions=[(names("https://a.example", "B.example"), False)])
OLD: Final = certify("old", secret(6), ROOT, authority=True, days=(-9, -2))
DEEP: Final = certify("deep", secret(6), BETWEEN, authority=True)
SILENT: Final = certify("silent", secret(6), ROOT, authority=True, extensions=[(usage(), True)])
without_deadline: Final = settings(deadline=None)


def chain(*parties: Party, root: Party = ROOT, later: timedelta = timedelta(0)) -> VerifiedChain:
    certificates = parse_x5c([party.x5c for party in parties])
    return verify_chain(certificates, [root.certificate], at=NOW + later)


def test_a_chain_with_and_without_its_root() -> None:
    for verified in (chain(SIGNER, BETWEEN), chain(SIGNER, BETWEEN, ROOT)):
        assert verified.public == P256Key.from_secret(bytes(31) + b"\x03").public
        assert verified.subject == "CN=signer"
        assert verified.uris == {"https://a.example"}
        assert verified.hosts == {"b.example"}
        assert verified.root == ROOT.certificate
        assert len(verified.thumbprint) == 43


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (secret(9), P256),
        (secret(9, ec.SECP384R1()), P384),
        (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), ED25519),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_keys_that_sign_jws(key: Any, kind: object) -> None:
    verified = chain(certify("signer", key, ROOT))
    assert verified.public.kind == kind
    assert (verified.uris, verified.hosts) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "key", [secret(9, ec.SECP256K1()), rsa.generate_private_key(65537, 2048)], ids=["secp256k1", "RSA"]
)
def test_keys_that_do_not(key: Any) -> None:
    with pytest.raises(Unsupported) as refused:
        chain(certify("signer", key, ROOT))
    assert refused.value.code == "UNSUPPORTED_KEY"


def constrained(*subtrees: x509.GeneralName, critical: bool = True) -> Party:
    constraints = x509.NameConstraints(permitted_subtrees=list(subtrees), excluded_subtrees=None)
    return certify("narrow", secret(5), authority=True, extensions=[(constraints, critical)])


NARROW: Final = constrained(x509.DNSName("good.example"))
UNKNOWN: Final = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

REFUSED: Final[list[tuple[str, Callable[[], object]]]] = [
    ("the middle is missing", lambda: chain(SIGNER)),
    ("another order", lambda: chain(SIGNER, ROOT, BETWEEN)),
    ("something that does not belong", lambda: chain(SIGNER, BETWEEN, certify("other", secret(8), authority=True))),
    ("a certificate twice", lambda: chain(SIGNER, BETWEEN, BETWEEN)),
    ("another root of that name", lambda: chain(SIGNER, BETWEEN, root=certify("root", secret(7), authority=True))),
    ("no root", lambda: verify_chain([SIGNER.certificate, BETWEEN.certificate], [], at=NOW)),
    ("too late", lambda: chain(SIGNER, BETWEEN, later=timedelta(days=31))),
    ("too early", lambda: chain(SIGNER, BETWEEN, later=timedelta(days=-2))),
    ("a middle that has ended", lambda: chain(certify("s", secret(3), OLD), OLD)),
    ("the root itself", lambda: chain(ROOT)),
    ("an authority as signer", lambda: chain(BETWEEN)),
    ("certified by a signer", lambda: chain(certify("s", secret(4), SIGNER), SIGNER, BETWEEN)),
    ("one authority too many", lambda: chain(certify("s", secret(4), DEEP), DEEP, BETWEEN)),
    ("an authority that may not certify", lambda: chain(certify("s", secret(4), SILENT), SILENT)),
    ("a signer that may not sign", lambda: chain(certify("s", secret(4), ROOT, extensions=[(usage(), True)]))),
    ("something critical", lambda: chain(certify("s", secret(4), ROOT, extensions=[(UNKNOWN, True)]))),
    ("a DNS name out of bounds", lambda: narrow("evil.example")),
    ("a URI that bounds may forbid", lambda: narrow("https://evil.example")),
]  # fmt: skip


def narrow(name: str) -> VerifiedChain:
    return chain(certify("s", secret(4), NARROW, extensions=[(names(name), False)]), root=NARROW)


@pytest.mark.parametrize("make", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_leads_to_no_trusted_root(make: Callable[[], object]) -> None:
    with pytest.raises(Rejected) as refused:
        make()
    assert refused.value.code == "CHAIN_INVALID"


def test_what_is_allowed() -> None:
    assert narrow("www.good.example").hosts == {"www.good.example"}
    extensions = [(usage(signatures=True), True), (UNKNOWN, False)]
    assert chain(certify("s", secret(4), ROOT, extensions=extensions)).subject == "CN=s"


def test_a_changed_certificate_is_refused() -> None:
    raw = SIGNER.certificate.public_bytes(Encoding.DER)
    for place in range(0, len(raw), 5):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(VcError):
            verify_chain([parse_certificate(changed), BETWEEN.certificate], [ROOT.certificate], at=NOW)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "BAD_CERTIFICATE"),
        ([], "BAD_CERTIFICATE"),
        (SIGNER.x5c, "BAD_CERTIFICATE"),
        ([1], "BAD_CERTIFICATE"),
        (["AA"], "BAD_CERTIFICATE"),
        (["AAA="], "BAD_CERTIFICATE"),
        (["é"], "BAD_CERTIFICATE"),
        (["-_-_"], "BAD_CERTIFICATE"),
        ([SIGNER.x5c + "\n"], "BAD_CERTIFICATE"),
        ([f"-----BEGIN CERTIFICATE-----\n{SIGNER.x5c}"], "BAD_CERTIFICATE"),
        ([b64encode(SIGNER.certificate.public_bytes(Encoding.DER) + b"\0").decode()], "BAD_CERTIFICATE"),
        ([SIGNER.x5c] * (MAX_CHAIN + 1), "BAD_CERTIFICATE"),
        ([b64encode(bytes(MAX_CERTIFICATE + 1)).decode()], "TOO_LARGE"),
        (["A" * 4 * MAX_CERTIFICATE], "BAD_CERTIFICATE"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else type(value).__name__,
)
def test_what_is_no_x5c(value: Any, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_x5c(value)
    assert refused.value.code == code


def test_authorities_that_certify_each_other_lead_nowhere() -> None:
    """They have one name and one key, so that every order of them is a path to try."""
    same = [certify("same", secret(5), authority=True, days=(-1, days)) for days in range(30, 34)]
    with pytest.raises(Rejected):
        chain(certify("s", secret(4), same[0]), *same)


@without_deadline
@given(st.binary(max_size=60))
@example(b"0\x80\x00\x00")
def test_only_our_errors_leave(raw: bytes) -> None:
    with pytest.raises(VcError):
        parse_x5c([b64encode(raw).decode()])


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_only_our_errors_leave_a_damaged_certificate(place: int, patch: bytes) -> None:
    raw = SIGNER.certificate.public_bytes(Encoding.DER)
    place %= len(raw)
    damaged = raw[:place] + patch + raw[place + len(patch) :]
    try:
        verify_chain([parse_certificate(damaged), BETWEEN.certificate], [ROOT.certificate], at=NOW)
    except VcError:
        return
    assert damaged == raw
