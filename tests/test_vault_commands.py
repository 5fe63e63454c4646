"""Words, guardians, passphrases, backups and one export, as a worker uses them on the command line."""

import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli import PASSPHRASE, ROOT, Done, ouvrage
from tests.hostile import FEW
from wallet.phrase import read_phrase

NEW = "a new passphrase"


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Credentials that a platform signed for a worker, in a file."""
    folder = tmp_path_factory.mktemp("issued")
    ouvrage(folder, "issuer", "attest", "--profile", "upwork", ROOT / "examples" / "upwork" / "upwork_timesheet.csv")
    ouvrage(folder, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1")
    ouvrage(folder, "issuer", "issue", *FEW)
    ouvrage(folder, "issuer", "export", "--worker", "upwork_timesheet", "--out", "credentials.json")
    return folder / "credentials.json"


@pytest.fixture
def home(tmp_path: Path, issued: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wallet with credentials, and the files that stand for what a worker types."""
    made = ouvrage(tmp_path, "wallet", "init", "--json").json
    (tmp_path / "words.txt").write_text(made["words"])
    (tmp_path / "new.txt").write_text(NEW + "\n")
    monkeypatch.setenv("OUVRAGE_WORDS_FILE", str(tmp_path / "words.txt"))
    monkeypatch.setenv("OUVRAGE_NEW_PASSPHRASE_FILE", str(tmp_path / "new.txt"))
    ouvrage(tmp_path, "wallet", "add", issued)
    return tmp_path


def use_passphrase(home: Path, passphrase: str) -> None:
    (home / "passphrase.txt").write_text(passphrase + "\n")


def held(home: Path) -> Any:
    return ouvrage(home, "wallet", "list", "--json").json["credentials"]


def code_of(done: Done) -> str:
    found = re.search(r"\[([A-Z_]+)\]\s*$", done.err.strip())
    return found[1] if found else done.err


def refused(home: Path, *words: str | Path) -> str:
    done = ouvrage(home, "wallet", *words, ok=False)
    assert done.code in {1, 2, 3}
    return code_of(done)


def test_a_worker_who_forgot_the_passphrase_and_lost_the_machine_has_everything_back(home: Path) -> None:
    before, ledger = held(home), ouvrage(home, "wallet", "ledger", "--json").json
    assert before
    assert "no backup of this wallet" in ouvrage(home, "wallet", "list").out
    made = ouvrage(home, "wallet", "backup", "safe.backup", "--json").json
    assert made["tested"] is True
    assert "backup" not in ouvrage(home, "wallet", "list").out
    for left in (home / "wallet").iterdir():
        left.unlink()
    use_passphrase(home, "I have no idea any more")
    assert refused(home, "restore", "safe.backup") == "WRONG_PASSPHRASE"
    assert not (home / "wallet" / "vault.db").exists()
    told = ouvrage(home, "wallet", "restore", "safe.backup", "--words", "--lang", "fr").out
    assert "Restauré et vérifié" in told
    use_passphrase(home, NEW)
    assert held(home) == before
    assert ouvrage(home, "wallet", "ledger", "--json").json == ledger


def test_guardians_open_it_and_new_shares_end_old_ones(home: Path) -> None:
    before = held(home)
    names = [word for name in ("Ana", "Paul B.", "Zoé") for word in ("--name", name)]
    made = ouvrage(home, "wallet", "guardians", "--of", "3", "--need", "2", "--out", "old", *names, "--json").json
    files = [Path(one) for one in made["files"]]
    assert [file.name for file in files] == [
        "share-1-of-3-Ana.txt",
        "share-2-of-3-Paul-B.txt",
        "share-3-of-3-Zoé.txt",
    ]
    modes = {stat.S_IMODE((home / file).stat().st_mode) for file in files}
    assert modes == {0o600}
    assert "Do not send it by e-mail" in (home / files[0]).read_text()
    assert refused(home, "guardians", "--of", "3", "--need", "2", "--out", "old", *names) == "FILE_EXISTS"
    assert refused(home, "passphrase", "--shares", files[0]) == "TOO_FEW_SHARES"
    told = ouvrage(home, "wallet", "passphrase", "--shares", files[2], files[0]).out
    assert "2 of 3" in told
    assert "24 words stay the same" in told
    use_passphrase(home, NEW)
    assert held(home) == before
    ouvrage(home, "wallet", "guardians", "--of", "2", "--need", "2", "--out", "new", "--lang", "fr")
    assert refused(home, "passphrase", "--shares", files[2], files[0]) == "WRONG_SHARES"
    assert refused(home, "passphrase", "--shares", files[0], "new/share-1-of-2.txt") == "SHARES_OF_TWO_SETS"
    ouvrage(home, "wallet", "guardians", "--end")
    assert refused(home, "passphrase", "--shares", "new/share-1-of-2.txt", "new/share-2-of-2.txt") == "WRONG_SHARES"
    assert "no guardians" in ouvrage(home, "wallet", "guardians", "--end").out


def test_new_words_end_the_old_ones_and_a_misspelt_one_is_named(home: Path) -> None:
    words = ouvrage(home, "wallet", "words", "--lang", "fr", "--json").json["words"].split()
    assert refused(home, "passphrase", "--words") == "WRONG_WORDS"
    (home / "words.txt").write_text(" ".join([*words[:4], words[4] + "x", *words[5:]]))
    done = ouvrage(home, "wallet", "passphrase", "--words", ok=False)
    assert (code_of(done), f"“{words[4]}”" in done.err) == ("WORD_MISSPELT", True)
    (home / "words.txt").write_text(" ".join(words))
    ouvrage(home, "wallet", "passphrase", "--words")
    assert refused(home, "list") == "WRONG_PASSPHRASE"
    use_passphrase(home, NEW)
    assert held(home)


