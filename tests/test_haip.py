"""HAIP 1.0 as a switch: what it changes at the credential issuer."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuer.database import Database
from tests.certificates import certify, secret
from tests.cli import ouvrage
from tests.issuing import BBS, JWT, Running, attest, new_keys, running
from vc.canon import Json
from vc.keyproof import make_di_vp_proof, make_key_attestation
from vc.keys import P256Key

METADATA = "/.well-known/openid-credential-issuer"
ROOT = certify("Wallet providers", secret(1), authority=True)
PROVIDER = certify("A wallet provider", secret(2), ROOT)
SIGNER = P256Key.from_secret(secret(2).private_numbers().private_value.to_bytes(32, "big"))


@pytest.fixture
def roots(tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "roots.pem"
    path.write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    return (str(path),)


def attestation(
    service: Running, keys: list[P256Key], nonce: str, signer: P256Key = SIGNER, **claims: list[Json]
) -> str:
    return make_key_attestation(
        [key.public for key in keys],
        key=signer,
        x5c=[PROVIDER.x5c],
        at=service.clock.at,
        lifetime=timedelta(hours=1),
        nonce=nonce,
        claims=claims,
    )


async def test_what_the_metadata_requires(database: Database, roots: tuple[str, ...]) -> None:
    said = {}
    for haip in (False, True):
        async with running(database, haip=haip, wallet_roots=roots) as service:
            said[haip] = (await service.ask("GET", METADATA)).json["credential_configurations_supported"]
    for name, one in said[True].items():
        assert one["scope"] == name
        assert set(one["proof_types_supported"]) == {"jwt", "attestation"}
        assert all(proof["key_attestations_required"] == {} for proof in one["proof_types_supported"].values())
    assert set(said[False][BBS]["proof_types_supported"]) == {"jwt", "di_vp", "attestation"}
    assert "key_attestations_required" not in said[False][BBS]["proof_types_supported"]["jwt"]


async def test_keys_have_to_be_attested(database: Database, roots: tuple[str, ...]) -> None:
    attest(database)
    async with running(database, haip=True, wallet_roots=roots) as service:
        token, keys = service.grant(JWT), new_keys(3)

        async def told(name: str, **proofs: Any) -> Any:
            body = {"credential_configuration_id": name, "proofs": proofs}
            return await service.post("/credential", body, token)

        nonce = await service.nonce()
        bare = await told(JWT, jwt=[service.proof(keys[0], nonce)])
        assert bare.error == (400, "invalid_proof")
        forged = attestation(service, keys, nonce, signer=new_keys()[0])
        assert (await told(JWT, attestation=[forged])).error == (400, "invalid_proof")
        good = attestation(service, keys, nonce)
        issued = await told(JWT, attestation=[good])
        assert issued.status == 200, issued.raw
        assert len(issued.json["credentials"]) == 3
        assert (await told(JWT, attestation=[good])).error == (400, "invalid_nonce")
        nonce, more = await service.nonce(), new_keys(2)
        proof = service.proof(more[0], nonce, key_attestation=attestation(service, more, nonce))
        issued = await told(JWT, jwt=[proof])
        assert issued.status == 200, issued.raw
        assert len(issued.json["credentials"]) == 2


HIGH, MODERATE, OWN = "iso_18045_high", "iso_18045_moderate", "https://wallets.example/levels/2"
LEVELS: dict[str, Any] = {"key_storage": (HIGH, OWN), "user_authentication": (HIGH, MODERATE)}


@pytest.mark.parametrize("haip", [False, True])
async def test_the_levels_that_are_required_are_told(database: Database, roots: tuple[str, ...], *, haip: bool) -> None:
    async with running(database, haip=haip, wallet_roots=roots, **LEVELS) as service:
        said = (await service.ask("GET", METADATA)).json["credential_configurations_supported"]
    for one in said.values():
        assert set(one["proof_types_supported"]) == {"jwt", "attestation"}
        for proof in one["proof_types_supported"].values():
            required = proof["key_attestations_required"]
            assert required == {"key_storage": [HIGH, OWN], "user_authentication": [HIGH, MODERATE]}
    async with running(database, wallet_roots=roots, key_storage=(HIGH,)) as service:
        said = (await service.ask("GET", METADATA)).json["credential_configurations_supported"]
    assert said[BBS]["proof_types_supported"]["jwt"]["key_attestations_required"] == {"key_storage": [HIGH]}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"key_storage": [HIGH], "user_authentication": [MODERATE]}, 200),
        ({"key_storage": [MODERATE, OWN], "user_authentication": [HIGH]}, 200),
        ({"key_storage": [MODERATE], "user_authentication": [HIGH]}, 400),
        ({"key_storage": [HIGH], "user_authentication": ["iso_18045_basic"]}, 400),
        ({"key_storage": [HIGH.upper()], "user_authentication": [HIGH]}, 400),
        ({"key_storage": [HIGH]}, 400),
        ({}, 400),
    ],
)
@pytest.mark.parametrize("kind", ["jwt", "attestation"])
async def test_an_attestation_says_one_of_the_levels(
    database: Database, roots: tuple[str, ...], kind: str, claims: dict[str, Any], status: int
) -> None:
    attest(database)
    async with running(database, wallet_roots=roots, **LEVELS) as service:
        keys, nonce = new_keys(2), await service.nonce()
        made = attestation(service, keys, nonce, **claims)
        proof = made if kind == "attestation" else service.proof(keys[0], nonce, key_attestation=made)
        body = {"credential_configuration_id": JWT, "proofs": {kind: [proof]}}
        answer = await service.post("/credential", body, service.grant(JWT))
    assert answer.status == status, answer.raw
    if status == 400:
        assert answer.error == (400, "invalid_proof")
        assert "has to be one of iso_18045_high" in answer.json["error_description"]


async def test_a_key_without_an_attestation_has_no_level(database: Database, roots: tuple[str, ...]) -> None:
    attest(database)
    async with running(database, wallet_roots=roots, **LEVELS) as service:
        (key,), nonce, token = new_keys(), await service.nonce(), service.grant(JWT, BBS)
        presented = make_di_vp_proof(key, audience=service.base, nonce=nonce, at=service.clock.at)
        for name, proofs in ((JWT, {"jwt": [service.proof(key, nonce)]}), (BBS, {"di_vp": [presented]})):
            body = {"credential_configuration_id": name, "proofs": proofs}
            assert (await service.post("/credential", body, token)).error == (400, "invalid_proof")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('key_storage = ["iso_18045_moderate"]', "name the certificates of wallet providers"),
        ('user_authentication = ["moderate"]', "moderate: neither of iso_18045_high"),
    ],
)
def test_levels_that_nobody_could_reach(tmp_path: Path, settings: str, words: str) -> None:
    (tmp_path / "issuer.toml").write_text(settings, encoding="utf-8")
    done = ouvrage(tmp_path, "issuer", "serve", "--config", "issuer.toml", "--json", ok=False)
    assert (done.code, done.json["error"]["code"]) == (2, "BAD_CONFIG")
    assert words in done.out


async def test_presentations_prove_no_key_there(database: Database, roots: tuple[str, ...]) -> None:
    attest(database)
    for haip, status in ((False, 200), (True, 400)):
        async with running(database, haip=haip, wallet_roots=roots) as service:
            token = service.grant(BBS, session=f"session-{haip}")
            (key,), nonce = new_keys(), await service.nonce()
            proof = make_di_vp_proof(key, audience=service.base, nonce=nonce, at=service.clock.at)
            body = {"credential_configuration_id": BBS, "proofs": {"di_vp": [proof]}}
            assert (await service.post("/credential", body, token)).status == status


async def test_attestations_of_nobody_are_not_taken(database: Database) -> None:
    attest(database)
    async with running(database) as service:
        said = (await service.ask("GET", METADATA)).json["credential_configurations_supported"]
        assert "attestation" not in said[JWT]["proof_types_supported"]
        proof = attestation(service, new_keys(), await service.nonce())
        body = {"credential_configuration_id": JWT, "proofs": {"attestation": [proof]}}
        assert (await service.post("/credential", body, service.grant(JWT))).error == (400, "invalid_proof")
