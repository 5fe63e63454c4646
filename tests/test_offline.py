"""Verification reaches no network: a socket is an error, and a namespace without interfaces is enough."""

import shutil
import subprocess
import sys

import pytest

from tests.cli import ROOT


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


def test_the_whole_check_runs_in_a_namespace_without_interfaces() -> None:
    unshare = shutil.which("unshare")
    for prefix in ((unshare, "--net"), (unshare, "--user", "--map-root-user", "--net")):
        if unshare and subprocess.run([*map(str, prefix), "true"], capture_output=True, check=False).returncode == 0:
            done = python(CHECK, *map(str, prefix))
            assert done.returncode == 0, done.stderr
            return
    pytest.skip("no network namespaces here: they need Linux with unshare (package util-linux) and the right to use it")
