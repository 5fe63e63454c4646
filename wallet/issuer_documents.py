"""The DID document of an issuer that offers credentials: fetched from the host that its DID names, and only where that
host is the one that the worker's offer names. The wallet keeps it, so that it can show credentials without a network.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from vc.did_web import did_web_url, did_webvh_urls
from vc.did_webvh import MAX_LOG
from vc.documents import DOCUMENT_LIMITS, Documents, Given
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.io.fetch import Fetched
from wallet.issuer_session import Session

MAX_ISSUERS: Final = 4  # of one offer: a platform that takes another DID has two of them for a while
_PUBLISHED: Final = ("did:web:", "did:webvh:")
_PORTS: Final = {"https": 443, "http": 80}
_NOT_FOUND: Final = (404, 410)


async def issuer_documents(session: Session, issuers: Collection[str]) -> Documents:
    """What says which keys these issuers have, as of now. A did:key or did:jwk says it itself.

    Raises :class:`Rejected` for an issuer of another host than the offer's, :class:`Undetermined` where there is no
    document.
    """
    wanted = sorted({did for did in issuers if did.startswith(_PUBLISHED)})
    if len(wanted) > MAX_ISSUERS:
        raise Rejected((Finding("ISSUER_MISMATCH", "credentials of many issuers: nothing was kept", "/issuer"),))
    return Documents.of({did: await _given(session, did) for did in wanted})


async def _given(session: Session, did: str) -> Given:
    if not did.startswith("did:webvh:"):
        return Given(await _body(session, _at_issuer(session, did_web_url(did)), limit=DOCUMENT_LIMITS.size))
    log, witness = (_at_issuer(session, url) for url in did_webvh_urls(did))
    raw = await _body(session, log, limit=MAX_LOG)
    approvals = await session.fetched(witness, limit=MAX_LOG)
    return Given(raw, None if approvals.status in _NOT_FOUND else _good(approvals, witness))


def _at_issuer(session: Session, url: str) -> str:
    """The address, which is https but for an issuer on this machine. Raises :class:`Rejected` for another host."""
    named, offered = urlsplit(url), urlsplit(session.issuer)
    port = named.port or _PORTS[offered.scheme]
    if (named.hostname, port) != (offered.hostname, offered.port or _PORTS[offered.scheme]):
        why = (
            f"signed in the name of {named.netloc[:100]}, but the offer is of {offered.netloc[:100]}: nothing was kept"
        )
        raise Rejected((Finding("ISSUER_MISMATCH", why, "/issuer"),))
    return f"{session.issuer.partition('://')[0]}://{offered.netloc}{named.path}"


async def _body(session: Session, url: str, *, limit: int) -> bytes:
    return _good(await session.fetched(url, limit=limit), url)


def _good(answer: Fetched, url: str) -> bytes:
    if 300 <= answer.status < 400:
        raise Malformed(url, "leads elsewhere, which the document of an issuer must not", code="REDIRECTED")
    if answer.status != 200:
        raise Undetermined(
            f"the document with the issuer's keys is not at {url}",
            "tell the platform, and try again",
            code="DID_UNKNOWN",
        )
    return answer.body
