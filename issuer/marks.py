"""Names for jobs in public: digests with a key, because the numbers of jobs can be counted through."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from vc.canon import canonicalize
from vc.errors import Malformed
from vc.io.files import atomic_file, read_bounded

SALT: Final = 32  # bytes
MARKED: Final = frozenset({"Review", "ProfessionalInsurance"})  # types that name a job so


def mark(salt: bytes, worker: str, name: str) -> str:
    """A base64url multihash that only who has ``salt`` can trace back to the job ``name``.

    The worker is in it, so that nobody can see which workers shared a job. Raises :class:`Malformed` without a secret.
    """
    if not salt:
        raise Malformed("salt", "the export has statements that name a job: a secret of the platform is needed")
    digest = hmac.digest(salt, canonicalize([worker, name]), "sha256")
    return "u" + urlsafe_b64encode(bytes((0x12, sha256().digest_size)) + digest).decode().rstrip("=")


def load_or_create_salt(path: Path, rand: Callable[[int], bytes]) -> bytes:
    """The secret kept at ``path``, made on first use and readable by nobody else. Raises :class:`Malformed`.

    It has to stay the same: with another one, every job would be attested a second time under a new name.
    """
    if not path.exists():
        with atomic_file(path, replace=False) as temporary:
            temporary.write_bytes(rand(SALT))
    salt = read_bounded(path, limit=SALT)
    if len(salt) != SALT:
        raise Malformed(str(path), "not the secret for names of jobs; restore it from your backup", code="BAD_SALT")
    return salt
