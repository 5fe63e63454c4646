"""Linked-data proofs of the older data model: with the real ``didkit`` in its process, and without it."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vc.canon import Json, to_json
from vc.contexts import W3C
from vc.did import did_jwk
from vc.errors import Rejected, Undetermined, Unsupported, VcError
from vc.io import didkit_process, didkit_worker
from vc.io.didkit_process import WORKER, ask_didkit
from vc.keys import Ed25519Key
from vc.legacy import SUITES, LegacyCredential, verify_legacy_credential, verify_legacy_presentation

AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
V1: Final = "https://www.w3.org/2018/credentials/v1"

KEY: Final = Ed25519Key.from_seed(b"\x01" * 32)
ED: Final = KEY.did
K256: Final = "did:key:zQ3shTepFLFFdSMosvXnLezUQDyciBgLWTK76jTjBcLEP86vo"
P256: Final = "did:key:zDnaea1YYsBzZWoeVithwzqjHjCSSJXg7QBULsYdoNtQoFu8E"
JWK: Final = did_jwk(KEY.public)

EDDSA: Final = "eyJhbGciOiJFZERTQSIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.."
ES256K: Final = "eyJhbGciOiJFUzI1NksiLCJjcml0IjpbImI2NCJdLCJiNjQiOmZhbHNlfQ.."
ES256K_R: Final = "eyJhbGciOiJFUzI1NkstUiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.."
ES256: Final = "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.."

# One credential, signed by didkit in each of the ways that are read, with keys that are no secret.
SIGNED: Final = [
    (
        "Ed25519Signature2018",
        ED,
        EDDSA + "WvqLauu6TLYolX7ngcuRWW7gT2doRporoHGgMXrdvPwRPSgqDftgdFOEobLvFC-VxcDrBK4-uEUP0c28WxVACg",
    ),
    (
        "Ed25519Signature2018",
        JWK,
        EDDSA + "QS73QiF3l4DmIB8YO0FfDPbuSAYzxEc-_RUgByy0CAjGkkHVqdHBHJ3Zg5OLeyZ_NL27oF23I5QMrSGudgpeCg",
    ),
    (
        "Ed25519Signature2020",
        ED,
        "z5HWi2g1krAhwDbKSfnEKtr9MhuadAXvmbE2tTqVguB8h7bPZwx8FbXrmZpGsL8onvnUWfhVwcMshLQ7BoLSmm4ev",
    ),
    (
        "JsonWebSignature2020",
        ED,
        EDDSA + "3oUL3J3lqkbuJzvspB24nDiJmitJU1O3hC1C1jV6ejZQrfT10qlZh13qBfT-eFAEQZFYk2hnkBDf-7f9xonaAg",
    ),
    (
        "EcdsaSecp256k1Signature2019",
        K256,
        ES256K + "bmvAU454uhFnGeRaQUp7YNHs0IxKLjNGy1qkVrjF_h5cZbTzn4d1EbSHtDVAtAPrUFXVp4kQ_liYDsSXpXOR-Q",
    ),
    (
        "EcdsaSecp256k1RecoverySignature2020",
        K256,
        ES256K_R + "J_EkLRuvgUJ5Ky5qjkaBHeLpZLJUcmukFCUGyxzzbNh9hGNUj53phskpbrPz0vRER1dhh-h5UdyDDwqftf607wE",
    ),
    (
        "JsonWebSignature2020",
        K256,
        ES256K + "DczbFAypL9aY5jk7vRqLsWx5HsQaWaB09EmYmAjagz9O_unLouh74VQBM2yZptqJpcDX5kwCXvdmtu13RYWmcg",
    ),
    (
        "EcdsaSecp256r1Signature2019",
        P256,
        ES256 + "X0Q9i6mJUgRtEwVArZSuLCJVW5ckvmSq5pZDC8iZhyJySS9ZEZ6CendS1WpiAXDc3kcyGchkgbWJ_fTcbVOu1A",
    ),
    (
        "JsonWebSignature2020",
        P256,
        ES256 + "xq9sPW54uj4DkvVRdS5xIAyseapjN5Cd82IX_UGck5AKFH0ekokoQPdWjPoeTgybFVVW7Yhrtkb-VDy0aNxe_A",
    ),
]
BROUGHT: Final = {
    "Ed25519Signature2020": "https://w3id.org/security/suites/ed25519-2020/v1",
    "JsonWebSignature2020": "https://w3id.org/security/suites/jws-2020/v1",
    "EcdsaSecp256k1RecoverySignature2020": "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
}
SHOWN: Final = EDDSA + "3zyqWsFubs1uN3jIEmpWPRAtlXidPMiKS-4OBDFM2LsTzc11g9vMdQcqP-CcFEslYYWjSi7S3wBqWq8SR9QvBg"


def method(did: str) -> str:
    return f"{did}#0" if did.startswith("did:jwk:") else f"{did}#{did.removeprefix('did:key:')}"


def proof(row: int = 0, /, **changes: Any) -> dict[str, Json]:
    suite, did, value = SIGNED[row]
    made: dict[str, Json] = {
        "type": suite,
        "proofPurpose": "assertionMethod",
        "verificationMethod": method(did),
        "created": "2026-01-01T00:00:00Z",
        "proofValue" if suite == "Ed25519Signature2020" else "jws": value,
    }
    return made | ({"@context": [BROUGHT[suite]]} if suite in BROUGHT else {}) | changes


def credential(row: int = 0, /, **changes: Any) -> dict[str, Json]:
    made: dict[str, Json] = {
        "@context": [V1],
        "type": ["VerifiableCredential"],
        "issuer": SIGNED[row][1],
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2027-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:worker"},
        "proof": proof(row),
    }
    return made | changes


def presentation(*held: Json, **changes: Json) -> dict[str, Json]:
    made: dict[str, Json] = {
        "@context": [V1],
        "type": ["VerifiablePresentation"],
        "holder": ED,
        "verifiableCredential": list(held) or [credential()],
        "proof": proof(proofPurpose="authentication", challenge="c", domain="d", jws=SHOWN),
    }
    return made | changes


GOOD: Final = b'{"checks": ["proof"], "warnings": [], "errors": []}'
Judge = Callable[[bytes], bytes]


def verify(document: Json, judge: Judge = ask_didkit, at: datetime = AT) -> LegacyCredential:
    return verify_legacy_credential(document, judge=judge, contexts=W3C, at=at)


def show(document: Json, judge: Judge = ask_didkit, challenge: str = "c", domain: str = "d", at: datetime = AT) -> Any:
    return verify_legacy_presentation(document, judge=judge, contexts=W3C, challenge=challenge, domain=domain, at=at)


def code_of(run: Callable[[], object]) -> str:
    with pytest.raises(VcError) as refused:
        run()
    return refused.value.code


@pytest.fixture
def didkit() -> None:
    pytest.importorskip("didkit", reason="not installed: pip install 'ouvrage[legacy]' (for Python before 3.13)")


# --- with didkit -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("didkit")
@pytest.mark.parametrize("row", range(len(SIGNED)), ids=[f"{suite} {did[:12]}" for suite, did, _ in SIGNED])
def test_a_proof_of_each_kind_is_read(row: int) -> None:
    verified = verify(credential(row))
    assert verified.methods == (method(SIGNED[row][1]),)
    assert verified.credential.subjects == ({"id": "did:example:worker"},)
    changed = credential(row, credentialSubject={"id": "did:example:somebody"})
    assert code_of(lambda: verify(changed)) == "PROOF_INVALID"


def test_every_suite_is_among_them() -> None:
    assert {suite for suite, _, _ in SIGNED} == SUITES


@pytest.mark.usefixtures("didkit")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": ["VerifiableCredential", "EarningsCredential"]}, "DATA_LOSS"),
        ({"issuanceDate": "2026-01-02T00:00:00Z"}, "PROOF_INVALID"),
        ({"expirationDate": "2028-01-01T00:00:00Z"}, "PROOF_INVALID"),
        ({"id": "urn:uuid:1"}, "PROOF_INVALID"),
        ({"proof": [proof(), proof(jws=SHOWN)]}, "PROOF_INVALID"),  # didkit alone would believe the first
        ({"proof": [proof(jws=SHOWN), proof()]}, "PROOF_INVALID"),
        ({"proof": proof(created="2026-01-02T00:00:00Z")}, "PROOF_INVALID"),
        ({"proof": proof(jws="eyJhbGciOiJub25lIiwiYjY0IjpmYWxzZSwiY3JpdCI6WyJiNjQiXX0..")}, "PROOF_INVALID"),
        ({"proof": proof(4)}, "PROOF_INVALID"),  # by somebody else
        ({"proof": proof(challenge="c")}, "PROOF_INVALID"),
        ({"proof": proof(type="EcdsaSecp256k1Signature2019")}, "PROOF_INVALID"),
        ({"proof": proof(verificationMethod=ED)}, "PROOF_INVALID"),
    ],
)
def test_what_was_changed_after_signing(changes: Any, code: str) -> None:
    assert code_of(lambda: verify(credential(**changes))) == code


@pytest.mark.usefixtures("didkit")
def test_a_presentation_is_bound_to_who_asked() -> None:
    shown = show(presentation())
    assert shown.holder == ED
    assert [each.credential.issuer for each in shown.credentials] == [ED]
    stolen = presentation(proof=proof(proofPurpose="authentication", challenge="x", domain="d", jws=SHOWN))
    assert code_of(lambda: show(stolen, challenge="x")) == "PROOF_INVALID"
    assert code_of(lambda: show(presentation(credential(), credential(4)))) == "PROOF_INVALID"


@pytest.mark.usefixtures("didkit")
def test_a_context_that_didkit_has_not() -> None:
    url = "https://platform.example/v1"
    contexts = W3C.with_({url: b'{"@context": {"stars": "https://platform.example/v1#stars"}}'})
    document = credential(**{"@context": [V1, url]})
    with pytest.raises(Unsupported) as refused:
        verify_legacy_credential(document, judge=ask_didkit, contexts=contexts, at=AT)
    assert refused.value.code == "UNKNOWN_CONTEXT"


# --- what is checked here, whatever didkit says ----------------------------------------------------------------------


def yes(_question: bytes) -> bytes:
    return GOOD


def never(question: bytes) -> bytes:
    raise AssertionError(f"asked {question!r}")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expirationDate": "2026-11-23T23:59:59Z"}, "EXPIRED"),
        ({"issuanceDate": "2026-11-24T00:05:01Z"}, "NOT_YET_VALID"),
        ({"issuer": P256}, "METHOD_NOT_ISSUERS"),
        ({"issuer": {"id": P256}}, "METHOD_NOT_ISSUERS"),
        ({"proof": [proof(), proof(4)]}, "METHOD_NOT_ISSUERS"),
        ({"proof": proof(created="2026-11-24T00:05:01Z")}, "NOT_YET_VALID"),
        ({"proof": proof(expires="2026-11-23T00:00:00Z")}, "EXPIRED"),
        ({"credentialStatus": {"id": "https://a.example/1", "type": "CredentialStatusList2017"}}, "DATA_LOSS"),
    ],
)
def test_what_didkit_does_not_look_at(changes: Any, code: str) -> None:
    assert code_of(lambda: verify(credential(**changes), yes)) == code


def test_a_status_that_cannot_be_looked_up_is_a_no() -> None:
    status: Json = {"id": "https://a.example/1", "type": "https://a.example/#Status"}
    assert code_of(lambda: verify(credential(credentialStatus=status), yes)) == "STATUS_UNKNOWN"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    document = credential(
        issuer=P256, expirationDate="2026-11-23T23:59:59Z", proof=proof(expires="2026-11-23T00:00:00Z")
    )
    with pytest.raises(Rejected) as refused:
        verify(document, yes)
    assert [finding.code for finding in refused.value.findings] == ["EXPIRED", "METHOD_NOT_ISSUERS", "EXPIRED"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (None, "NOT_AN_OBJECT"),
        ([], "NOT_AN_OBJECT"),
        ({}, "PROOF_MISSING"),
        (credential(proof=None), "PROOF_MISSING"),
        (credential(proof=[]), "PROOF_MISSING"),
        (credential(proof=[proof()] * 9), "PROOF_MISSING"),
        (credential(proof="text"), "PROOF_MISSING"),
        (credential(proof={"type": "Ed25519Signature2018"}), "PROOF_MISSING"),
        (credential(proof=proof(type="DataIntegrityProof")), "UNSUPPORTED_SUITE"),
        (credential(proof=proof(type="RsaSignature2018")), "UNSUPPORTED_SUITE"),
        (credential(proof=proof(proofPurpose="authentication")), "PURPOSE_MISMATCH"),
        (credential(proof=proof(created=None)), "BAD_DATE"),
        (credential(proof=proof(expires=None)), "BAD_DATE"),
        (credential(proof=proof(verificationMethod="did:web:platform.example#1")), "UNSUPPORTED_DID"),
        (
            credential(proof=proof(verificationMethod="did:tz:KT1ACXxefCq3zVG9cth4whZqS1XYK9Qsn8Gi#1")),
            "UNSUPPORTED_DID",
        ),
        (credential(proof=proof(verificationMethod="https://platform.example/#1")), "BAD_METHOD"),
        (credential(proof=proof(**{"@context": {"jws": None}})), "CONTEXT_UNKNOWN"),
        (credential(proof=proof(**{"@context": ["https://platform.example/v1"]})), "CONTEXT_UNKNOWN"),
        (credential(**{"@context": ["https://www.w3.org/ns/credentials/v2"]}), "BAD_CONTEXT"),
        (credential(**{"@context": [V1, {"stars": "https://platform.example/#stars"}]}), "CONTEXT_UNKNOWN"),
        (credential(**{"@context": [V1, "https://platform.example/v1"]}), "UNKNOWN_CONTEXT"),
        (credential(credentialSubject={"@context": {"a": "urn:x:a"}, "a": "1"}), "CONTEXT_UNKNOWN"),
        (credential(credentialSubject={"stars": "5"}), "DATA_LOSS"),
        (credential(stars="5"), "DATA_LOSS"),
        (credential(issuanceDate=None), "MISSING"),
        (credential(issuer=4), "BAD_ID"),
        (credential(credentialSubject=[]), "BAD_SUBJECT"),
    ],
)
def test_what_is_refused_before_didkit_is_asked(document: Json, code: str) -> None:
    assert code_of(lambda: verify(document, never)) == code


def test_a_graph_that_cannot_be_sorted_out_never_reaches_didkit() -> None:
    names = [f"_:n{n}" for n in range(9)]
    clique: list[Json] = [{"id": a, "urn:x:p": [{"id": b} for b in names if b != a]} for a in names]
    assert code_of(lambda: verify(credential(credentialSubject={"urn:x:p": clique}), never)) == "POISON_GRAPH"


def test_each_proof_is_asked_about_alone() -> None:
    asked: list[Any] = []

    def judge(question: bytes) -> bytes:
        asked.append(json.loads(question))
        return GOOD

    verify(credential(proof=[proof(), proof(2)]), judge)
    assert [each["document"]["proof"] for each in asked] == [proof(), proof(2)]
    assert {(each["kind"], each["options"]["proofPurpose"]) for each in asked} == {("credential", "assertionMethod")}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b'{"checks": [], "warnings": [], "errors": ["No applicable proof"]}', "PROOF_INVALID"),
        (b'{"checks": ["proof"], "warnings": [], "errors": ["signature error"]}', "PROOF_INVALID"),
        (b'{"checks": ["proof"], "warnings": ["hm"], "errors": []}', "PROOF_INVALID"),
        (b'{"checks": [], "warnings": [], "errors": []}', "PROOF_INVALID"),
        (b'{"checks": ["proof"], "errors": []}', "PROOF_INVALID"),
        (b"{}", "NO_ANSWER"),
        (b"", "NOT_JSON"),
        (b'{"missing": "not installed"}', "UNSUPPORTED_SUITE"),
    ],
)
def test_only_a_plain_yes_is_a_yes(answer: bytes, code: str) -> None:
    assert code_of(lambda: verify(credential(), lambda _: answer)) == code


@pytest.mark.parametrize(
    ("changes", "challenge", "code"),
    [
        ({}, "x", "CHALLENGE_MISMATCH"),
        ({"proof": proof(proofPurpose="authentication", challenge="c")}, "c", "DOMAIN_MISMATCH"),
        ({"proof": proof(challenge="c", domain="d")}, "c", "PURPOSE_MISMATCH"),
        ({"holder": P256}, "c", "HOLDER_MISMATCH"),
        ({"proof": []}, "c", "PROOF_MISSING"),
        ({"verifiableCredential": []}, "c", "BAD_PRESENTATION"),
        ({"verifiableCredential": ["eyJ"]}, "c", "NOT_AN_OBJECT"),
        ({"verifiableCredential": None}, "c", "NOT_AN_OBJECT"),
        ({"verifiableCredential": [credential()] * 17}, "c", "BAD_PRESENTATION"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "c", "BAD_CONTEXT"),
        ({"type": ["VerifiablePresentation", "Other"]}, "c", "DATA_LOSS"),
    ],
)
def test_a_presentation_that_is_refused_before_didkit_is_asked(changes: Any, challenge: str, code: str) -> None:
    assert code_of(lambda: show(presentation(**changes), never, challenge)) == code


def test_a_presentation_needs_each_of_its_credentials() -> None:
    assert code_of(lambda: show(presentation(credential(), credential(proof=[])), yes)) == "PROOF_MISSING"
    late = presentation(credential(expirationDate="2026-11-23T00:00:00Z"))
    assert code_of(lambda: show(late, yes)) == "EXPIRED"


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted({*credential(), "holder", "verifiableCredential"})), JSON)
def test_only_our_errors_leave(name: str, value: Json) -> None:
    for run in (lambda: verify(credential(**{name: value}), yes), lambda: show(presentation(**{name: value}), yes)):
        try:
            run()
        except VcError:
            continue


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted({*proof(), "expires", "@context"})), JSON)
def test_only_our_errors_leave_a_proof(name: str, value: Json) -> None:
    try:
        verify(credential(proof=proof(**{name: value})), yes)
    except VcError:
        return


# --- the process -----------------------------------------------------------------------------------------------------


def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    script = tmp_path / "worker.py"
    script.write_text(code)
    monkeypatch.setattr(didkit_process, "WORKER", script)
    monkeypatch.setattr(didkit_process, "MAX_SECONDS", 0.5)


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "import os; os.abort()",
        "import sys; sys.exit(0)",
        "raise SystemExit(3)",
        "print('{', end='')",
        "import sys\nwhile True: sys.stdout.write('x' * 65536)",
    ],
    ids=["sleeps", "crashes", "says nothing", "fails", "stops midway", "never stops"],
)
def test_a_worker_that_gives_no_answer_is_a_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    worker(tmp_path, monkeypatch, code)
    with pytest.raises(Undetermined) as refused:
        ask_didkit(b"{}")
    assert refused.value.code == "NO_ANSWER"


def test_a_worker_that_reads_nothing_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(tmp_path, monkeypatch, "import os; os.close(0)")
    assert code_of(lambda: ask_didkit(b"x" * (1 << 20))) == "NO_ANSWER"


def test_without_the_extra_the_words_say_how_to_install_it() -> None:
    command = [sys.executable, "-I", "-S", str(WORKER)]  # without what is installed
    done = subprocess.run(command, input=b"{}\n", capture_output=True, check=True)
    with pytest.raises(Unsupported, match=r"pip install 'ouvrage\[legacy\]'"):
        verify(credential(), lambda _: done.stdout)


def test_another_library_of_the_same_name_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(didkit_worker, "distribution", lambda _name: None)
    answer = didkit_worker.answer(b"{}")
    with pytest.raises(Unsupported, match="openedx-didkit"):
        verify(credential(), lambda _: to_json(answer))


@pytest.mark.usefixtures("didkit")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_worker_can_open_no_socket(host: str) -> None:
    did = f"did:web:{host}"  # whose document didkit asks the network for
    document = credential(issuer=did, proof=proof(verificationMethod=f"{did}#1"))
    question: Json = {"kind": "credential", "document": document, "options": {"proofPurpose": "assertionMethod"}}
    (error,) = json.loads(ask_didkit(to_json(question)))["errors"]
    assert "Error sending HTTP request" in error
    assert "Too many open files" in error or "dns error" in error  # else: refused, by whoever is or is not there
