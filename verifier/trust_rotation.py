"""Changing who signs a list: people come and go, and a key that may have been stolen is replaced."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from vc.errors import Malformed
from vc.io.files import read_bounded
from vc.io.keyfile import Ask
from verifier.trust_publisher import Publisher
from verifier.trust_roles import NAME
from verifier.trust_signing import ONLINE_FILE, PublicSigner, new_signer, open_signer


def rotate(
    folder: Path,
    *,
    added: Sequence[Path],
    without: Sequence[str],
    threshold: int | None,
    online: bool,
    ask: Ask,
    at: datetime,
) -> list[str]:
    """Prepare a root with other signers, or another online key; the names of those who sign from then on.

    Raises :class:`Malformed`.
    """
    publisher = Publisher(folder)
    root = publisher.root().signed
    role = root.roles["root"]
    held = [
        PublicSigner(str(key.unrecognized_fields.get(NAME, "?")), bytes.fromhex(key.keyval["public"]))
        for key in (root.keys[each] for each in role.keyids)
    ]
    unknown = set(without) - {signer.name for signer in held}
    if unknown:
        raise Malformed("--without", f"nobody of this name signs: {', '.join(sorted(unknown))[:200]}", code="NOT_FOUND")
    signers = [signer for signer in held if signer.name not in without]
    signers += [PublicSigner.parse(read_bounded(path, limit=1 << 16), where=str(path)) for path in added]
    machine = open_signer(folder / ONLINE_FILE, ask=ask).public
    if online:
        old = folder / ONLINE_FILE
        new = new_signer(folder / f"{ONLINE_FILE}.new", machine.name, ask=ask, rand=os.urandom)
        (folder / f"{ONLINE_FILE}.new").replace(old)  # the old key signs nothing any more, whoever holds a copy
        machine = new
    publisher.change_root(signers=signers, threshold=threshold or role.threshold, online=machine, at=at)
    return [signer.name for signer in signers]
