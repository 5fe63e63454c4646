"""The formats that a statement is issued in, and the names that OpenID4VCI knows them by."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from vc.multibase import encode_base64url
from work.types import TYPES, StatementType


class Format(StrEnum):
    """How a copy is signed."""

    BBS = "bbs-2023"  # ldp_vc: selective and unlinkable; short-lived, without a status
    ECDSA_SD = "ecdsa-sd-2023"  # ldp_vc: selective, for hardware keys; with a status
    SD_JWT = "sd-jwt"  # dc+sd-jwt: for EU wallets; with a status


CREDENTIAL_FORMAT: Final[Mapping[Format, str]] = MappingProxyType(
    {Format.BBS: "ldp_vc", Format.ECDSA_SD: "ldp_vc", Format.SD_JWT: "dc+sd-jwt"}
)
HAS_STATUS: Final = frozenset({Format.ECDSA_SD, Format.SD_JWT})


@dataclass(frozen=True, slots=True)
class Configuration:
    """One of ``credential_configurations_supported`` (OpenID4VCI §12.2.4): a statement type in a format.

    Its id is the value of ``scope`` too.
    """

    kind: StatementType
    format: Format

    @property
    def id(self) -> str:
        """For example ``Earnings_bbs-2023``: every character may stand in a scope and in a URL."""
        return f"{self.kind.name}_{self.format}"


CONFIGURATIONS: Final[Mapping[str, Configuration]] = MappingProxyType(
    {
        made.id: made
        for kind in TYPES.values()
        if kind.signer == "issuer" and kind.about == "worker"
        for form in Format
        for made in (Configuration(kind, form),)
    }
)


def dataset_id(*, source: str, worker: str, kind: str, topic: str) -> str:
    """The name of what one statement is about, kept when a newer statement takes its place.

    A ``credential_identifier`` (OpenID4VCI §6.2) is this behind the id of a configuration, with a colon between.
    """
    return encode_base64url(sha256("\0".join((source, worker, kind, topic)).encode()).digest()[:16])
