"""The README runs: every block in it, in its order, as a newcomer would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import PASSPHRASE, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)

# A service runs in a terminal of its own: here, in the background, until it is ready, and to the end of the script.
PRELUDE = """
set -eu
ouvrage() {
    if [ "$1 $2" = "issuer serve" ]; then
        "$PYTHON" -m ouvrage "$@" --json > ready.json 2> service.log &
        trap "kill $!" EXIT
        until [ -s ready.json ]; do kill -0 $! && sleep 0.1; done
    else
        "$PYTHON" -m ouvrage "$@"
    fi
}
"""


def test_it_opens_with_one_sentence_and_two_commands() -> None:
    title, sentence, lead, block = README.split("\n\n")[:4]
    assert title == "# Ouvrage"
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")
    assert lead.endswith(":")
    assert [line.split("#")[0].strip() for line in block.splitlines()[1:-1]] == ["make demo", "make test"]


def test_every_make_target_that_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make (\w+)", README)) - {"and"}
    assert {"demo", "test", "bench"} <= named
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in named)


def test_every_file_that_it_names_exists() -> None:
    for name in re.findall(r"`((?:docs|vc|examples)/[\w./-]+|\w+\.md)`", README):
        assert (ROOT / name).exists(), name


def test_the_shell_blocks_run(tmp_path: Path) -> None:
    commands = [block for kind, block in BLOCKS if kind == "sh" and "ouvrage" in block]
    assert len(commands) >= 7
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "passphrase.txt").write_text(PASSPHRASE)
    script = "\n".join([PRELUDE, *commands])
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "OUVRAGE_HOME": str(tmp_path / "home"),
        "OUVRAGE_PASSPHRASE_FILE": str(tmp_path / "passphrase.txt"),
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "report.html").stat().st_size > 1000


@pytest.mark.parametrize("block", [block for kind, block in BLOCKS if kind == "python"])
def test_the_python_blocks_run(block: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
