"""Keys that stay elsewhere: a PKCS#11 token (SoftHSM) and a key service (moto), right and in trouble."""

import os
import pickle
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from issuer import hsm, kms
from issuer.copies import Job, Slot, sign_copy
from issuer.formats import Format
from issuer.hsm import TokenKey
from issuer.keyring import KeyRing
from issuer.keys import IssuerKeys, Role
from issuer.kms import KmsKey
from issuer.ringkeys import RingKey
from tests.cli import ouvrage
from tests.line import AT, SAMPLES, holder_key, issuer_keys, rand_from
from vc.canon import parse_object, to_json
from vc.errors import Undetermined, Unsupported
from vc.keys import verify_signature
from vc.sdjwt_issuer import find_self_described
from vc.sdjwt_vc import hold_credential
from vc.secure import hold, sign, verify_proofs
from work import CONTEXTS
from work.statement import Statement

MODULE: Final = "/usr/lib/softhsm/libsofthsm2.so"
PIN: Final = "731904"
P256: Final = issuer_keys().sd.public


@dataclass(frozen=True)
class Token:
    """A token that is made for these tests."""

    folder: Path
    pin: Path

    def key(self, label: str) -> TokenKey:
        return TokenKey.find(MODULE, "platform", label)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    pkcs11 = pytest.importorskip("pkcs11", reason="the extra `hsm` is not installed")
    curves = pytest.importorskip("pkcs11.util.ec")
    tool = shutil.which("softhsm2-util")
    if tool is None or not Path(MODULE).exists():
        pytest.skip("SoftHSM is not installed (Debian: softhsm2)")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    pin = folder / "pin.txt"
    pin.write_text(PIN + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        patch.setenv(hsm.PIN_FILE, str(pin))
        made = [tool, "--init-token", "--free", "--label", "platform", "--pin", PIN, "--so-pin", "5678"]
        subprocess.run(made, check=True, capture_output=True)
        with pkcs11.lib(MODULE).get_token(token_label="platform").open(rw=True, user_pin=PIN) as session:
            for label, kind, curve, mechanism in (
                ("p256", pkcs11.KeyType.EC, "secp256r1", pkcs11.Mechanism.EC_KEY_PAIR_GEN),
                ("p384", pkcs11.KeyType.EC, "secp384r1", pkcs11.Mechanism.EC_KEY_PAIR_GEN),
                ("ed25519", pkcs11.KeyType.EC_EDWARDS, "1.3.101.112", pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN),
            ):
                parameters = {pkcs11.Attribute.EC_PARAMS: curves.encode_named_curve_parameters(curve)}
                domain = session.create_domain_parameters(kind, parameters, local=True)
                domain.generate_keypair(mechanism=mechanism, store=True, label=label)
        yield Token(folder, pin)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test logs in for itself."""
    yield
    logged_out()
    hsm._refused.clear()


def logged_out() -> None:
    for module, name in tuple(hsm._sessions):
        hsm._forget(module, name)


def ring(role: Role, key: Any) -> KeyRing:
    made = KeyRing.of(issuer_keys(), secret=bytes(32), at=AT)
    return made.rotated(role, key, at=AT, days=0, rand=rand_from("token"))


def body(keys: IssuerKeys, form: Format) -> str:
    statement = Statement("Earnings", "worker-1", SAMPLES["Earnings"])
    job = Job(statement, "digest", holder_key().did, form, Slot("list", 1, "https://issuer.example/status/list"))
    return sign_copy(job, keys=keys, at=AT, rand=rand_from("token")).body


# ---- PKCS#11 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["p256", "ed25519"])
def test_a_token_signs_what_everybody_verifies(token: Token, label: str) -> None:
    key = token.key(label)
    for data in (b"", b"data", bytes(5000)):
        verify_signature(key.public, data, key.sign(data))
    signed = sign(DOCUMENT, key=key, created=AT, contexts=CONTEXTS)
    assert verify_proofs(signed, contexts=CONTEXTS)[0].public == key.public


DOCUMENT: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "https://issuer.example",
    "credentialSubject": {"id": "https://worker.example"},
}


def test_copies_are_signed_by_a_token(token: Token) -> None:
    own = ring(Role.SD, token.key("p256")).signing(AT)
    hold(parse_object(body(own, Format.ECDSA_SD).encode()), contexts=CONTEXTS)
    for label in ("p256", "ed25519"):
        own = ring(Role.JWT, token.key(label)).signing(AT)
        held = hold_credential(body(own, Format.SD_JWT), find_issuer=find_self_described, at=AT)
        assert held.claims["iss"] == own.jwt.did


def test_a_token_key_crosses_process_pools_by_reference(token: Token) -> None:
    key = token.key("p256")
    raw = pickle.dumps(ring(Role.SD, key).signing(AT).sd)
    assert PIN.encode() not in raw
    assert len(raw) < 1000
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        verify_signature(key.public, b"data", pool.submit(key.sign, b"data").result())


def test_the_key_file_holds_a_reference_and_no_secret(token: Token) -> None:
    kept = ring(Role.PUBLIC, token.key("ed25519")).find("public-2")
    stored = to_json(kept.to_json())
    assert PIN.encode() not in stored
    assert b"secret" not in stored
    again = RingKey.parse(parse_object(stored), "file")
    assert (again, again.kept) == (kept, "pkcs11")
    assert isinstance(again.key, TokenKey)
    verify_signature(again.key.public, b"data", again.key.sign(b"data"))


def test_a_key_under_another_name_signs_alike(token: Token) -> None:
    held = ring(Role.SD, token.key("p256")).identified("web", "issuer.example", at=AT, rand=rand_from("did"))
    own = held.signing(AT).sd
    assert own.verification_method == "did:web:issuer.example#sd-2"
    verify_signature(own.public, b"data", own.sign(b"data"))


def spoilt_pin(token: Token) -> None:
    token.pin.write_text("000000\n")


def no_pin(_token: Token) -> None:
    os.environ.pop(hsm.PIN_FILE)


TROUBLE: Final[list[tuple[str, Callable[[Token], TokenKey], Callable[[Token], None], str]]] = [
    ("no such token", lambda token: replace(token.key("p256"), token="other"), lambda _: None, "TOKEN_GONE"),
    ("no such key", lambda token: replace(token.key("p256"), label="other"), lambda _: None, "TOKEN_KEY"),
    ("another key", lambda token: replace(token.key("p256"), public=P256), lambda _: None, "TOKEN_KEY"),
    ("no library", lambda token: replace(token.key("p256"), module="/none.so"), lambda _: None, "TOKEN_FAILED"),
    ("another PIN", lambda token: token.key("p256"), spoilt_pin, "PIN_WRONG"),
    ("no PIN", lambda token: token.key("p256"), no_pin, "NO_PIN"),
]


@pytest.mark.parametrize(("_name", "make", "spoil", "code"), TROUBLE, ids=[row[0] for row in TROUBLE])
def test_trouble_with_a_token_says_what_to_do(
    _name: str,
    make: Callable[[Token], TokenKey],
    spoil: Callable[[Token], None],
    code: str,
    token: Token,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(hsm.PIN_FILE, str(token.pin))
    key = make(token)
    logged_out()
    spoil(token)
    try:
        with pytest.raises(Undetermined) as refused:
            key.sign(b"data")
    finally:
        token.pin.write_text(PIN + "\n")
    assert refused.value.code == code
    assert refused.value.hint
    assert "000000" not in f"{refused.value!r} {refused.value}"


def test_a_wrong_pin_is_tried_once(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token locks after a few: a service under load must not do that."""
    pkcs11 = pytest.importorskip("pkcs11")
    key = token.key("p256")
    logged_out()
    opened: list[str] = []
    real = pkcs11.lib

    def counted(module: str) -> Any:
        opened.append(module)
        return real(module)

    monkeypatch.setattr(pkcs11, "lib", counted)
    token.pin.write_text("000000\n")
    try:
        for _ in range(5):
            with pytest.raises(Undetermined, match="PIN"):
                key.sign(b"data")
    finally:
        token.pin.write_text(PIN + "\n")
    assert len(opened) == 1
    assert key.sign(b"data")  # once it is corrected, it is tried again


# The library complains from a destructor, of the search that the ended session took with it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_ended_is_opened_again(token: Token) -> None:
    key = token.key("p256")
    hsm._sessions[(MODULE, "platform")].close()
    verify_signature(key.public, b"data", key.sign(b"data"))


def test_another_kind_of_key_is_not_adopted(token: Token) -> None:
    with pytest.raises(Unsupported) as refused:
        token.key("p384")
    assert refused.value.code == "UNSUPPORTED_KEY"


def test_the_command(token: Token, tmp_path: Path) -> None:
    ouvrage(tmp_path, "issuer", "keys", "--name", "P", "--legal-identifier", "1")
    words = ("issuer", "keys", "adopt", "sd", "--pkcs11", MODULE, "--token", "platform")
    made = ouvrage(tmp_path, *words, "--key", "p256", "--in-days", "0", "--json").json
    assert (made["key"]["id"], made["key"]["kept"], made["key"]["state"]) == ("sd-2", "pkcs11", "signs")
    wrong = ouvrage(tmp_path, *words, "--key", "ed25519", ok=False)
    assert (wrong.code, "UNSUPPORTED_KEY" in wrong.err) == (2, True)
    gone = ouvrage(tmp_path, *words, "--key", "none", ok=False)
    assert (gone.code, "TOKEN_KEY" in gone.err) == (3, True)
    usage = ouvrage(tmp_path, "issuer", "keys", "adopt", "sd", ok=False)
    assert (usage.code, "USAGE" in usage.err) == (2, True)


# ---- AWS KMS ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A key service on this machine."""
    moto = pytest.importorskip("moto", reason="the extra `dev` is not installed")
    boto3 = pytest.importorskip("boto3", reason="the extra `kms` is not installed")
    inner = pytest.importorskip("moto.kms.utils").ECDSAPrivateKey
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")

    # It would hash a digest once more; the real service signs it as it is, with MessageType DIGEST.
    def sign_digest(self: Any, message: bytes, signing_algorithm: str) -> bytes:
        assert (len(message), signing_algorithm) == (32, "ECDSA_SHA_256")
        signature: bytes = self.private_key.sign(message, ec.ECDSA(Prehashed(hashes.SHA256())))
        return signature

    monkeypatch.setattr(inner, "sign", sign_digest)
    with moto.mock_aws():
        clients = kms._client
        clients.cache_clear()
        yield boto3.client("kms", region_name="eu-west-3")
        clients.cache_clear()


def new_kms_key(service: Any, spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> str:
    return str(service.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"])


def test_a_key_service_signs_what_everybody_verifies(service: Any) -> None:
    key = KmsKey.find(new_kms_key(service), "eu-west-3")
    verify_signature(key.public, b"data", key.sign(b"data"))
    hold(parse_object(body(ring(Role.SD, key).signing(AT), Format.ECDSA_SD).encode()), contexts=CONTEXTS)
    own = ring(Role.JWT, key).signing(AT)
    assert hold_credential(body(own, Format.SD_JWT), find_issuer=find_self_described, at=AT).claims["iss"] == key.did


def test_a_key_of_the_service_is_kept_and_sent_by_reference(service: Any) -> None:
    key = KmsKey.find(new_kms_key(service), "eu-west-3")
    kept = ring(Role.JWT, key).find("jwt-2")
    assert RingKey.parse(kept.to_json(), "file") == kept
    assert pickle.loads(pickle.dumps(key)) == key
    assert b"test" not in pickle.dumps(key)
    assert kept.kept == "kms"


@pytest.mark.parametrize(("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P384", "SIGN_VERIFY")])
def test_another_kind_of_the_service_is_not_adopted(service: Any, spec: str, usage: str) -> None:
    with pytest.raises(Unsupported) as refused:
        KmsKey.find(new_kms_key(service, spec, usage), "eu-west-3")
    assert refused.value.code == "UNSUPPORTED_KEY"


def test_trouble_with_the_key_service_says_what_to_do(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = KmsKey.find(new_kms_key(service), "eu-west-3")
    with pytest.raises(Undetermined) as gone:
        KmsKey.find("00000000-0000-0000-0000-000000000000", "eu-west-3")
    assert gone.value.code == "KMS_KEY"
    with pytest.raises(Undetermined) as other:
        replace(key, public=P256).sign(b"data")
    assert other.value.code == "KMS_KEY"
    exceptions = pytest.importorskip("botocore.exceptions")

    def said(code: str) -> Exception:
        made: Exception = exceptions.ClientError({"Error": {"Code": code, "Message": "account 123"}}, "Sign")
        return made

    for error, code in (
        (said("ThrottlingException"), "KMS_BUSY"),
        (said("AccessDeniedException"), "KMS_REFUSED"),
        (said("DisabledException"), "KMS_KEY"),
        (exceptions.EndpointConnectionError(endpoint_url="https://kms.example"), "KMS_UNREACHABLE"),
    ):
        monkeypatch.setattr(kms, "_client", broken(error))
        with pytest.raises(Undetermined) as refused:
            key.sign(b"data")
        assert (refused.value.code, bool(refused.value.hint)) == (code, True)
        assert "123" not in str(refused.value)


def broken(error: Exception) -> Callable[[str], Any]:
    class Broken:
        def sign(self, **_: Any) -> None:
            raise error

    return lambda _region: Broken()


def test_what_is_sent_to_the_service_is_a_digest(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key, sent = KmsKey.find(new_kms_key(service), "eu-west-3"), []

    class Watched:
        def sign(self, **words: Any) -> Any:
            sent.append(words)
            return service.sign(**words)

    monkeypatch.setattr(kms, "_client", lambda _region: Watched())
    key.sign(b"data")
    assert [(one["Message"], one["MessageType"]) for one in sent] == [(sha256(b"data").digest(), "DIGEST")]
