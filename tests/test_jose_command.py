"""``ouvrage jose``: files in, files out."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli import ouvrage
from tests.test_enveloped import KEY, KEYS, credential, jwt, presentation
from vc.canon import to_json
from vc.jwk import public_jwk
from vc.keys import Ed25519Key
from vc.multibase import encode_base64url


def key_file(path: Path, key: Any) -> Path:
    jwk = public_jwk(key.public)
    secret = key.seed if isinstance(key, Ed25519Key) else key.secret
    document = {
        "id": "https://platform.example/#key-1",
        "type": "JsonWebKey",
        "controller": "https://platform.example/",
        "publicKeyJwk": jwk,
        "secretKeyJwk": {**jwk, "d": encode_base64url(secret)},
    }
    path.write_text(json.dumps(document))
    return path


def jose(home: Path, verb: str, source: Path, key: Path, feature: str, *more: str) -> tuple[int, dict[str, Any]]:
    output = home / "result.json"
    ran = ouvrage(
        home, "jose", verb, "--input", source, "--key", key, "--feature", feature, "--output", output, *more, ok=False
    )
    return ran.code, json.loads(output.read_bytes())


@pytest.mark.parametrize(
    ("feature", "key", "more"),
    [
        ("credential_jose", KEYS[3], ()),
        ("credential_cose", KEYS[2], ()),
        ("credential_sdjwt", KEYS[1], ("--sd", '["credentialSubject.name"]')),
        ("presentation_jose", KEYS[0], ()),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_command_issues_and_verifies(tmp_path: Path, feature: str, key: Any, more: tuple[str, ...]) -> None:
    document = credential() if feature.startswith("credential") else presentation()
    (tmp_path / "in.json").write_bytes(to_json(document))
    file = key_file(tmp_path / "key.json", key)
    code, issued = jose(tmp_path, "issue", tmp_path / "in.json", file, feature, *more)
    assert (code, issued["result"]) == (0, "success")
    (tmp_path / "in.txt").write_text(issued["data"] + "\n")
    code, verified = jose(tmp_path, "verify", tmp_path / "in.txt", file, feature, "--at", "2026-11-24")
    assert (code, verified["result"]) == (0, "success")
    assert json.loads(verified["data"]) == document
    late = jose(tmp_path, "verify", tmp_path / "in.txt", file, feature, "--at", "2027-06-01")
    assert (late[1]["result"] == "failure") == feature.startswith("credential")
    (tmp_path / "in.txt").write_text(issued["data"][:-5])
    assert jose(tmp_path, "verify", tmp_path / "in.txt", file, feature)[1]["result"] == "failure"


def test_the_command_leaves_dates_alone_where_it_is_told_to(tmp_path: Path) -> None:
    file = key_file(tmp_path / "key.json", KEY)
    (tmp_path / "in.txt").write_text(jwt({"iat": "2010-01-01T19:23:24Z", "exp": 1}).text)
    code, refused = jose(tmp_path, "verify", tmp_path / "in.txt", file, "credential_jose")
    assert (code, refused["result"]) == (2, "failure")
    assert "iat" in refused["data"]
    code, taken = jose(tmp_path, "verify", tmp_path / "in.txt", file, "credential_jose", "--structure-only")
    assert (code, taken["result"]) == (0, "success")


def test_the_command_signs_only_what_has_a_meaning(tmp_path: Path) -> None:
    file = key_file(tmp_path / "key.json", KEY)
    (tmp_path / "in.json").write_bytes(to_json(credential(badExtension={"huh": "what?"})))
    code, refused = jose(tmp_path, "issue", tmp_path / "in.json", file, "credential_jose")
    assert (code, refused["result"]) == (2, "failure")
    assert "/badExtension" in refused["data"]
