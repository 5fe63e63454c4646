"""The issuer's service and the wallet, as two people use them: each a command, a service process between them."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli import ROOT, ouvrage
from tests.test_service import started

WORKER = "upwork_timesheet"


@contextmanager
def served(home: Path, *words: str) -> Iterator[dict[str, Any]]:
    """``ouvrage issuer serve``; what it says that it serves. It has to end well."""
    with started(home, *words) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert WORKER not in err


def free_port() -> str:
    from aiohttp.test_utils import unused_port  # noqa: PLC0415

    return str(unused_port())


def test_from_an_offer_to_a_proof_that_a_verifier_takes(tmp_path: Path) -> None:
    port = free_port()
    sample = ROOT / "examples" / "upwork" / "upwork_timesheet.csv"
    ouvrage(tmp_path, "issuer", "attest", "--profile", "upwork", sample)
    ouvrage(tmp_path, "issuer", "keys", "--name", "Platform", "--legal-identifier", "SIREN 000")
    did = ouvrage(tmp_path, "issuer", "keys", "did", "web", "--domain", f"localhost:{port}", "--json").json["did"]
    (tmp_path / "entry.json").write_text(ouvrage(tmp_path, "issuer", "keys", "--json").out)
    ouvrage(tmp_path, "wallet", "init")
    with served(tmp_path, "--port", port, "--base", f"http://localhost:{port}") as line:
        assert line["issuer"] == did == f"did:web:localhost%3A{port}"
        asked = ("issuer", "offer", "--worker", WORKER, "--type", "Earnings", "--tx-code", "--json",
                 "--allow-few", "Earnings")  # fmt: skip
        offer = ouvrage(tmp_path, *asked).json
        refused = ouvrage(tmp_path, "wallet", "accept", offer["offer"], "--json", ok=False)
        assert (refused.code, refused.json["error"]["code"]) == (2, "USAGE")
        got = ouvrage(
            tmp_path, "wallet", "accept", offer["offer"], "--tx-code", offer["txCode"], "--format", "bbs-2023",
            "--copies", "3", "--json"
        )  # fmt: skip
        assert got.json == {"issuer": line["base"], "added": 3, "deferred": [], "leftOut": {}, "told": True}
        again = ouvrage(tmp_path, "wallet", "accept", offer["offer"], "--tx-code", offer["txCode"], ok=False)
        assert again.code == 1
        assert "ask the platform for a new one" in again.err
    (held,) = ouvrage(tmp_path, "wallet", "list", "--json").json["credentials"]
    assert (held["type"], held["copies"]) == ("Earnings", 3)
    ouvrage(tmp_path, "verifier", "trust", "add", "entry.json")
    ouvrage(tmp_path, "verifier", "request", "--as", "lender.example", "--purpose", "credit.consumer.eu",
            "--claim", "Earnings.averageAtLeast12m>=1500", "--out", "ask.json")  # fmt: skip
    ouvrage(tmp_path, "wallet", "present", "--request", "ask.json", "--out", "answer.json", "--yes")
    (proven,) = ouvrage(tmp_path, "verifier", "check", "answer.json", "--request", "ask.json", "--json").json["proven"]
    assert (proven["binding"], proven["claims"]["averageAtLeast12m"]) == ("key", ["001500"])
