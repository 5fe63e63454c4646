"""What tests of rides and deliveries share: small made-up files, and what an export becomes before it is stated."""

import importlib.util
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType

from issuer.attest import Attested, attest
from issuer.engine import database, run
from issuer.intake import Said, read_files
from issuer.profile import load_profile
from issuer.records import create
from work.statement import Claims

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def maker() -> ModuleType:
    """The script that writes the examples."""
    if "make_organised" not in sys.modules:
        spec = importlib.util.spec_from_file_location("make_organised", EXAMPLES / "make_organised.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules["make_organised"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["make_organised"])
    return sys.modules["make_organised"]


def write(folder: Path, files: Mapping[str, str | bytes]) -> list[Path]:
    """Files of an export."""
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return [folder / name for name in files]


def made(folder: Path, profile: str, files: Mapping[str, str | bytes], said: Said | None = None) -> Attested:
    """What an export of one worker becomes."""
    return attest(load_profile(profile), write(folder, files), worker="me", said=said)


def claims(attested: Attested, kind: str) -> Claims:
    """The claims of the one statement of that type."""
    (one,) = (statement for statement in attested.statements if statement.type == kind)
    return one.claims


def parts(folder: Path, profile: str, files: Mapping[str, str | bytes]) -> dict[str, Decimal]:
    """The money of Uber's payments by part, whatever statements make of it."""
    with database() as opened:
        read = load_profile(profile)
        create(opened.connection, read)
        read_files(opened, read, write(folder, files), "me", lambda _: None)
        sql = "SELECT part, sum(amount) FROM payment WHERE kind LIKE 'income%' GROUP BY part"
        return {str(part): Decimal(amount) for part, amount in run(opened.connection, sql)}


def figures(attested: Attested) -> dict[str, str]:
    """The figures of a reconciliation, by the first words of their labels."""
    return {label.split(" (")[0]: value for label, value in attested.reconciliation.figures}


def left_out(attested: Attested) -> dict[str, int]:
    """How many rows were left out, by reason."""
    return {lot.reason: lot.rows for lot in attested.reconciliation.left_out}
