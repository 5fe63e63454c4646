"""The credential endpoint and those around it (OpenID4VCI §7 to §9): nonces, credentials, deferred credentials."""

import json
from dataclasses import replace
from typing import Final

from aiohttp import web

from issuer import answers, deferrals, metadata
from issuer.access import Access, allowed, challenged, shown
from issuer.clients import use_up
from issuer.datasets import Dataset, wanted
from issuer.deps import DEPS, TURN, Deps, in_thread
from issuer.formats import Format
from issuer.hold import Crowds, may_wait, reason_to_hold
from issuer.issuance import Issued, Order, Prepared, complete, issue, prepare, spend
from issuer.metrics import METRICS
from issuer.nonces import DPOP, check_nonce, new_nonce
from issuer.roots import wallet_roots
from issuer.sealing import JSON, JWT, open_request, sealed
from vc.canon import Json, to_json
from vc.io.route import Route, Schema
from vc.io.web import json_response
from vc.keyproof import ProvenKeys, check_levels, verify_proofs
from vc.oauth import OAuthRefusal
from vc.oid4vci import CredentialRequest, DeferredRequest, ResponseEncryption

INVALID: Final = "invalid_credential_request"
CROWDS: Final = web.AppKey("crowds", Crowds)


async def post_nonce(request: web.Request) -> web.Response:
    """A nonce for key proofs (§7.2), and one for DPoP beside it."""
    deps = request.app[DEPS]
    secret, now = deps.keyring().secret, deps.seconds
    response = json_response({"c_nonce": new_nonce(secret, now=now, rand=deps.rand)})
    response.headers["DPoP-Nonce"] = new_nonce(secret, now=now, rand=deps.rand, label=DPOP)
    return response


async def post_credential(request: web.Request) -> web.Response:
    """Credentials for the keys of a request (§8.3), or a promise of them."""
    deps, access = request.app[DEPS], await shown(request)
    try:
        return await _credential(request, access)
    except OAuthRefusal as refusal:
        if access.marks:
            await in_thread(lambda: use_up(deps, access.marks))
        if refusal.error == "invalid_dpop_proof":
            raise challenged(deps, refusal, scheme="dpop") from None
        raise


async def _credential(request: web.Request, access: Access) -> web.Response:
    deps = request.app[DEPS]
    body = await open_request(request, invalid=INVALID)
    asked = CredentialRequest.parse(body, legacy=deps.config.legacy_single_proof)
    crowds = request.app[CROWDS]
    begun = await in_thread(lambda: _begin(deps, access, asked, crowds))
    if isinstance(begun, str):
        return await _promised(deps, begun, asked.response_encryption)
    issued = await complete(deps, begun, last=lambda _: None)
    return await _answered(request, begun.order.dataset, issued, asked.response_encryption)


async def post_deferred(request: web.Request) -> web.Response:
    """Credentials that were promised, once somebody has approved them (§9.2)."""
    deps, access = request.app[DEPS], await allowed(request)
    asked = DeferredRequest.parse(await open_request(request, invalid=INVALID))
    found = await in_thread(lambda: deferrals.find(deps, access, asked.transaction_id))
    if found is None:
        return await _promised(deps, asked.transaction_id, asked.response_encryption)
    issued = await issue(deps, found.order, last=found.close)
    # No notification_id here, which §9.2 leaves to us: a widespread wallet refuses it beside credentials.
    quiet = replace(issued, notification="")
    return await _answered(request, found.order.dataset, quiet, asked.response_encryption)


def _begin(deps: Deps, access: Access, asked: CredentialRequest, crowds: Crowds) -> Prepared | str:
    """What is to be signed, or the transaction that the request waits under. Raises :class:`OAuthRefusal`."""
    order = _order(deps, access, asked)
    return _hold(deps, order, crowds) or prepare(deps, order)


def _order(deps: Deps, access: Access, asked: CredentialRequest) -> Order:
    """What is asked for, and for which keys. Raises :class:`OAuthRefusal`."""
    with deps.database.read() as connection:
        dataset = wanted(connection, access, identifier=asked.identifier, configuration=asked.configuration_id)
    if len(asked.proofs) > deps.config.batch_size:
        raise OAuthRefusal(INVALID, f"more than {deps.config.batch_size} proofs: see batch_credential_issuance")
    with TURN:
        proven = proven_keys(deps, access, dataset, asked)
    expires = deps.seconds + deps.config.nonce_lifetime + 1
    return Order(access, dataset, proven.holders, dict.fromkeys(proven.nonces, expires))


