"""Answers one question with ``didkit``, in a process of its own: one line of JSON in, one line out, and gone.

Run by its path and in isolated mode: nothing of ours is imported here. ``didkit`` is Rust with threads of its own. It
would ask the network about some DIDs, no audit hook of Python sees that, and it can crash while the interpreter ends.
So this process gives up what it could open a socket with, and leaves without a goodbye.
"""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final, NoReturn

MAX_LINE: Final = 4 << 20  # bytes; twice what the asker sends at most
MAX_MEMORY: Final = 2 << 30  # bytes of addresses, most of them for stacks that are never touched
MAX_SECONDS: Final = 10  # of all processors together
MAX_ERROR: Final = 400  # characters of a message

# Resolved to start the runtime: its own sockets and threads are there before the door is shut.
WARM_UP: Final = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


def main() -> NoReturn:
    """Answer, and end the process without running anything that wants to run at the end of one."""
    told = json.dumps(answer(sys.stdin.buffer.readline(MAX_LINE)))
    sys.stdout.write(told + "\n")
    sys.stdout.flush()
    os._exit(0)


def answer(line: bytes) -> dict[str, Any]:
    """What ``didkit`` says to one question; ``missing`` where it is not there to ask."""
    if _installed("openedx-didkit"):  # another library under the same name
        return {"missing": "openedx-didkit is installed, and in the way"}
    try:
        import didkit  # noqa: PLC0415  (an optional extra)
    except ImportError:
        return {"missing": "not installed"}
    question = json.loads(line)
    verify = {"credential": didkit.verify_credential, "presentation": didkit.verify_presentation}[question["kind"]]
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_call(didkit.resolve_did, WARM_UP, "{}"))
    _shut_the_door()
    document, options = json.dumps(question["document"]), json.dumps(question["options"])
    try:
        verdict = json.loads(loop.run_until_complete(_call(verify, document, options)))
    except Exception as error:  # noqa: BLE001  (whatever it raises, it has not verified)
        return {"checks": [], "warnings": [], "errors": [str(error)[:MAX_ERROR]]}
    return {name: [str(text)[:MAX_ERROR] for text in verdict[name]] for name in ("checks", "warnings", "errors")}


async def _call(function: Callable[[str, str], Awaitable[str]], first: str, second: str) -> str:
    """``didkit`` wants a loop to be running when it is called, not only when its answer is awaited."""
    return await function(first, second)


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _shut_the_door() -> None:
    """No new file descriptor: no socket, no file. No long computation, no memory without end, no core dump."""
    for kind, limit in (
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
