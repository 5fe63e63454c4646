"""Published vectors and real exports live beside the clone, in ``../shared``; without them those tests are skipped."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_path(relative: str) -> Path:
    """The path of a shared file or folder; skips the calling test where it is not there."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"published vectors not found: put them at ../shared/{relative}", allow_module_level=True)
    return path
