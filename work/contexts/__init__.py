"""The JSON-LD contexts of the vocabulary, shipped with the package, pinned by hash and never fetched.

There are two, which agree in the terms that both have: Open Badges gives meanings of its own to words of the first, so
that its credentials (Qualification) take the second.
"""

from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from vc.contexts import W3C
from vc.errors import Malformed
from vc.jsonld import Contexts

CREDENTIALS_URL: Final = "https://www.w3.org/ns/credentials/v2"
URL: Final = "https://w3id.org/ouvrage/v1"
QUALIFICATION_URL: Final = "https://w3id.org/ouvrage/v1/qualification"
OPEN_BADGES_URL: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

# Signatures mean what these files say: they never change. A new version gets a new URL and a new file.
PIN: Final = "b05ef0a8af0452f38801ddce00f7b7db204cb425bc3babb747cf55178f8b900d"
QUALIFICATION_PIN: Final = "2ff4c6679cc5a964c960d553b0307ef72ce7abf7bf226bde6bd6b61558426524"


def _pinned(url: str, name: str, pin: str) -> bytes:
    raw = files("work").joinpath("contexts", name).read_bytes()
    if sha256(raw).hexdigest() != pin:
        raise Malformed(url, "the shipped context is not the pinned one", code="BAD_CONTEXT")
    return raw


RAW: Final = MappingProxyType(
    {
        URL: _pinned(URL, "ouvrage-v1.jsonld", PIN),
        QUALIFICATION_URL: _pinned(QUALIFICATION_URL, "ouvrage-v1-qualification.jsonld", QUALIFICATION_PIN),
    }
)
CONTEXTS: Final[Contexts] = W3C.with_(dict(RAW))