def proven_keys(deps: Deps, access: Access, dataset: Dataset, asked: CredentialRequest) -> ProvenKeys:
    """The keys that a request proves (appendix F). Raises :class:`OAuthRefusal`."""
    secret, now, config = deps.keyring().secret, deps.seconds, deps.config
    proven = verify_proofs(
        asked,
        audience=config.base,
        check_nonce=lambda text: check_nonce(secret, text, now=now, lifetime=config.nonce_lifetime),
        at=deps.now(),
        algorithms=metadata.taken_proofs(
            dataset.configuration, attested=config.attested_keys, attestations=bool(config.wallet_roots)
        ),
        client=access.client or None,
        attestation_roots=wallet_roots(config.wallet_roots),
        require_attestation=config.attested_keys,
        limit=config.batch_size,
    )
    check_levels(proven, key_storage=config.key_storage, user_authentication=config.user_authentication)
    return proven


def _hold(deps: Deps, order: Order, crowds: Crowds) -> str | None:
    """The transaction that a request waits under, where somebody has to approve it first."""
    if not may_wait(order.dataset, config=deps.config, offered=order.access.offered):
        return None
    with deps.database.read() as connection:
        reason = reason_to_hold(
            connection,
            order.dataset,
            config=deps.config,
            crowds=crowds,
            now=deps.seconds,
        )
    if reason is None:
        return None
    with deps.database.write() as connection:
        spend(connection, deps, order)
        return deferrals.defer(connection, deps, order, reason)


async def _promised(deps: Deps, transaction: str, encryption: ResponseEncryption | None) -> web.Response:
    body: dict[str, Json] = {"transaction_id": transaction, "interval": deps.config.deferral_interval}
    return await sealed(to_json(body), status=202, encryption=encryption)


async def _answered(
    request: web.Request, dataset: Dataset, issued: Issued, encryption: ResponseEncryption | None
) -> web.Response:
    form = dataset.configuration.format
    request.app[METRICS].signed.labels(form).inc(len(issued.bodies))
    return await sealed(credential_response(form, issued), status=200, encryption=encryption)


def credential_response(form: Format, issued: Issued) -> bytes:
    """The body of a Credential Response (§8.3). What was signed goes into it as it is (appendix A.1.2, A.3)."""
    # An SD-JWT is letters, digits and "-._~": nothing in it needs an escape in JSON.
    texts = (f'"{body}"' if form is Format.SD_JWT else body for body in issued.bodies)
    credentials = ",".join(f'{{"credential":{text}}}' for text in texts)
    notification = f',"notification_id":{json.dumps(issued.notification)}' if issued.notification else ""
    return f'{{"credentials":[{credentials}]{notification}}}'.encode()


_TOKEN: Final = {"Authorization": {"type": "string"}}
_SEALED: Final[Schema] = {"type": "string"}
_ISSUED: Final = {
    200: answers.CREDENTIALS,
    202: answers.PROMISED,
    400: answers.REFUSED,
    401: answers.UNAUTHORIZED,
    503: answers.AGAIN,
}
ROUTES: Final = (
    Route("POST", metadata.NONCE, post_nonce, "A nonce (OpenID4VCI 7)", {200: answers.NONCED}, "wallets"),
    Route(
        "POST",
        metadata.CREDENTIAL,
        post_credential,
        "Credentials (OpenID4VCI 8)",
        {**_ISSUED, 403: answers.FORBIDDEN},
        "wallets",
        body={JSON: answers.CREDENTIAL_REQUEST, JWT: _SEALED},
        headers=_TOKEN,
    ),
    Route(
        "POST",
        metadata.DEFERRED,
        post_deferred,
        "Credentials that were promised (OpenID4VCI 9)",
        _ISSUED,
        "wallets",
        body={JSON: answers.DEFERRED_REQUEST, JWT: _SEALED},
        headers=_TOKEN,
    ),
)
