"""The running service is killed under wallets that fetch: what they were told is on record, and nothing is there twice.

A few rounds, ``--rounds 100`` for many; ``python -m tests.survival_service --rounds 100`` is the long run.
"""

import random
from pathlib import Path

import pytest

from tests.survival_service import survive_postgresql, survive_sqlite


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--rounds"))


def test_killed_replicas_over_a_file(tmp_path: Path, rounds: int) -> None:
    assert survive_sqlite(tmp_path, rounds, random.Random()).copies


def test_killed_replicas_and_a_killed_server(tmp_path: Path, rounds: int) -> None:
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    assert survive_postgresql(tmp_path, rounds, random.Random()).copies
