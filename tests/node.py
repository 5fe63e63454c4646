"""Programs by other hands, over packages of tests/npm, that the tests run beside ours."""

import json
import shutil
import subprocess
from typing import Any, Final

import pytest

from tests.cli import ROOT

FOLDER: Final = ROOT / "tests" / "npm"


def node(task: str, **job: Any) -> dict[str, Any]:
    """The answer of tests/npm/protocol.mjs to a task. Skips where it cannot run."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (FOLDER / "node_modules" / "@openid4vc").is_dir():
        pytest.skip("no packages in tests/npm: run npm install there")
    done = subprocess.run(
        ["node", "--preserve-symlinks", "protocol.mjs"],  # the packages may be linked in from elsewhere
        cwd=FOLDER, input=json.dumps({"task": task, **job}), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