def test_a_weak_new_passphrase_changes_nothing(home: Path) -> None:
    (home / "new.txt").write_text("short\n")
    assert refused(home, "passphrase") == "WEAK_PASSPHRASE"
    assert held(home)


@pytest.mark.parametrize(
    "words",
    [
        ("passphrase", "--words", "--shares", "a.txt"),
        ("passphrase", "--shares"),
        ("passphrase", "a.txt"),
        ("guardians",),
        ("guardians", "--of", "3", "--end"),
        ("guardians", "--of", "3", "--need", "2", "--out", "x", "--name", "Ana"),
        ("backup",),
        ("backup", "a", "--to", "b"),
        ("backup", "a", "--stop"),
    ],
    ids=" ".join,
)
def test_words_that_make_no_sense_together_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "USAGE" in ouvrage(tmp_path, "wallet", *words, ok=False).err


def test_a_folder_gets_a_backup_after_each_change_by_itself(home: Path) -> None:
    ouvrage(home, "wallet", "backup", "--to", "stick")
    (file,) = (home / "stick").iterdir()
    before = file.read_bytes()
    ouvrage(home, "wallet", "list")
    assert file.read_bytes() == before
    ouvrage(home, "wallet", "keys", "--count", "2")
    assert file.read_bytes() != before
    state = ouvrage(home, "wallet", "list", "--json").json["backup"]
    assert (state["upToDate"], state["folder"]) == (True, str(home / "stick"))
    (home / "stick").rename(home / "unplugged")
    done = ouvrage(home, "wallet", "keys", "--json")
    assert "no backup could be made" in done.err
    assert done.json["keys"]
    assert ouvrage(home, "wallet", "restore", home / "unplugged" / file.name, "--replace", "--json").json["aside"]
    ouvrage(home, "wallet", "backup", "--stop")
    assert ouvrage(home, "wallet", "list", "--json").json["backup"]["folder"] is None


def test_a_wallet_put_back_to_an_older_state_is_warned_of(home: Path) -> None:
    vault = home / "wallet" / "vault.db"
    older = vault.read_bytes()
    ouvrage(home, "wallet", "keys")
    vault.write_bytes(older)
    done = ouvrage(home, "wallet", "list", "--json", "--lang", "fr")
    assert "plus ancien" in done.err
    assert done.json["credentials"]
    (home / "wallet" / "vault.db.mark").unlink()
    assert ouvrage(home, "wallet", "list").err == ""


def test_one_credential_is_written_only_with_a_yes_and_stands_in_the_ledger(home: Path) -> None:
    name, *_ = [one["statement"] for one in held(home) if one["type"] == "Earnings"]
    export = ("export", name, "--out", "earnings.json")
    assert refused(home, *export) == "NOT_AGREED"
    assert not (home / "earnings.json").exists()
    assert ouvrage(home, "wallet", "ledger", "--json").json["ledger"] == []
    unused = next(one["unused"] for one in held(home) if one["statement"] == name)
    ouvrage(home, "wallet", *export, "--yes")
    assert stat.S_IMODE((home / "earnings.json").stat().st_mode) == 0o600
    (line,) = ouvrage(home, "wallet", "ledger", "--json").json["ledger"]
    assert (line["verifier"], line["shown"][0]["statement"]) == ("export", name)
    assert "Earnings" in ouvrage(home, "wallet", "ledger").out
    assert next(one["unused"] for one in held(home) if one["statement"] == name) == unused - 1
    assert ouvrage(home, "wallet", "add", "earnings.json", "--json").json == {"added": 0, "already": 1}


def test_no_words_where_none_are_wanted(tmp_path: Path) -> None:
    assert "words" not in ouvrage(tmp_path, "wallet", "init", "--no-words", "--json").json


def talk(command: list[str], home: Path, answer: "dict[str, Any]") -> str:
    """Run a command in a terminal; ``answer['words']`` is filled from the screen, and three of them are typed back."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "OUVRAGE_HOME": str(home), "OUVRAGE_PASSPHRASE_FILE": str(home / "passphrase.txt"),
                   "PYTHONPATH": str(ROOT), "COLUMNS": "120"}  # fmt: skip
    running = subprocess.Popen(command, cwd=home, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen, answered, end = "", 0, time.monotonic() + 60
    words: dict[str, str] = {}
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                screen += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        asked = re.findall(r"Mot (\d+): ", screen)
        if len(asked) > answered:
            words = words or dict(re.findall(r"(\d+)\. (\w+)", screen))  # what comes later is not the list
            wrong = answered == 0  # the first time a slip of the pen
            os.write(ours, (("faute" if wrong else words[asked[-1]]) + "\n").encode())
            answered += 1
            answer["words"] = " ".join(words[str(number)] for number in range(1, 25))
    running.wait(timeout=30)
    os.close(ours)
    return screen


def test_in_a_terminal_three_words_are_asked_back(tmp_path: Path) -> None:
    (tmp_path / "passphrase.txt").write_text(PASSPHRASE + "\n")
    answer: dict[str, Any] = {}
    screen = talk([sys.executable, "-m", "ouvrage", "wallet", "init", "--lang", "fr"], tmp_path, answer)
    assert "Ce n’est pas le mot" in screen
    assert "C’est bien noté." in screen
    assert len(read_phrase(answer["words"])) == 32
