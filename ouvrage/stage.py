"""Where the demo plays: a folder of its own, the real commands in processes of their own, no network for a check."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vc.errors import Malformed, Undetermined
from vc.io.command import say

MARK: Final = ".ouvrage-demo"  # in a folder that a demo made, and may therefore make anew


@dataclass(frozen=True, slots=True)
class Stage:
    """The folder of the story, and the prefix that takes a process off the network, where the system allows it."""

    folder: Path
    isolation: tuple[str, ...]

    def ouvrage(self, line: str, *, home: str = "", isolated: bool = False, to: str = "") -> None:
        """Run one command line as a user would, show it and what it prints; ``to``: a file that takes the output."""
        say(f"$ ouvrage {line}{f' > {to}' if to else ''}")
        done = self.run(line, home=home, isolated=isolated)
        if to:
            (self.folder / to).write_text(done.stdout, encoding="utf-8")
        else:
            say(indented(done.stdout + done.stderr))

    def ask(self, line: str, *, home: str = "", expect: int = 0) -> Any:
        """Run a command line with ``--json`` behind the scenes, and read its answer."""
        return json.loads(self.run(f"{line} --json", home=home, isolated=expect != 0, expect=expect).stdout)

    def run(
        self, line: str, *, home: str = "", isolated: bool = False, expect: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """One command in a process of its own; a story that goes another way than it should stops there."""
        environment = {
            **os.environ,
            "OUVRAGE_HOME": str(self.folder / home),
            "OUVRAGE_PASSPHRASE_FILE": str(self.folder / home / "passphrase.txt"),
        }
        command = [*(self.isolation if isolated else ()), sys.executable, "-m", "ouvrage", *shlex.split(line)]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode != expect:
            went_wrong(f"ouvrage {line} ended with {done.returncode}: {done.stderr.strip()[-200:]}")
        return done

    def read(self, name: str) -> Any:
        """A JSON file that a command left."""
        return json.loads((self.folder / name).read_bytes())

    def write(self, name: str, document: object) -> None:
        """A JSON file, as somebody who means ill would make it."""
        (self.folder / name).write_text(json.dumps(document), encoding="utf-8")


def went_wrong(what: str) -> None:
    """Raise :class:`Undetermined`: the story cannot go on."""
    raise Undetermined(what, "this is a fault of the program; please report it", code="DEMO_FAILED")


def fresh(out: Path) -> Path:
    """An empty folder for the story; only one that a demo made is ever emptied. Raises :class:`Malformed`."""
    if out.exists() and not (out / MARK).exists():
        raise Malformed(
            str(out), "is there already and is not from a demo; choose another with --out", code="FILE_EXISTS"
        )
    try:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        (out / MARK).touch()
    except OSError as error:
        raise Malformed(str(out), f"cannot be made: {error.strerror}", code="CANNOT_WRITE") from None
    return out.resolve()


def isolation() -> tuple[str, ...]:
    """What to put before a command so that it runs in a network namespace without interfaces, if the system allows."""
    program = shutil.which("unshare")
    for options in (("--net",), ("--user", "--map-root-user", "--net")):
        if program and subprocess.run([program, *options, "true"], capture_output=True, check=False).returncode == 0:
            return (program, *options)
    return ()


def indented(text: str) -> str:
    """What a command printed, set off from the story."""
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())
