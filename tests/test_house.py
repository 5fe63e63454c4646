"""The rules of the house, checked: layers, purity, sizes, lint, types, dependencies."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("vc", "work", "issuer", "wallet", "verifier", "ouvrage")
MAY_IMPORT = {
    "vc": {"vc"},
    "work": {"work", "vc"},
    "issuer": {"issuer", "work", "vc"},
    "wallet": {"wallet", "work", "vc"},
    "verifier": {"verifier", "work", "vc"},
    "ouvrage": set(PACKAGES),
}
IMPURE = {
    "aiohttp",
    "asyncio",
    "sqlite3",
    "socket",
    "logging",
    "time",
    "random",
    "secrets",
    "subprocess",
    "tempfile",
    "threading",
    "multiprocessing",
    "typer",
    "click",
    "rich",
    "os",
    "sys",
}
MAX_FUNCTION = 60
MAX_MODULE = 450


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or ""


def test_imports_go_one_way() -> None:
    breaches = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        for name in imports(path)
        if name.partition(".")[0] in PACKAGES
        and name.partition(".")[0] not in MAY_IMPORT[path.relative_to(ROOT).parts[0]]
    ]
    assert breaches == []


def test_pure_code_imports_nothing_impure() -> None:
    pure = [
        path
        for path in modules()
        if path.relative_to(ROOT).parts[0] in ("vc", "work") and path.relative_to(ROOT).parts[:2] != ("vc", "io")
    ]
    assert len(pure) > 20
    breaches = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in pure
        for name in imports(path)
        if name.partition(".")[0] in IMPURE or name.startswith("vc.io")
    ]
    assert breaches == []


def calls(path: Path) -> Iterator[str]:
    """Everything that a module calls: functions by their name, methods by their name behind a point."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node.func.id if isinstance(node.func, ast.Name) else f".{getattr(node.func, 'attr', '')}"


def test_pure_code_reads_no_clock_no_chance_and_no_file() -> None:
    forbidden = {"open", ".now", ".utcnow", ".today", ".urandom", ".token_bytes", ".read_text", ".read_bytes"}
    shipped = {
        f"{name}.py"
        for name in (
            "vc/contexts/__init__",
            "work/contexts/__init__",
            "work/dictionary/__init__",
            "work/laws/__init__",
            "work/names",
            "work/purposes/__init__",
            "work/examples/__init__",
            "work/types",
            "work/vocabulary",
            "work/phrases",
        )
    }
    breaches = [
        f"{path.relative_to(ROOT)} calls {name}"
        for path in modules()
        for name in calls(path)
        if path.relative_to(ROOT).parts[0] in ("vc", "work")
        and path.relative_to(ROOT).parts[1] != "io"
        and name in forbidden
        and str(path.relative_to(ROOT)) not in shipped  # their own files, read once, when the package is imported
    ]
    assert breaches == []


def names(path: Path) -> Iterator[str]:
    """Everything that a module imports, down to the name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_is_asked_of_an_address_but_through_one_door() -> None:
    """vc.io.fetch checks where it goes. No other module can connect, except to what its operator names: a database,
    a key in a cloud; and the service asks only for its login and its webhook."""
    may_serve = {"aiohttp.web", "aiohttp.web.Application", "aiohttp.web.Request", "aiohttp.typedefs.Middleware"}
    clients = {
        "aiohttp",
        "socket",
        "urllib.request",
        "http.client",
        "ftplib",
        "smtplib",
        "requests",
        "httpx",
        "urllib3",
    }
    doors = {"vc/io/fetch.py": {"aiohttp", "socket"}, "vc/io/web.py": {"socket"}}  # the second one listens
    connecting = {".open_connection", ".create_connection", ".open_unix_connection", ".urlopen", "ClientSession"}
    breaches, users = [], set()
    for path in modules():
        here = str(path.relative_to(ROOT))
        for name in set(names(path)) - may_serve:
            found = [client for client in clients if name == client or name.startswith(f"{client}.")]
            if found and found[0] not in doors.get(here, ()):
                breaches.append(f"{here} imports {name}")
            if name.startswith(("vc.io.fetch", "vc.io.webhook")):
                users.add(here)
        breaches += [f"{here} calls {name}" for name in calls(path) if name in connecting]
    assert breaches == []
    assert {one for one in users if one.startswith("issuer/")} == {"issuer/upstream.py", "issuer/webhook.py"}


def test_functions_and_modules_stay_small() -> None:
    long = [
        f"{path.relative_to(ROOT)} has {lines} lines"
        for path in modules()
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_MODULE
    ]
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > MAX_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {size} lines")
    assert long == []


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_ruff() -> None:
    run("ruff", "check", ".")


def test_ruff_format() -> None:
    run("ruff", "format", "--check", ".")


def test_mypy() -> None:
    run("mypy")


def test_every_dependency_is_used_and_every_use_is_declared() -> None:
    run("deptry", ".")


def test_no_registry_host_and_no_path_of_a_machine_in_the_project() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: clone the project with git to run this test")
    listed = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    words = [
        b"pypi" + b".org",
        b"registry.npmjs" + b".org",
        b"files.python" + b"hosted",
        b"/ro" + b"ot/",
        b"/wo" + b"rk/ma",
    ]
    found = [
        f"{name}: {word.decode()}"
        for name in listed
        if name and (ROOT / name).is_file()
        for word in words
        if word in (ROOT / name).read_bytes()
    ]
    assert found == []
