"""docs/library.md runs, and has an example of every public name of the library."""

import os
import re
import subprocess
import sys
from pathlib import Path

import vc
from tests.cli import ROOT

PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
CODE = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))


def test_every_public_name_has_an_example() -> None:
    assert 20 <= len(vc.__all__) <= 30
    assert [name for name in vc.__all__ if not re.search(rf"\b{name}\b", CODE)] == []


def test_every_public_name_is_documented() -> None:
    assert [name for name in vc.__all__ if not (getattr(vc, name).__doc__ or "").strip()] == []


def test_the_examples_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
