"""A process that has loaded every command once and forks for each that is to be run: ``python -m tests.preloaded``.

Loading costs a second, and the tests start hundreds of commands. What a child does is what ``python -m ouvrage`` does
from there on: its own process, directory, environment, output and exit code.
"""

import gc
import json
import multiprocessing
import os
import pkgutil
import resource
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ouvrage.__main__ import main

PACKAGES: Final = ("issuer", "ouvrage", "verifier", "wallet")
LEFT: Final = ()
ENTRY: Final = Path(__file__).resolve().parents[1] / "ouvrage" / "__main__.py"


def load() -> None:
    """Import what commands import, now or when they know what they are to do."""
    for package in PACKAGES:
        for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
            if module.name not in LEFT:
                import_module(module.name)
    import_module("typer._adapters")


def become(asked: Mapping[str, Any]) -> None:
    """Be the command that was asked for."""
    standard = ((os.devnull, os.O_RDONLY), (asked["out"], os.O_WRONLY), (asked["err"], os.O_WRONLY))
    for number, (name, flags) in enumerate(standard):
        opened = os.open(name, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["home"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [str(ENTRY), *asked["words"]]
    try:
        main()
    finally:
        Path(asked["memory"]).write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def serve() -> None:
    """Fork for each line of the standard input, and answer with the exit code."""
    load()
    gc.freeze()  # nobody walks through it, so that the children share it
    forking = multiprocessing.get_context("fork")
    while line := sys.stdin.readline():
        process = forking.Process(target=become, args=(json.loads(line),))
        process.start()
        process.join()
        sys.stdout.write(f"{process.exitcode}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
