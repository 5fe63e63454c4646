"""As whom the verifier asks (OpenID4VP §5.9): a name, and the key that stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from vc.canon import Json
from vc.client_id import DID, HASH, REDIRECT_URI, SAN_DNS, SUPPORTED
from vc.errors import Malformed, Unsupported
from vc.keys import Signer
from vc.x5c import certificate_hosts, certificate_thumbprint, parse_x5c
from verifier.keys import Keys

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Identity:
    """``client_id`` is empty where each request has its own: ``redirect_uri`` names the address of its answer, and
    nobody signs it. ``header`` names the key in what is signed."""

    prefix: str
    client_id: str
    header: Mapping[str, Json]
    key: Signer = field(repr=False)

    @property
    def signs(self) -> bool:
        """Whether requests are signed, and so can be fetched (OID4VP §5.9.3)."""
        return self.prefix != REDIRECT_URI

    def of(self, response_uri: str) -> str:
        """The client_id of a request whose answer goes to ``response_uri``."""
        return self.client_id or f"{REDIRECT_URI}:{response_uri}"


def identify(keys: Keys, base: str, prefix: str = AUTO) -> Identity:
    """The identity of a service at ``base``: by a certificate where there is one, and otherwise by a DID.

    ``x509_san_dns`` needs a certificate for the host of ``base``. Raises :class:`Malformed`.
    """
    if prefix == AUTO:
        prefix = _best(keys, base)
    if prefix not in SUPPORTED:
        raise Unsupported("client identifier", f"{prefix[:60]}: one of {', '.join(SUPPORTED)}", code="BAD_CLIENT")
    if prefix == REDIRECT_URI:
        return Identity(prefix, "", {}, keys.signing)
    if prefix == DID:
        method = keys.signing.verification_method
        return Identity(prefix, f"{DID}:{method.partition('#')[0]}", {"kid": method}, keys.signing)
    if not keys.x5c:
        raise Malformed("--client", f"{prefix} needs a certificate: ouvrage verifier keys certify", code="BAD_CLIENT")
    if prefix == SAN_DNS and _host(base) not in _hosts(keys):
        why = f"the certificate is for {', '.join(sorted(_hosts(keys))) or 'no host'}, and not for {_host(base)}"
        raise Malformed("--client", why, code="BAD_CLIENT")
    name = _host(base) if prefix == SAN_DNS else certificate_thumbprint(parse_x5c(list(keys.x5c))[0])
    return Identity(prefix, f"{prefix}:{name}", {"x5c": list[Json](keys.x5c)}, keys.signing)


def _best(keys: Keys, base: str) -> str:
    if not keys.x5c:
        return DID
    return SAN_DNS if _host(base) in _hosts(keys) else HASH


def _host(base: str) -> str:
    return (urlsplit(base).hostname or "").lower()


def _hosts(keys: Keys) -> frozenset[str]:
    return certificate_hosts(parse_x5c(list(keys.x5c))[0])
