"""The published contexts that every credential needs, shipped with the package and never fetched.

They are files of npm packages (``LICENSES.md`` says which, and which one is not), equal as JSON to what the URLs serve;
their white space may differ, so a digest of the served bytes is not one of these. The pins are of the bytes here: a
file that was changed after it was reviewed is not loaded.
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
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": (
            "open-badges-3.0.3.jsonld",
            "88115d8e3c088bf2c83f68e6373027072ab9f3f83523a55b49d3605199d56413",
        ),
    }
)
"""URL to file name and SHA-256."""

EXAMPLE_PINS: Final = MappingProxyType(
    {
        "https://www.w3.org/ns/credentials/examples/v2": (
            "examples-v2.jsonld",
            "895d705429f42934c1568b13376dfcb1aec71e5a42add2b9bb0855dfb3bc2ff4",
        ),
        "https://w3id.org/citizenship/v4rc1": (
            "citizenship-v4rc1.jsonld",
            "a89b0bc00b1848ac3dfdf956c7dd5de8567e755351c07ec6a1c2b4a08b67953b",
        ),
        "https://w3id.org/vdl/aamva/v1": (
            "vdl-aamva-v1.jsonld",
            "8394e1f448f15c12b173b264a6f6006f85b343a81548f8e5f1a532bc258894e6",
        ),
    }
)
"""The same for contexts that only the specifications' examples use."""

SERVED: Final = MappingProxyType(
    {
        "https://www.w3.org/2018/credentials/v1": (
            "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
            "82c3b3eab863754bbfd2b9f17d8d6db9f61169f301cbf0b05e1fc4beb5f5c51dd4d2e888c274f49c3fbb2408f61faed1",
        ),
        "https://www.w3.org/ns/credentials/v2": (
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
            "97f1eb8e5042356c805fdd61afa2c557663785e0794dcafa21e138fd38def18cb360133c221aa31d6896a6bf3e65b614",
            # of the candidate recommendation: credentials of that time, and the W3C's test suite, name these
            "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9",
            "35239c36999d2155312091af194a1edb61634d6ad789a5e5b19f2aebdd762dd9d1dcaada40eda7ef921c6b8c0ae107a0",
        ),
        "https://w3id.org/security/data-integrity/v2": (
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
            "0ee2d7626717f8b07cd449b525d5e2b71fe27209fc99e53089e0169dd2944d793feea4526fc60bb9cca1cd96512391f6",
        ),
        "https://www.w3.org/ns/credentials/examples/v2": (
            "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
            "ccd35b4135824944a2d1b6f3edd6ee6be45c10dbfb0ba16f966609d58f88ef6ec7b0f387773c042cc60ef4ccfaf0cdba",
        ),
        "https://w3id.org/citizenship/v4rc1": (
            "5038c7383afd7ab2158f1b997913a8f60978a0abcf96e0b0d08e29f146d2db1e",
            "694d11903ad55bee8551d5cffb32492110f23164ecf29ad828a64260963483cc9ede95ebb739bfd54cf772e5b2a21133",
        ),
        "https://w3id.org/security/multikey/v1": (
            "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
            "0fa51641d12fb8c701b2e6a9492556f25d32bb4af84a96f11808f0a623b972434dd18a8f1f1865bc68d8ee046c4e5a3e",
        ),
    }
)
"""SHA-256 and SHA-384 of what a URL serves, where its white space is not that of the file here: what a credential has
to state as the digest of that resource (vc-data-model-2.0#integrity-of-related-resources)."""


def _pinned(url: str, name: str, pin: str) -> bytes:
    raw = files(__name__).joinpath(name).read_bytes()
    if sha256(raw).hexdigest() != pin:
        raise Malformed(name, f"is not the reviewed context {url}", code="BAD_CONTEXT")
    return raw


W3C: Final = Contexts.of({url: _pinned(url, name, pin) for url, (name, pin) in PINS.items()})
EXAMPLES: Final = Contexts.of({url: _pinned(url, name, pin) for url, (name, pin) in EXAMPLE_PINS.items()})
