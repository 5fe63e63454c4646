"""Fixtures and options that many tests share."""

import pytest

from tests.browser import chromium
from tests.databases import database, database_address, postgres_database, postgres_server, postgres_template

__all__ = ["chromium", "database", "database_address", "postgres_database", "postgres_server", "postgres_template"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rounds 100``: how often the tests of survival kill what they test."""
    parser.addoption("--rounds", type=int, default=3, help="how often the tests of survival kill")
