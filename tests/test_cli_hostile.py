"""Every command, given a file that nobody should send: one line, an exit code, bounded memory, nothing changed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import Done, ouvrage
from tests.hostile import COMMANDS, NAMES, prepare, state, write

MAX_MEMORY = 300  # MiB
CODES = {2, 1, 3}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which everything is in order: statements, keys, a wallet, a request, an answer, a trust file."""
    home = tmp_path_factory.mktemp("prepared")
    prepare(home)
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "home"
    shutil.copytree(prepared, copy)
    yield copy
    shutil.rmtree(copy)


def refused(home: Path, *words: str | Path) -> Done:
    """Run a command that has to fail, and check what every failure owes its user."""
    before = state(home)
    done = ouvrage(home, *words, ok=False)
    assert done.code in CODES, (done.code, done.err)
    assert "Traceback" not in done.out + done.err
    assert done.memory < MAX_MEMORY
    assert state(home) == before
    return done


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_file_is_refused_in_one_line(command: str, name: str, home: Path) -> None:
    hostile = write(home, name)
    done = refused(home, *(str(hostile) if word == "{}" else word for word in COMMANDS[command]))
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("ouvrage: ")
    assert len(done.err) < 500


DAMAGED = [
    (file, words, name)
    for file, words in (
        ("issuer/issuer.db", ("issuer", "issue")),
        ("issuer/keys.json", ("issuer", "issue")),
        ("wallet/vault.db", ("wallet", "list")),
    )
    for name in ("empty", "truncated", "binary", "null")
    if (file, name) != ("issuer/issuer.db", "empty")  # an empty file is what SQLite begins a new database with
]


@pytest.mark.parametrize(("file", "words", "name"), DAMAGED)
def test_damaged_state_is_said_and_left_as_it_is(file: str, words: tuple[str, ...], name: str, home: Path) -> None:
    hostile = write(home, name)
    shutil.copy(hostile, home / file)
    done = refused(home, *words)
    assert done.code == 2
    assert Path(file).name in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("issuer", "attest", "--profile", "nobody", "good.csv"),
        ("issuer", "issue", "--worker", "nobody", "--keys", "keys.json"),
        ("issuer", "export", "--worker", "nobody"),
        ("wallet", "init"),
        ("wallet", "show", "zzz"),
        ("wallet", "present", "--request", "request.json", "--choose", "Rating", "--yes"),
        ("wallet", "present", "--request", "request.json"),
        ("verifier", "request", "--purpose", "none", "--claim", "Rating"),
        ("verifier", "request", "--purpose", "housing.tenancy.fr", "--claim", "Rating"),
        ("verifier", "request", "--purpose", "credit.consumer.eu", "--claim", "Earnings.averageAtLeast12m>=1501"),
        ("verifier", "request", "--purpose", "credit.consumer.eu", "--claim", "Earnings.nothing"),
        ("verifier", "trust", "init", "--trust", "trust.json"),
        ("verifier", "check", "answer.json", "--request", "request.json", "--trust", "trust.json", "--at", "yesterday"),
        ("verifier", "nonsense"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_use_is_said_in_one_line(words: tuple[str, ...], home: Path) -> None:
    done = refused(home, *words)
    assert done.out == ""
    assert done.err.count("\n") == 1


def test_errors_are_json_where_json_was_asked_for(home: Path) -> None:
    done = refused(home, "wallet", "add", "missing.json", "--json")
    assert done.json["error"]["code"] == "FILE_MISSING"
    done = refused(home, "wallet", "add", "--json")
    assert done.json["error"]["code"] == "USAGE"


def test_a_wrong_passphrase_is_refused_and_never_printed(home: Path) -> None:
    (home / "passphrase.txt").write_text("a wrong passphrase indeed")
    done = ouvrage(home, "wallet", "list", ok=False)
    assert done.code == 1
    assert "WRONG_PASSPHRASE" in done.err
    assert "indeed" not in done.err + done.out


def test_a_terminal_is_not_moved_by_what_a_file_says(home: Path) -> None:
    (home / "evil.json").write_text('{"type": "OuvrageTrust", "version": 1, "asOf": "\\u001b[2Jnow", "issuers": []}')
    done = refused(home, "verifier", "trust", "show", "--trust", "evil\x1b[2J.json")
    assert "\x1b" not in done.err
