"""Reading published vectors: JSON files, text files, and the contexts that they use beside the shipped ones."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.shared import shared_path
from vc.contexts import W3C
from vc.jsonld import Contexts

EXTRA_CONTEXTS = {
    "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2.jsonld",
    "https://www.w3.org/2018/credentials/examples/v1": "credentials-examples-v1.jsonld",
    "https://w3id.org/citizenship/v4rc1": "citizenship-v4rc1.jsonld",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-signature-2020-v1.jsonld",
    "https://w3id.org/vdl/v1": "vdl-v1.jsonld",
    "https://w3id.org/vdl/aamva/v1": "vdl-aamva-v1.jsonld",
}


def read(folder: Path, name: str) -> Any:
    """The value of a JSON vector."""
    return json.loads((folder / name).read_bytes())


def text(folder: Path, name: str) -> str:
    """The content of a text vector."""
    return (folder / name).read_text(encoding="utf-8")


@cache
def contexts() -> Contexts:
    """The shipped contexts and those that only vectors use."""
    folder = shared_path("vectors/contexts")
    return W3C.with_({url: (folder / name).read_bytes() for url, name in EXTRA_CONTEXTS.items()})
