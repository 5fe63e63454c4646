"""Running a command for a person or a script: one way to print results, one way to print errors.

Exit codes follow the class of the error (docs/errors.md): 0 done, 1 refused, 2 bad input, 3 cannot be told.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

import typer

from vc.canon import Json
from vc.errors import Rejected, VcError

EXIT_INTERRUPTED: Final = 130
EXIT_BUG: Final = 70  # sysexits: internal software error

MAX_MESSAGE: Final = 400  # one line that a person reads, whatever the input put into it


def new_app(help_text: str) -> typer.Typer:
    """A Typer application in the house's manner: no locals in tracebacks, no shell completion to install."""
    return typer.Typer(help=help_text, add_completion=False, pretty_exceptions_enable=False)


Told = Callable[[VcError], Sequence[str]]


def run(app: typer.Typer, arguments: list[str], *, name: str, told: Told = lambda _: ()) -> NoReturn:
    """Run ``app`` and leave the process with the exit code that the outcome asks for.

    ``told`` gives the lines for a person about an error, in their language; none: the error's own words.
    """
    as_json = "--json" in arguments
    try:
        code = app(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except VcError as error:
        code = _reported(error, as_json=as_json, told=told)
    except typer.TyperException as error:
        sys.exit(_usage(error, as_json=as_json))
    except typer.Abort:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        _stop_writing()
        code = 0
    except Exception as error:  # noqa: BLE001  (the last line of defence: no traceback reaches a user)
        _line(
            f"this is a fault of the program, not of your input: {type(error).__name__}; "
            "please report it with the command that you ran"
        )
        sys.exit(EXIT_BUG)
    if code == EXIT_INTERRUPTED:  # what Ctrl-C becomes on its way through typer
        _line("interrupted; what was reported done is done")
    sys.exit(code if isinstance(code, int) else 0)


def _reported(error: VcError, *, as_json: bool, told: Told) -> int:
    try:
        code = report(error, as_json=as_json, told=told)
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_writing()
        code = error.exit_code
    return code


def _stop_writing() -> None:
    """The reader of our output has seen enough (``| head``); what Python still holds back must not fail at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report(error: VcError, *, as_json: bool, told: Told = lambda _: ()) -> int:
    """Print an error as one line on stderr, or with ``--json`` as one object on stdout; its exit code."""
    if as_json:
        print_json({"error": problem(error)})
    elif lines := told(error):
        for line in lines:
            _line(line)
    elif isinstance(error, Rejected):
        for finding in error.findings:
            _line(f"refused: {finding.message} [{finding.code}]")
    else:
        _line(f"{error} [{error.code}]")
    return error.exit_code


def problem(error: VcError) -> dict[str, Json]:
    """An error as problem details (RFC 9457)."""
    details: dict[str, Json] = {
        "type": "about:blank",
        "title": type(error).__name__,
        "status": error.http_status,
        "code": error.code,
        "detail": _short(str(error)),
    }
    if isinstance(error, Rejected):
        details["findings"] = [
            {"code": finding.code, "message": finding.message, "where": finding.where} for finding in error.findings
        ]
    return details


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on stdout, for scripts."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def say(text: str) -> None:
    """A line for a person, on stdout."""
    sys.stdout.write(text + "\n")


def show(document: Mapping[str, Any], *, as_json: bool, text: Callable[[], str]) -> None:
    """The outcome of a command: the document for scripts, or the text for people."""
    if as_json:
        print_json(document)
    else:
        say(text())


def _usage(error: typer.TyperException, *, as_json: bool) -> int:
    if as_json:
        print_json(
            {
                "error": {
                    "type": "about:blank",
                    "title": "Usage",
                    "status": 400,
                    "code": "USAGE",
                    "detail": _short(error.format_message()),
                }
            }
        )
    else:
        _line(f"{error.format_message()} (see --help)")
    return 2


def _line(text: str) -> None:
    sys.stderr.write(f"ouvrage: {_short(text)}\n")


def _short(text: str) -> str:
    """One printable line: a hostile name in a message must not move the cursor or fill the screen."""
    line = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return line if len(line) <= MAX_MESSAGE else f"{line[:MAX_MESSAGE]}…"
