"""Who has to vouch for an issuer, as a query says it (OID4VP §6.1.1), against what a credential carries itself.

``aki`` is matched by the certificates in an SD-JWT's header. An ``etsi_tl`` or ``openid_federation`` would need lists
from elsewhere, which nothing here fetches: they match no credential, and neither does a type that is not known.
"""

from collections.abc import Mapping
from typing import Final

from vc.canon import Json
from vc.errors import VcError
from vc.jose import parse_jws
from vc.oid4vp import CredentialQuery
from vc.x5c import authority_key_ids, parse_x5c

AKI: Final = "aki"


def is_trusted(query: CredentialQuery, document: Mapping[str, Json] | str) -> bool:
    """Whether a credential, JSON or the text of an SD-JWT, matches one of the authorities; true where none is named.

    Not a security verdict: whether an issuer is to be trusted is for the verifier to find out.
    """
    if not query.authorities:
        return True
    wanted = {value for authority in query.authorities if authority.type == AKI for value in authority.values}
    return bool(wanted) and isinstance(document, str) and not wanted.isdisjoint(_certified_by(document))


def _certified_by(text: str) -> frozenset[str]:
    try:
        header = parse_jws(text.partition("~")[0]).header
        return authority_key_ids(parse_x5c(header["x5c"])) if "x5c" in header else frozenset()
    except VcError:
        return frozenset()
