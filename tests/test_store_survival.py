"""Kills at random instants: what was reported done is there, and nothing is there twice.

A few rounds; ``python -m tests.survival --rounds 100`` is the long run.
"""

import random
from pathlib import Path

import pytest

from tests.survival import killable_postgres, survive_killed_servers, survive_killed_writers

ROUNDS = 5


def test_a_killed_writer_leaves_a_file_with_all_that_it_reported(tmp_path: Path) -> None:
    assert survive_killed_writers(tmp_path / "issuer.db", ROUNDS, random.Random()).copies


def test_a_killed_server_and_killed_writers_lose_nothing() -> None:
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    with killable_postgres() as (server, url):
        assert survive_killed_writers(url, ROUNDS, random.Random()).copies
        assert survive_killed_servers(server, url, ROUNDS, random.Random()).copies
