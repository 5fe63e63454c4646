"""``python -m bench.attest ROWS``: from a Parquet file of so many jobs to stored statements, in a process of its own.

The jobs are made up by the database, the same for everybody: 200 for each worker on average, over 24 months, each with
its hours and its pay, in no order of workers.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from tests.cli import ouvrage

JOBS_EACH: Final = 200
MEMORY: Final = 4096  # MiB that no export may take us beyond
RATIO: Final = 400  # a bare GROUP BY reads a few columns and keeps nothing
SIZES: Final = (1_000_000, 10_000_000)
_TIMES: Final = f"{'rows/s':>10} {'seconds':>8} {'MiB':>6} {'floor s':>8} {'ratio':>7} {'limit':>6}"
HEAD: Final = f"{'attest, from Parquet to stored statements':<44} {_TIMES}"


@dataclass(frozen=True, slots=True)
class Attested:
    """One line of the table; ``floor`` is what the bare query took."""

    rows: int
    workers: int
    statements: int
    seconds: float
    memory: float
    floor: float

    @property
    def kept(self) -> bool:
        return self.memory <= MEMORY and self.seconds <= RATIO * self.floor

    def text(self) -> str:
        name = f"{self.rows} rows, {self.workers} workers, {self.statements} statements"
        return (
            f"{name:<44} {self.rows / self.seconds:>10.0f} {self.seconds:>8.1f} {self.memory:>6.0f}"
            f" {self.floor:>8.2f} {self.seconds / self.floor:>7.1f} {RATIO:>6}"
        )


def generate(path: Path, rows: int) -> None:
    """Write the file: everything in it follows from the number of the row."""
    workers = rows // JOBS_EACH
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        connection.execute(f"""COPY (
            SELECT 'w' || lpad(CAST(hash(i) % {workers} AS VARCHAR), 9, '0') AS worker,
                   DATE '2024-11-01' + CAST(i * 730 // {rows} AS INTEGER) AS day, 'j' || i AS job,
                   CAST((5 + hash(i + 1) % 55) / 60.0 AS DECIMAL(9,4)) AS hours,
                   CAST((300 + hash(i + 2) % 3000) / 100.0 AS DECIMAL(9,2)) AS amount, 'EUR' AS currency
            FROM range({rows}) AS t(i)) TO '{path}' (FORMAT parquet)""")


def floor(path: Path) -> float:
    """Seconds that the database takes to add up hours and pay for each worker, and to throw the sums away."""
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as connection:
        start = time.perf_counter()
        connection.execute(f"""SELECT count(*), max(jobs), max(hours), max(amount) FROM (
            SELECT worker, count(*) AS jobs, sum(hours) AS hours, sum(amount) AS amount, min(day), max(day)
            FROM '{path}' GROUP BY worker)""").fetchall()
        return time.perf_counter() - start


def measure(rows: int, folder: Path) -> Attested:
    """Generate, attest with the command that a platform runs, and compare."""
    path = folder / f"{rows}.parquet"
    generate(path, rows)
    bare = min(floor(path) for _ in range(3))
    start = time.perf_counter()
    done = ouvrage(folder, "issuer", "attest", "--profile", "records", "--json", path)
    seconds = time.perf_counter() - start
    statements = done.json["reconciliation"]["statements"]
    return Attested(rows, statements["WorkHistory"], sum(statements.values()), seconds, done.memory, bare)


def results(sizes: tuple[int, ...] = SIZES) -> Iterator[Attested]:
    """Measure exports of these sizes; their files are gone at the end."""
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            yield measure(rows, Path(name))


def main(arguments: list[str]) -> int:
    """Print one line for each number of rows; the exit code says whether memory and ratio are within their limits."""
    sys.stdout.write(HEAD + "\n")
    kept = True
    for one in results(tuple(map(int, arguments)) or SIZES):
        sys.stdout.write(one.text() + ("" if one.kept else "   over its limit") + "\n")
        sys.stdout.flush()
        kept = kept and one.kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
