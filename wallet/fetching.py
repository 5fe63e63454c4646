"""Copies of credentials from an issuer, each bound to a key of the wallet: at once (OpenID4VCI §8) or later (§9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from vc.canon import Json
from vc.errors import Malformed, VcError
from vc.keyproof import JWT
from vc.model import Object
from vc.oid4vci import MAX_TEXT
from wallet.encrypted import ask_encrypted
from wallet.grants import Dataset, Grant
from wallet.issuer_metadata import configuration
from wallet.issuer_session import Session, document
from wallet.key_proofs import Wanted, all_wanted
from wallet.keys import HolderKey
from wallet.pending import Pending, new_pending_id

MAX_COPIES: Final = 256  # in one answer
MAX_WAIT: Final = timedelta(days=30)  # that an issuer may ask for
DEFAULT_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Copies of one credential as received: nothing of them is verified yet."""

    dataset: Dataset
    documents: tuple[Json, ...] = field(repr=False)
    notification: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an issuer gave, and what it has still to decide on."""

    session: Session = field(repr=False)
    arrived: tuple[Arrived, ...]
    pending: tuple[Pending, ...]
    holders: frozenset[str]  # the DIDs of the keys that copies were asked for

    @property
    def issuer(self) -> str:
        """Who gave them."""
        return self.session.issuer

    @property
    def documents(self) -> tuple[Json, ...]:
        """All copies, in the order in which they came."""
        return tuple(one for each in self.arrived for one in each.documents)


def wanted_by(session: Session, datasets: Sequence[Dataset]) -> Mapping[str, Wanted]:
    """How the issuer wants the keys proven that copies of these are bound to, by configuration."""
    return all_wanted({one.configuration: configuration(session.metadata, one.configuration) for one in datasets})


async def fetch_copies(
    session: Session, grant: Grant, datasets: Sequence[Dataset], keys: Sequence[HolderKey]
) -> Accepted:
    """A copy of each credential for each key of the kind that its issuer takes.

    Raises what :func:`wallet.issuer_session.document` does.
    """
    arrived: list[Arrived] = []
    pending: list[Pending] = []
    wanted = wanted_by(session, datasets)
    for dataset in datasets:
        taken = wanted[dataset.configuration]
        mine = [key for key in keys if key.public.kind == taken.kind]
        answer = await _request(session, dataset, taken, mine)
        if "transaction_id" in answer:
            pending.append(_promised(session, grant, dataset, [key.did for key in mine], answer))
        else:
            arrived.append(_arrived(dataset, answer))
    return Accepted(session, tuple(arrived), tuple(pending), frozenset(key.did for key in keys))


async def fetch_deferred(session: Session, grant: Grant, pending: Pending) -> Accepted:
    """What was promised, or the promise once more (§9.2)."""
    url, body = session.endpoint("deferred_credential_endpoint"), {"transaction_id": pending.transaction}
    answer = await ask_encrypted(session, url, body, where="the platform")
    if "transaction_id" in answer:
        again = _promised(session, grant, pending.dataset, pending.holders, answer, name=pending.id)
        return Accepted(session, (), (again,), frozenset(pending.holders))
    return Accepted(session, (_arrived(pending.dataset, answer),), (), frozenset(pending.holders))


async def tell(session: Session, notification: str, event: str) -> bool:
    """Tell the issuer what became of credentials (§11); whether it listened. It is never a reason to stop."""
    if not notification or session.find_endpoint("notification_endpoint") is None:
        return False
    body: Mapping[str, Json] = {"notification_id": notification, "event": event}
    try:
        answer = await session.post(session.endpoint("notification_endpoint"), body)
    except VcError:
        return False
    return 200 <= answer.status < 300


async def _request(session: Session, dataset: Dataset, wanted: Wanted, keys: Sequence[HolderKey]) -> dict[str, Json]:
    """One request for copies of one credential (§8.2), with a proof of each key."""
    nonce = await _nonce(session)
    proofs: list[Json] = [wanted.proof(key, audience=session.issuer, nonce=nonce, at=session.now()) for key in keys]
    named: dict[str, Json] = (
        {"credential_configuration_id": dataset.configuration}
        if dataset.identifier is None
        else {"credential_identifier": dataset.identifier}
    )
    url = session.endpoint("credential_endpoint")
    return await ask_encrypted(session, url, {**named, "proofs": {JWT: proofs}}, where=dataset.configuration)


async def _nonce(session: Session) -> str | None:
    """A nonce for the proofs (§7), where the issuer gives any."""
    url = session.find_endpoint("nonce_endpoint")
    if url is None:
        return None
    nonce = document(await session.post(url, None), "the nonce endpoint").get("c_nonce")
    if not isinstance(nonce, str) or not 0 < len(nonce) <= MAX_TEXT:
        raise Malformed("the nonce endpoint", "gives no nonce", code="BAD_NONCE")
    return nonce


def _arrived(dataset: Dataset, answer: Object) -> Arrived:
    entries = answer.get("credentials")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_COPIES:
        raise Malformed("the answer", f"holds no credential, or more than {MAX_COPIES}", code="NO_CREDENTIAL")
    notification = answer.get("notification_id")
    return Arrived(
        dataset,
        tuple(entry.get("credential") if isinstance(entry, dict) else None for entry in entries),
        notification if isinstance(notification, str) and len(notification) <= MAX_TEXT else "",
    )


def _promised(
    session: Session,
    grant: Grant,
    dataset: Dataset,
    holders: Sequence[str],
    answer: Object,
    *,
    name: bytes | None = None,
) -> Pending:
    """What to come back with (§8.3, §9.2), and when."""
    transaction, interval = answer["transaction_id"], answer.get("interval")
    if not isinstance(transaction, str) or not 0 < len(transaction) <= MAX_TEXT:
        raise Malformed("the answer", "its transaction_id is none", code="BAD_TRANSACTION")
    wait = timedelta(seconds=interval) if isinstance(interval, int) and 0 < interval < 1 << 31 else DEFAULT_WAIT
    return Pending(
        id=name or new_pending_id(session.rand),
        grant=grant.id,
        dataset=dataset,
        transaction=transaction,
        holders=tuple(holders),
        not_before=session.now() + min(wait, MAX_WAIT),
    )
