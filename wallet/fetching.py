"""Copies of credentials from an issuer, each bound to a key of the wallet: at once (OpenID4VCI §8) or later (§9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from vc.canon import Json
from vc.errors import Malformed, Undetermined, Unsupported, VcError
from vc.jwk import public_jwk
from vc.keyproof import JWT, make_jwt_proof
from vc.keys import Ed25519Key
from vc.model import Object
from vc.oid4vci import MAX_TEXT
from wallet.grants import Dataset, Grant
from wallet.issuer_metadata import configuration
from wallet.issuer_session import NOTHING, Session, document
from wallet.pending import Pending, new_pending_id

MAX_COPIES: Final = 256  # in one answer
MAX_WAIT: Final = timedelta(days=30)  # that an issuer may ask for
DEFAULT_WAIT: Final = timedelta(hours=1)
SIGNATURES: Final = ("EdDSA", "Ed25519")  # of the wallet's keys


@dataclass(frozen=True, slots=True)
class Arrived:
    """Copies of one credential as received: nothing of them is verified yet."""

    dataset: Dataset
    documents: tuple[Json, ...] = field(repr=False)
    notification: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """One credential that did not come, or not right, and why."""

    dataset: Dataset
    error: VcError


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an issuer gave, what it has still to decide on, and what it did not give."""

    session: Session = field(repr=False)
    arrived: tuple[Arrived, ...]
    pending: tuple[Pending, ...]
    holders: frozenset[str]  # the DIDs of the keys that copies were asked for
    failed: tuple[Failed, ...] = ()

    @property
    def issuer(self) -> str:
        """Who gave them."""
        return self.session.issuer

    @property
    def documents(self) -> tuple[Json, ...]:
        """All copies, in the order in which they came."""
        return tuple(one for each in self.arrived for one in each.documents)


async def fetch_copies(
    session: Session, grant: Grant, datasets: Sequence[Dataset], keys: Sequence[Ed25519Key]
) -> Accepted:
    """A copy of each credential for each key. One that is refused holds up no other; an issuer that does not answer is
    not asked for the rest."""
    arrived: list[Arrived] = []
    pending: list[Pending] = []
    failed: list[Failed] = []
    for position, dataset in enumerate(datasets):
        try:
            answer = await _request(session, dataset, keys)
            if "transaction_id" in answer:
                pending.append(_promised(session, grant, dataset, [key.did for key in keys], answer))
            else:
                arrived.append(_arrived(dataset, answer))
        except Undetermined as error:
            failed += [Failed(one, error) for one in datasets[position:]]
            break
        except VcError as error:
            failed.append(Failed(dataset, error))
    return Accepted(session, tuple(arrived), tuple(pending), frozenset(key.did for key in keys), tuple(failed))


async def fetch_deferred(session: Session, grant: Grant, pending: Pending) -> Accepted:
    """What was promised, or the promise once more (§9.2)."""
    url, body = session.endpoint("deferred_credential_endpoint"), {"transaction_id": pending.transaction}
    answer = document(await session.post(url, body), "the platform")
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


async def _request(session: Session, dataset: Dataset, keys: Sequence[Ed25519Key]) -> dict[str, Json]:
    """One request for copies of one credential (§8.2), with a proof of each key."""
    by_jwk = is_named_by_jwk(configuration(session.metadata, dataset.configuration))
    nonce = await _nonce(session)
    proofs: list[Json] = []
    for key in keys:
        header: Object = {"jwk": public_jwk(key.public)} if by_jwk else NOTHING
        proofs.append(make_jwt_proof(key, audience=session.issuer, nonce=nonce, at=session.now(), header=header))
    named: dict[str, Json] = (
        {"credential_configuration_id": dataset.configuration}
        if dataset.identifier is None
        else {"credential_identifier": dataset.identifier}
    )
    answer = await session.post(session.endpoint("credential_endpoint"), {**named, "proofs": {JWT: proofs}})
    return document(answer, dataset.configuration)


def is_named_by_jwk(described: Object) -> bool:
    """Whether proofs name their key by the key itself, not by its did:key (§12.2.4).

    Raises :class:`Unsupported` for proofs that this wallet cannot make.
    """
    taken = described.get("proof_types_supported")
    if isinstance(taken, dict):
        _check_proofs(taken.get(JWT))
    methods = described.get("cryptographic_binding_methods_supported")
    if not isinstance(methods, list) or "did:key" in methods or "did" in methods:
        return False
    if "jwk" in methods:
        return True
    raise Unsupported("issuer", f"it binds credentials to {_listed(methods)} only, and this wallet to a did:key or jwk")


def _check_proofs(jwt: Json) -> None:
    if not isinstance(jwt, dict):
        raise Unsupported("issuer", "it takes proofs of keys only in a form that this wallet does not make")
    algorithms = jwt.get("proof_signing_alg_values_supported")
    if isinstance(algorithms, list) and not any(one in SIGNATURES for one in algorithms):
        what = f"it takes no Ed25519 key, and this wallet has no other (it takes {_listed(algorithms)})"
        raise Unsupported("issuer", what, code="UNSUPPORTED_KEY")
    if "key_attestations_required" in jwt:
        raise Unsupported("issuer", "it takes keys of certified devices only, which this wallet is not")


def _listed(values: Sequence[Json]) -> str:
    return ", ".join(str(one)[:40] for one in values[:6])


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
