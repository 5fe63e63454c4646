"""The certificates of wallet providers whose attestations count (OpenID4VCI appendices D and E)."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509

from vc.errors import Malformed
from vc.io.files import read_bounded

MAX_ROOTS: Final = 1 << 20


@lru_cache(maxsize=8)
def wallet_roots(paths: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    """The certificates of wallet providers in files. Raises :class:`Malformed`."""
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            found += x509.load_pem_x509_certificates(read_bounded(Path(path), limit=MAX_ROOTS))
        except ValueError:
            raise Malformed(path, "not certificates in PEM", code="BAD_CONFIG") from None
    return tuple(found)
