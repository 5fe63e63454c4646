"""Files that nobody should send, and every command that reads a file."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.cli import ROOT, ouvrage

HUGE = 100 << 20


def clique(size: int) -> bytes:
    """A credential of about 2 KB whose blank nodes all point at each other: a poison graph."""
    names = [f"_:n{number}" for number in range(size)]
    nodes = [{"id": name, "p": [{"id": other} for other in names if other != name]} for name in names]
    key = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    return json.dumps(
        {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://www.w3.org/ns/credentials/undefined-terms/v2",
            ],
            "type": ["VerifiableCredential"],
            "issuer": f"did:key:{key}",
            "credentialSubject": {"q": nodes},
            "proof": {
                "type": "DataIntegrityProof",
                "cryptosuite": "eddsa-rdfc-2022",
                "proofPurpose": "assertionMethod",
                "verificationMethod": f"did:key:{key}#{key}",
                "proofValue": "z" + "2" * 87,
            },
        },
        separators=(",", ":"),
    ).encode()


def million_claims() -> bytes:
    return b'{"credentialSubject":{' + b",".join(b'"c%d":%d' % (number, number) for number in range(1_000_000)) + b"}}"


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "truncated": lambda: b'{"@context": ["https://www.w3.org/ns/creden',
    "binary": lambda: random.Random(7).randbytes(4096),
    "deep": lambda: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "duplicate": lambda: b'{"type": "A", "type": "B"}',
    "poison": lambda: clique(9),
    "million": million_claims,
    "number": lambda: b'{"version": ' + b"9" * 400 + b"}",
    "surrogate": lambda: b'{"type": "\\ud800"}',
    "list": lambda: b"[[[]]]",
    "null": lambda: b"null",
}


def write(folder: Path, name: str) -> Path:
    """A hostile file, or for "missing" a path where there is none, or a folder."""
    path = folder / f"hostile-{name}"
    if name == "huge":
        path.write_bytes(b"[")
        os.truncate(path, HUGE)
    elif name == "folder":
        path.mkdir()
    elif name != "missing":
        path.write_bytes(HOSTILE[name]())
    return path


# An export about one person is a crowd of one, and somebody has to answer for it.
FEW = ("--allow-few", "Earnings", "--allow-few", "WorkHistory")

NAMES = ("missing", "folder", "huge", *HOSTILE)

# Where {} stands, the hostile file is read. Everything else that the command needs is in order.
COMMANDS: dict[str, tuple[str, ...]] = {
    "attest": ("issuer", "attest", "--profile", "upwork", "{}"),
    "attest-airbnb": ("issuer", "attest", "--profile", "airbnb", "{}"),
    "profile": ("issuer", "attest", "--profile", "{}", "good.csv"),
    "issue-keys": ("issuer", "issue", "--worker", "good", "--keys", "{}", *FEW),
    "add": ("wallet", "add", "{}"),
    "import": ("wallet", "import", "--profile", "upwork", "{}"),
    "import-profile": ("wallet", "import", "--profile", "{}", "good.csv"),
    "request": ("wallet", "request", "{}"),
    "present": ("wallet", "present", "--yes", "--request", "{}", "--out", "new-answer.json"),
    "check-answer": (
        "verifier",
        "check",
        "{}",
        "--request",
        "request.json",
        "--trust",
        "trust.json",
        "--html",
        "new.html",
    ),
    "check-request": ("verifier", "check", "answer.json", "--request", "{}", "--trust", "trust.json"),
    "check-trust": ("verifier", "check", "answer.json", "--request", "request.json", "--trust", "{}"),
    "trust-add": ("verifier", "trust", "add", "{}", "--trust", "trust.json"),
    "trust-show": ("verifier", "trust", "show", "--trust", "{}"),
}


def prepare(home: Path) -> None:
    """A home in which everything is in order: statements, keys, a wallet, a request, an answer, a trust file."""
    shutil.copy(ROOT / "examples" / "upwork" / "upwork_timesheet.csv", home / "good.csv")
    ouvrage(home, "issuer", "attest", "--profile", "upwork", "good.csv")
    ouvrage(home, "wallet", "init")
    ouvrage(home, "wallet", "keys", "--count", "1", "--out", "keys.json")
    ouvrage(home, "issuer", "issue", "--worker", "good", "--keys", "keys.json", "--out", "credentials.json", *FEW)
    ouvrage(home, "wallet", "add", "credentials.json")
    entry = ouvrage(home, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1", "--json")
    (home / "entry.json").write_text(entry.out)
    ouvrage(home, "verifier", "trust", "add", "entry.json", "--trust", "trust.json")
    ouvrage(
        home,
        "verifier",
        "request",
        "--as",
        "lender",
        "--purpose",
        "credit.consumer.eu",
        "--claim",
        "Earnings.averageAtLeast12m>=1500",
        "--out",
        "request.json",
    )
    ouvrage(home, "wallet", "present", "--request", "request.json", "--out", "answer.json", "--yes")


def state(folder: Path) -> dict[str, bytes]:
    """Every file of a home that a command must not change."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("hostile-") and not path.name.endswith(("-wal", "-shm"))
    }
