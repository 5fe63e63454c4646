"""The published contexts that every credential needs, shipped with the package and never fetched.

They are the files of npm packages (``LICENSES.md`` names them), equal as JSON to what the URLs serve; their white space
may differ, so a digest of the served bytes is not one of these. The pins are of the bytes here: a file that was changed
after it was reviewed is not loaded.
"""

from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from vc.errors import Malformed
from vc.jsonld import Contexts

PINS: Final = MappingProxyType(
    {
        "https://www.w3.org/2018/credentials/v1": (
            "credentials-v1.jsonld",
            "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
        ),
        "https://www.w3.org/ns/credentials/v2": (
            "credentials-v2.jsonld",
            "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f",
        ),
        "https://www.w3.org/ns/credentials/undefined-terms/v2": (
            "undefined-terms-v2.jsonld",
            "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
        ),
        "https://w3id.org/security/data-integrity/v1": (
            "data-integrity-v1.jsonld",
            "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
        ),
        "https://w3id.org/security/data-integrity/v2": (
            "data-integrity-v2.jsonld",
            "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363",
        ),
        "https://www.w3.org/ns/did/v1": (
            "did-v1.jsonld",
            "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
        ),
        "https://w3id.org/security/multikey/v1": (
            "multikey-v1.jsonld",
            "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6",
        ),
        "https://w3id.org/security/suites/ed25519-2020/v1": (
            "ed25519-signature-2020-v1.jsonld",
            "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
        ),
        "https://w3id.org/vdl/v1": (
            "vdl-v1.jsonld",
            "5e61aa138bc6a1bf92299edd01408df52f20c24057b9dbea72ccaeef5b792010",
        ),
    }
)
"""URL to file name and SHA-256."""


def _pinned(url: str, name: str, pin: str) -> bytes:
    raw = files(__name__).joinpath(name).read_bytes()
    if sha256(raw).hexdigest() != pin:
        raise Malformed(name, f"is not the reviewed context {url}", code="BAD_CONTEXT")
    return raw


W3C: Final = Contexts.of({url: _pinned(url, name, pin) for url, (name, pin) in PINS.items()})
