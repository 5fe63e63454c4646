"""Root certificates that the worker trusts to say who asks: PEM files in the wallet's own folder.

Without any, a verifier's certificate speaks for itself, and the wallet says so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from vc.errors import Malformed
from vc.io.files import read_bounded, write_atomic
from vc.x5c import certificate_thumbprint, parse_certificate

FOLDER: Final = "roots"
MAX_FILE: Final = 1 << 18  # bytes of PEM
MAX_ROOTS: Final = 64  # a path is tried through each


def read_roots(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises :class:`Malformed`."""
    return parse_roots(read_bounded(path, limit=MAX_FILE), where=str(path))


def parse_roots(raw: bytes, *, where: str) -> tuple[x509.Certificate, ...]:
    """The certificates in PEM. Raises :class:`Malformed`."""
    if len(raw) > MAX_FILE:
        raise Malformed(where, f"larger than {MAX_FILE} bytes", code="TOO_LARGE")
    try:
        read = x509.load_pem_x509_certificates(raw)
        ders = [one.public_bytes(Encoding.DER) for one in read]
    except (ValueError, TypeError, x509.InvalidVersion, Warning):
        raise Malformed(where, "holds no certificate in PEM", code="BAD_CERTIFICATE") from None
    if len(ders) > MAX_ROOTS:
        raise Malformed(where, f"more than {MAX_ROOTS} certificates", code="TOO_LARGE")
    return tuple(parse_certificate(der, where=where) for der in ders)


def kept_roots(home: Path) -> tuple[x509.Certificate, ...]:
    """The roots that the wallet keeps, each once. Raises :class:`Malformed` for a file that is none."""
    files = sorted((home / FOLDER).glob("*.pem"))
    if len(files) > MAX_ROOTS:
        raise Malformed(str(home / FOLDER), f"more than {MAX_ROOTS} certificates", code="TOO_LARGE")
    found = (one for file in files for one in read_roots(file))
    return tuple({root_name(one): one for one in found}.values())


def keep_roots(home: Path, roots: Sequence[x509.Certificate]) -> None:
    """Keep these from now on."""
    if len({root_name(one) for one in (*kept_roots(home), *roots)}) > MAX_ROOTS:
        raise Malformed("roots", f"more than {MAX_ROOTS} certificates", code="TOO_LARGE")
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for one in roots:
        write_atomic(folder / f"{root_name(one)}.pem", one.public_bytes(Encoding.PEM))


def drop_root(home: Path, name: str) -> str:
    """Trust the root whose name starts with ``name`` no more; its whole name. Raises :class:`Malformed`."""
    found = [one for one in map(root_name, kept_roots(home)) if one.startswith(name)]
    if len(found) != 1 or not name:
        raise Malformed(name[:40], "no root, or several, have a name that starts so", code="NOT_FOUND")
    (home / FOLDER / f"{found[0]}.pem").unlink(missing_ok=True)
    return found[0]


def root_name(root: x509.Certificate) -> str:
    """What a root is called here: the first half of its fingerprint."""
    return certificate_thumbprint(root)[:22]
