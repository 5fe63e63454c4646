"""The pages say what is true now."""

import re
from pathlib import Path

import pytest

from docs.make_statements import PAGE, page
from tests.cli import ROOT, ouvrage

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_table_of_statements_is_made_from_the_schemas() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.make_statements"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_file_that_a_page_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:docs|vc|work|issuer|wallet|verifier|bench|examples|tests)/[\w./-]*\w)`", text):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("service", ["issuer", "wallet", "verifier"])
def test_every_command_that_a_page_names_exists(service: str, tmp_path: Path) -> None:
    helped = ouvrage(tmp_path, service, "--help").out
    named = {
        command
        for path in PAGES
        for command in re.findall(rf"ouvrage {service} ([a-z-]+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert all(re.search(rf"[│|]\s*{command}\b", helped) for command in named), (named, helped)


def test_every_standard_has_its_line() -> None:
    text = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 10
    assert all(line.count(" | ") == 1 for line in rows)
