"""The union's story, as the people in it live it: processes, a static web server, and a verifier without a network."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli import ROOT, ouvrage
from tests.test_cli_issuer_story import WORKER, free_port, served


@contextmanager
def static(folder: Path) -> Iterator[str]:
    """Any static web server."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not _answers(port):
                assert process.poll() is None
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def _answers(port: str) -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", int(port))) == 0


def test_a_union_publishes_and_a_verifier_syncs(tmp_path: Path) -> None:
    platform, worker, union, second, verifier = (tmp_path / name for name in ("p", "w", "u", "s", "v"))
    for home in (platform, worker, union, second, verifier):
        home.mkdir()
    folder, www, port = union / "list", union / "www", free_port()

    # Two people of the union sign, each on their own machine.
    ouvrage(second, "verifier", "trust", "key", "--name", "Bo", "--out", second / "bo.json")
    made = ouvrage(union, "verifier", "trust", "init", "--publish", folder, "--name", "Riders' union",
                   "--signer", second / "bo.json", "--threshold", "2", "--json").json  # fmt: skip
    assert made["signers"] == ["Riders' union", "Bo"]

    def publish(*more: str | Path, ok: bool = True) -> Any:
        words = ("publish", folder, "--out", www, "--zip", union / "list.zip", "--private", *more, "--json")
        return ouvrage(union, "verifier", "trust", *words, ok=ok)

    def signed() -> None:
        done = publish(ok=False)
        assert (done.code, done.json["error"]["code"]) == (3, "SIGNATURES_MISSING")
        said = ouvrage(second, "verifier", "trust", "sign", folder / "to-sign.json", "--yes", "--json",
                       "--out", second / "signed.json").json["says"]  # fmt: skip
        assert "1 issuers" in "".join(said) or "0 issuers" in "".join(said)

    ouvrage(platform, "issuer", "attest", "--profile", "upwork", ROOT / "examples" / "upwork" / "upwork_timesheet.csv")
    ouvrage(platform, "issuer", "keys", "--name", "Platform", "--legal-identifier", "SIREN 000")
    (platform / "entry.json").write_text(ouvrage(platform, "issuer", "keys", "--json").out)
    ouvrage(worker, "wallet", "init")
    with served(platform, "--port", port, "--base", f"http://localhost:{port}") as line:
        offer = ouvrage(platform, "issuer", "offer", "--worker", WORKER, "--type", "Earnings", "--json",
                        "--allow-few", "Earnings").json  # fmt: skip
        ouvrage(worker, "wallet", "accept", offer["offer"], "--format", "sd-jwt", "--copies", "3")
        ouvrage(union, "verifier", "trust", "add-issuer", platform / "entry.json", "--list", folder,
                "--status", f"{line['base']}/status")  # fmt: skip
        signed()
        first = publish("--signed", second / "signed.json").json
        assert (first["issuers"], first["notReached"]) == (1, [])
        assert first["statusLists"] >= 1
        again = publish().json  # the mirror alone says that this is still the newest
        assert again["changed"] == 0

    with static(www) as url:
        refused = ouvrage(verifier, "verifier", "sync", url, "--json", ok=False)
        assert refused.json["error"]["code"] == "FINGERPRINT_MISSING"
        synced = ouvrage(verifier, "verifier", "sync", url, "--fingerprint", first["fingerprint"], "--json").json
        assert (synced["name"], synced["issuers"], synced["changed"]) == ("Riders' union", 1, True)
        assert ouvrage(verifier, "verifier", "sync", "--json").json["requests"] == 2

    ask = ("--purpose", "credit.consumer.eu", "--claim", "Earnings.averageAtLeast12m>=1500", "--format", "sd-jwt")
    ouvrage(verifier, "verifier", "request", "--as", "lender.example", *ask, "--out", verifier / "ask.json")
    ouvrage(worker, "wallet", "present", "--request", verifier / "ask.json", "--out", verifier / "answer.json", "--yes")

    def check(*more: str, ok: bool = True) -> Any:
        words: tuple[str | Path, ...] = (verifier / "answer.json", "--request", verifier / "ask.json", *more, "--json")
        return ouvrage(verifier, "verifier", "check", *words, ok=ok)  # which forbids itself every socket

    report = check().json
    assert (report["verdict"], report["proven"][0]["issuer"]["name"]) == ("valid", "Platform")
    assert "REVOCATION" not in [one["code"] for one in report["notChecked"]]  # the mirrored list was looked up

    ouvrage(union, "verifier", "trust", "remove", "SIREN 000", "--list", folder)
    signed()
    publish("--signed", second / "signed.json")
    ouvrage(verifier, "verifier", "sync", union / "list.zip")  # on a stick, this time
    gone = check(ok=False)
    assert (gone.code, _codes(gone.json)) == (1, ["ISSUER_NOT_TRUSTED"])

    shown = ouvrage(verifier, "verifier", "trust", "show", "--json").json
    assert (shown["issuers"], shown["freshness"]["state"]) == ([], "fresh")
    stale = check("--at", shown["freshness"]["expires"], ok=False)
    assert (stale.code, _codes(stale.json)) == (3, ["STALE_TRUST"])


def _codes(report: Any) -> list[str]:
    return [one["code"] for one in report["reasons"]]


def test_a_change_of_signers_by_command(tmp_path: Path) -> None:
    union, second = tmp_path / "u", tmp_path / "s"
    union.mkdir()
    second.mkdir()
    folder = union / "list"
    ouvrage(union, "verifier", "trust", "init", "--publish", folder, "--name", "Ada")
    ouvrage(union, "verifier", "trust", "publish", folder, "--out", union / "www")
    (second / "bo.json").write_text(ouvrage(second, "verifier", "trust", "key", "--name", "Bo", "--json").out)
    ouvrage(
        union, "verifier", "trust", "rotate", folder, "--signer", second / "bo.json", "--threshold", "2", "--online"
    )
    ouvrage(union, "verifier", "trust", "publish", folder, "--out", union / "www", ok=False)
    ouvrage(second, "verifier", "trust", "sign", folder / "to-sign.json", "--yes", "--out", second / "back.json")
    ouvrage(union, "verifier", "trust", "publish", folder, "--out", union / "www", "--signed", second / "back.json")
    shown = ouvrage(union, "verifier", "trust", "show", "--list", folder, "--json").json
    assert (shown["signers"], shown["threshold"], shown["awaitsSignatures"]) == (["Ada", "Bo"], 2, False)
    assert json.loads((union / "www" / "2.root.json").read_text())["signed"]["version"] == 2
    secret = (union / "verifier" / "signer.json").read_text()
    assert "argon2id" in secret
    assert not list((union / "www").rglob("*online*"))
