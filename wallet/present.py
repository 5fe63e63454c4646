"""From a proposal to a presentation that is bound to one verifier, one challenge and one key."""

from collections.abc import Callable
from datetime import datetime

from vc.canon import Json
from vc.errors import Undetermined
from vc.jsonld import Contexts
from vc.keys import Ed25519Key
from vc.model import CREDENTIALS_V2
from vc.oid4vp import Request
from vc.proof import AUTHENTICATION
from vc.secure import derive, hold, sign
from vc.verify import presentation_header
from wallet.choose import Proposal


def present(
    proposal: Proposal,
    *,
    request: Request,
    key: Ed25519Key | None,
    contexts: Contexts,
    at: datetime,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """A verifiable presentation with the proposed claims, the mandatory ones, and nothing else.

    ``key`` is the one that the copy is bound to; without one the derived proof itself is bound to the request.
    Raises :class:`Undetermined` where the copy needs a key that is not given.
    """
    copy = proposal.copy
    if copy.holder is not None and (key is None or key.did != copy.holder):
        raise Undetermined(
            "the key that this copy is bound to is not here", "restore it from your backup", code="KEY_MISSING"
        )
    derived = derive(
        hold(copy.document, contexts=contexts),
        [one.pointer for one in proposal.asked],
        presentation_header=presentation_header(request.nonce, request.client_id),
        rand=rand,
    )
    presentation: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [derived],
    }
    if key is None:
        return presentation
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return sign(
        {**presentation, "holder": key.did},
        key=key,
        created=midnight,
        contexts=contexts,
        purpose=AUTHENTICATION,
        challenge=request.nonce,
        domain=request.client_id,
    )
