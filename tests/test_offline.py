"""Verification reaches no network: a socket is an error, and a namespace without interfaces is enough."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from issuer.formats import Format
from tests.cli import ROOT
from tests.line import AT, entry, issuer_keys
from tests.test_batch import asking
from tests.test_faults import RULES, bits, perfect_answer, token
from tests.trust_lists import AT as PUBLISHED
from tests.trust_lists import Union
from vc.canon import to_json
from verifier.trust_publisher import Mirrored, write_zip


def python(code: str, *prefix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*prefix, sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "socket.gethostbyname('localhost')",
        "urllib.request.urlopen('http://127.0.0.1:9')",
        "asyncio.run(asyncio.open_connection('127.0.0.1', 9))",
    ],
)
def test_a_socket_is_an_error(attempt: str) -> None:
    done = python(
        "import asyncio, socket, urllib.request\nfrom vc.io.offline import forbid_network\nforbid_network()\n" + attempt
    )
    assert done.returncode == 1
    assert "NetworkForbidden" in done.stderr


def test_nothing_is_forbidden_before() -> None:
    assert python("import socket\nimport vc.io.offline\nsocket.socket().close()").returncode == 0


CHECK = """
import socket
from tests.line import checked, good
assert [name for _, name in socket.if_nameindex()] in (["lo"], []), "this process sees a network"
assert checked(good()).credentials[0].claims["averageAtLeast12m"] == ["001500"]
"""


def without_interfaces() -> tuple[str, ...]:
    """What a command starts with to run in a network namespace of its own; skips where there is none."""
    unshare = shutil.which("unshare")
    for prefix in ((unshare, "--net"), (unshare, "--user", "--map-root-user", "--net")):
        if unshare and subprocess.run([*map(str, prefix), "true"], capture_output=True, check=False).returncode == 0:
            return tuple(map(str, prefix))
    pytest.skip("no network namespaces here: they need Linux with unshare (package util-linux) and the right to use it")


def test_the_whole_check_runs_in_a_namespace_without_interfaces() -> None:
    done = python(CHECK, *without_interfaces())
    assert done.returncode == 0, done.stderr


COMMANDS = """
import json, socket, sys
from contextlib import redirect_stdout
from io import StringIO
assert [name for _, name in socket.if_nameindex()] in (["lo"], []), "this process sees a network"
from ouvrage.__main__ import main

def ouvrage(*words):
    sys.argv = ["ouvrage", "verifier", *words, "--json"]
    said, code = StringIO(), 0
    with redirect_stdout(said):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert code == 0, (words, code, said.getvalue())
    return json.loads(said.getvalue())

at = ("--at", "2026-11-24")
synced = ouvrage("sync", "union.zip", "--trust", "held", "--fingerprint", FINGERPRINT, *at)
assert (synced["issuers"], synced["statusLists"]) == (1, 4), synced
for form in FORMATS:
    policy = ("--policy", "policy.toml", "--html", f"{form}.html", "--evidence", f"{form}.zip", *PDF)
    report = ouvrage("check", f"{form}.answer", "--request", f"{form}.request", "--trust", "held", *policy, *at)
    assert (report["standing"], report["decision"]["outcome"]) == ("validAsOf", "met"), report
    again = ouvrage("evidence", f"{form}.zip", "--trust", "held")
    assert (again["checkedAgain"], again["unknownKeys"]) == (True, [])
"""


def test_every_format_with_a_synced_list_a_policy_a_pdf_and_evidence_needs_no_network(tmp_path: Path) -> None:
    prefix, union = without_interfaces(), Union(tmp_path / "union")
    union.publisher.add(to_json({"issuer": entry(issuer_keys())}), mirror=(), at=PUBLISHED)
    lists = [
        Mirrored(one["url"], "token", AT, one["token"].encode())
        if "token" in one
        else Mirrored(one["url"], "credential", AT, to_json(one["credential"]))
        for one in (bits("revocation"), bits("suspension"), bits("message"), token())
    ]
    fingerprint = union.publish(*lists)
    write_zip(union.out, tmp_path / "union.zip")
    (tmp_path / "policy.toml").write_text(RULES)
    for form in Format:
        (tmp_path / f"{form}.answer").write_text(perfect_answer(form))
        (tmp_path / f"{form}.request").write_bytes(to_json(asking(form)))
    pdf = ("--pdf", "report.pdf") if has_pdf() else ()
    code = f"FINGERPRINT, PDF, FORMATS = {fingerprint!r}, {pdf!r}, {[str(form) for form in Format]!r}\n{COMMANDS}"
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OUVRAGE_HOME": str(tmp_path / "home")},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not pdf or (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def has_pdf() -> bool:
    """Whether the extra for PDF is here, with what it needs of the system."""
    try:
        import weasyprint  # noqa: F401, PLC0415
    except (ImportError, OSError):
        return False
    return True
