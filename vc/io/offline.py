"""Shutting the network for the rest of a process.

``verifier check`` calls :func:`forbid_network` before it reads anything: that verification needs no network is then
not a promise but an error if it were false. An audit hook cannot be removed again.
"""

import sys
from typing import Final

NETWORK_EVENTS: Final = frozenset(
    {
        "socket.__new__",
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
    }
)


class NetworkForbidden(RuntimeError):
    """Something tried to open a socket in a process that must not."""


def forbid_network() -> None:
    """Make every attempt of this process to use a socket raise :class:`NetworkForbidden`, from now to its end."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: object) -> None:
    if event in NETWORK_EVENTS:
        raise NetworkForbidden(f"{event} is forbidden: verification never touches the network")
