"""From a proposal to a presentation that is bound to one verifier, one challenge and one key."""

from collections.abc import Callable
from datetime import datetime

from vc.canon import Json
from vc.errors import Undetermined
from vc.jsonld import Contexts
from vc.model import CREDENTIALS_V2
from vc.oid4vp import Request
from vc.proof import AUTHENTICATION
from vc.secure import derive, hold, sign
from vc.suites import bbs_2023
from vc.verify import presentation_header
from wallet.answers import sign_answers
from wallet.choose import Copy, Proposal
from wallet.keys import HolderKey, named_as
from wallet.sdjwt import show


def _header(copy: Copy, request: Request) -> bytes:
    """What binds a derived proof itself to the request, where the suite has a place for it."""
    if copy.credential.proofs[0].cryptosuite != bbs_2023.SUITE.name:
        return b""
    return presentation_header(request.nonce, request.client_id)


def present(
    proposal: Proposal,
    *,
    request: Request,
    key: HolderKey | None,
    contexts: Contexts,
    at: datetime,
    rand: Callable[[int], bytes],
) -> dict[str, Json] | str:
    """A verifiable presentation with the proposed claims, the mandatory ones, what the worker says to them, no more; of
    an SD-JWT VC, an SD-JWT+KB.

    ``key`` is the one that the copy is bound to; without one the derived credential is the answer by itself, its proof
    bound to the request.
    Raises :class:`Undetermined` where the copy, or what the worker says to it, needs a key that is not given.
    """
    copy = proposal.copy
    if copy.holder is not None and (key is None or key.did != copy.holder):
        raise Undetermined(
            "the key that this copy is bound to is not here", "restore it from your backup", code="KEY_MISSING"
        )
    if copy.answers and not (key and copy.carries_answers):
        raise Undetermined(
            "what you say to this statement is always shown with it, and with this copy it cannot go along",
            "ask the platform for copies in the format bbs-2023 that are bound to your keys",
            code="REPLY_NEEDS_KEY",
        )
    pointers = [one.pointer for one in proposal.asked]
    if isinstance(copy.document, str):
        bound = key if copy.holder is not None else None
        return show(copy.document, pointers, kind=copy.kind, request=request, key=bound, at=at)
    derived = derive(
        hold(copy.document, contexts=contexts, documents=copy.documents, at=at),
        pointers,
        presentation_header=_header(copy, request),
        rand=rand,
    )
    if key is None:  # OID4VP §B.1: without holder binding the credential itself is the answer
        return derived
    key = named_as(key, copy.subject.get("id"))
    presentation: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [
            derived,
            *sign_answers(copy.answers, copy.credential, key=key, contexts=contexts, at=at),
        ],
    }
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
