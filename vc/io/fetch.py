"""One HTTP request to an address that somebody else may have chosen: bounded, and never to where it must not go.

The host is resolved once, every address that it has is checked, and the connection goes to one of those: a name that
points elsewhere a moment later changes nothing. No redirect is followed, no cookie kept, no proxy asked.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from vc.errors import Malformed, Undetermined

MAX_URL: Final = 2048
TIMEOUT: Final = 10.0  # seconds for all of it: somebody waits for the answer
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

_UNICAST: Final = IPv6Network("2000::/3")  # all that is given to the public internet
# 6to4 and Teredo (an IPv4 address in disguise), and what is for documentation
_NOT_PUBLIC: Final = tuple(map(IPv6Network, ("2002::/16", "2001::/32", "3fff::/20")))
_NAT64: Final = IPv6Network("64:ff9b::/96")
_METADATA: Final = frozenset({"fd00:ec2::254", "fd20:ce::254", "100.100.100.200"})  # of clouds; others are link-local
_OWN: Final = tuple(  # what an operator's own network may have
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128"),
    )
)

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status. The names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def system_resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as this machine resolves them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def fetch(
    url: str,
    *,
    limit: int,
    private: bool = False,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
    timeout: float = TIMEOUT,  # noqa: ASYNC109  (it bounds all of it, and gives our error)
    resolve: Resolve = system_resolve,
) -> Fetched:
    """The answer to one request, of at most ``limit`` bytes.

    ``private`` is the operator's word that the address may be one of their own network, or over plain HTTP on this
    machine. Raises :class:`Malformed` for an address that is refused and an answer that is too long, and
    :class:`Undetermined` where there is no answer.
    """
    target = _parse(url, private=private)
    host = str(target.raw_host)
    try:
        async with asyncio.timeout(timeout):
            addresses = await _permitted(target, resolve, private=private)
            return await _ask(target, addresses, method, body, headers, limit)
    except TimeoutError:
        raise Undetermined(f"{host} did not answer in time", "try again later", code="FETCH_TIMEOUT") from None
    except (aiohttp.ClientError, OSError):
        raise Undetermined(f"{host} could not be asked", "see that it runs, and try again", code="FETCH") from None
    except ValueError:  # a header with a line break in it, for one
        raise Malformed(host, "not a request that HTTP can carry", code="BAD_URL") from None


def may_connect(text: str, *, private: bool) -> bool:
    """Whether an address is one of the public internet, or with ``private`` one of an operator's own network."""
    address = _unwrapped(ip_address(text))
    if str(address) in _METADATA or address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    return _is_public(address) or (private and any(address in network for network in _OWN))


def _parse(url: str, *, private: bool) -> URL:
    schemes = ("https", "http") if private else ("https",)
    try:
        target = URL(url) if len(url) <= MAX_URL else URL()
        port = target.port
    except ValueError:
        target, port = URL(), None
    if target.scheme not in schemes or not target.raw_host or not port:
        raise Malformed("URL", f"not a URL that begins with {' or '.join(schemes)}://", code="BAD_URL")
    if target.raw_user is not None or target.raw_password is not None:
        raise Malformed("URL", "a URL with a user name or a password in it is not fetched", code="BAD_URL")
    return target


async def _permitted(target: URL, resolve: Resolve, *, private: bool) -> list[str]:
    host = str(target.raw_host)
    addresses = await resolve(host, int(target.port or 0))
    if not addresses:  # all([]) is True
        raise Undetermined(f"{host} has no address", "see that the name is right", code="FETCH")
    if not all(may_connect(one, private=private) for one in addresses):
        raise Malformed(host, "is at an address that must not be asked", code="FORBIDDEN_ADDRESS")
    if target.scheme == "http" and not all(_unwrapped(ip_address(one)).is_loopback for one in addresses):
        raise Malformed(host, "plain HTTP is for this machine only", code="FORBIDDEN_ADDRESS")
    return addresses


async def _ask(
    target: URL, addresses: list[str], method: str, body: bytes | None, headers: Mapping[str, str], limit: int
) -> Fetched:
    connector = aiohttp.TCPConnector(resolver=_Pinned(addresses), ssl=_tls(), use_dns_cache=False, force_close=True)
    sent = {"Accept-Encoding": "identity", **headers}  # no answer that grows when it is unpacked
    async with (
        aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
        ) as session,
        session.request(method, target, data=body, headers=sent, allow_redirects=False) as answer,
    ):
        raw = bytearray()
        async for piece in answer.content.iter_chunked(1 << 14):
            raw += piece
            if len(raw) > limit:
                raise Malformed(str(target.raw_host), f"the answer is longer than {limit} bytes", code="TOO_LARGE")
        return Fetched(answer.status, {name.lower(): value for name, value in answer.headers.items()}, bytes(raw))


class _Pinned(AbstractResolver):
    """Every name is at the addresses that were checked."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for one in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        return address.is_global and address in _UNICAST and not any(address in one for one in _NOT_PUBLIC)
    return address.is_global and not address.is_reserved
