"""The integrity of related resources (vc-data-model-2.0#integrity-of-related-resources): digests compared.

A resource that is not held here cannot be compared, and nothing is fetched: its digests are for whoever uses it.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256, sha384, sha512
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.contexts import SERVED
from vc.errors import Finding, Malformed, Rejected
from vc.jsonld import Contexts
from vc.model import DIGESTS, Object
from vc.multibase import decode_base64url, decode_multibase

MAX_DIGESTS: Final = 8  # of one resource; there are three hashes, each in two spellings

_SRI: Final = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/_-]{1,90})={0,2}(?:\?[!-~]*)?\Z")
_LENGTHS: Final[Mapping[str, int]] = MappingProxyType({"sha256": 32, "sha384": 48, "sha512": 64})
# Multihash: code and length before the digest. W3C's own examples and tests have digests without it too.
_MULTIHASH: Final[Mapping[bytes, int]] = MappingProxyType({b"\x12\x20": 32, b"\x20\x30": 48, b"\x13\x40": 64})


def check_resources(document: Object, contexts: Contexts) -> None:
    """Raise :class:`Rejected` where a credential, already parsed, states another digest of a context that is held.

    Raises :class:`Malformed` for what is no digest, of whatever resource.
    """
    stated = document.get("relatedResource", [])
    several = isinstance(stated, list)
    for number, resource in enumerate(stated if isinstance(stated, list) else [stated]):
        assert isinstance(resource, dict)  # vc.model has seen to it
        where = f"/relatedResource/{number}" if several else "/relatedResource"
        url = str(resource.get("id"))
        wanted = frozenset(digests_of(resource, where))
        if url in contexts.raw and not wanted <= _held(url, contexts):
            raise Rejected((Finding("RESOURCE_MISMATCH", "states a digest that this resource does not have", where),))


def digests_of(resource: Object, where: str) -> Iterator[str]:
    """Each digest that a related resource states, in hexadecimal: its length tells its hash."""
    for name, read in zip(DIGESTS, (_sri, _multibase), strict=True):
        value: Json = resource.get(name, [])
        texts = value if isinstance(value, list) else [value]
        if len(texts) > MAX_DIGESTS:
            raise Malformed(f"{where}/{name}", f"more than {MAX_DIGESTS}", code="TOO_LARGE")
        for text in texts:
            yield read(str(text), f"{where}/{name}").hex()


def _sri(text: str, where: str) -> bytes:
    """Subresource Integrity §3.5. Its base64 is the standard one; credentials also have it in the alphabet for URLs."""
    match = _SRI.match(text)
    digest = decode_base64url(match[2].replace("+", "-").replace("/", "_"), where=where) if match else b""
    if not match or len(digest) != _LENGTHS[match[1]]:
        raise Malformed(where, "not a digest such as sha384-…", code="BAD_DIGEST")
    return digest


def _multibase(text: str, where: str) -> bytes:
    """vc-data-integrity#resource-integrity"""
    data = decode_multibase(text, where=where)
    if _MULTIHASH.get(data[:2]) == len(data) - 2:
        return data[2:]
    if len(data) not in _MULTIHASH.values():
        raise Malformed(where, "not a digest of SHA-256, SHA-384 or SHA-512", code="BAD_DIGEST")
    return data


def _held(url: str, contexts: Contexts) -> frozenset[str]:
    own = frozenset(hashed(contexts.raw[url]).hexdigest() for hashed in (sha256, sha384, sha512))
    return own.union(SERVED.get(url, ()))
