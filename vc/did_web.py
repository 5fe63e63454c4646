"""did:web and the web addresses of did:webvh: from a DID to the https URL of its document. Nothing here fetches."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from vc.errors import Malformed

MAX_HOST: Final = 253  # RFC 1035 §2.3.4, as text

_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
_AUTHORITY: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+)(?:%3[Aa](?P<port>[1-9][0-9]{0,4}))?\Z")
_WEBVH: Final = re.compile(r"did:webvh:(?P<scid>[1-9A-HJ-NP-Za-km-z]{46}):(?P<rest>.+)\Z")
_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+\Z")  # idchar of did-core#did-syntax


def did_web_url(did: str) -> str:
    """The https URL of a did:web's document (did-method-web#read-resolve). Raises :class:`Malformed`."""
    return f"{_location(did, 'did:web:')}/did.json"


def did_webvh_urls(did: str) -> tuple[str, str]:
    """The https URLs of a did:webvh's log and of its witness proofs (did:webvh 1.0, The DID to HTTPS Transformation).

    Raises :class:`Malformed`.
    """
    folder = _location(f"did:webvh:{split_did_webvh(did)[1]}", "did:webvh:")
    return f"{folder}/did.jsonl", f"{folder}/did-witness.json"


def split_did_webvh(did: str) -> tuple[str, str]:
    """The SCID of a did:webvh and what follows it (did:webvh 1.0, Method-Specific Identifier).

    Raises :class:`Malformed`.
    """
    match = _WEBVH.match(did)
    if match is None:
        raise _bad("not a did:webvh")
    return match["scid"], match["rest"]


def _location(did: str, prefix: str) -> str:
    if not did.startswith(prefix):
        raise _bad(f"not a {prefix.rstrip(':')}")
    authority, *segments = did.removeprefix(prefix).split(":")
    for segment in segments:
        _check_segment(segment)
    return "/".join(("https:/", _authority(authority), *(segments or [".well-known"])))


def _authority(text: str) -> str:
    """``host`` or ``host:port``; the colon is percent-encoded in the DID."""
    match = _AUTHORITY.match(text)
    if match is None or len(text) > MAX_HOST:
        raise _bad("the host is not a domain name, in ASCII, with or without a port")
    host, port = match["host"], match["port"]
    _check_host(host)
    if port is None:
        return host
    if int(port) > 65535:
        raise _bad("no such port")
    return f"{host}:{port}"


def _check_host(host: str) -> None:
    """did-method-web#method-specific-identifier: a fully qualified domain name, no IP address.

    ``localhost`` is let through for those who develop: whether an address may be fetched is decided where it is.
    """
    labels = host.split(".")
    if not all(_LABEL.match(label) for label in labels) or (len(labels) < 2 and host != "localhost"):
        raise _bad("the host is not a domain name")
    if labels[-1][0].isdigit():  # URL parsers take 127.1 and 0x7f000001 for IPv4; no top-level domain starts so
        raise _bad("the host is an IP address")


def _check_segment(segment: str) -> None:
    if not _SEGMENT.match(segment):
        raise _bad("a part of the path is not in the characters of a DID")
    decoded = unquote_to_bytes(segment)
    if decoded in (b".", b"..") or any(byte in decoded for byte in (b"/", b"\\", b"\0")) or decoded != decoded.strip():
        raise _bad("a part of the path would lead elsewhere")


def _bad(why: str) -> Malformed:
    return Malformed("DID", why, code="BAD_METHOD")
