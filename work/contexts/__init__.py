"""The JSON-LD context of the vocabulary, shipped with the package, pinned by hash and never fetched."""

from hashlib import sha256
from importlib.resources import files
from typing import Final

from vc.contexts import W3C
from vc.errors import Malformed
from vc.jsonld import Contexts

CREDENTIALS_URL: Final = "https://www.w3.org/ns/credentials/v2"
URL: Final = "https://w3id.org/ouvrage/v1"
RAW: Final = files("work").joinpath("contexts", "ouvrage-v1.jsonld").read_bytes()
# Signatures mean what this file says: it never changes. A new version gets a new URL and a new file.
PIN: Final = "093b88914b9d0bd2e8018588b25f678c81dd88efdb54eecab32185b12229a396"

if sha256(RAW).hexdigest() != PIN:
    raise Malformed(URL, "the shipped context is not the pinned one", code="BAD_CONTEXT")

CONTEXTS: Final[Contexts] = W3C.with_({URL: RAW})
