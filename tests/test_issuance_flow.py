"""From an offer to credentials in a wallet, and again when there is something newer: the endpoints together."""

import json
import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer.database import Database
from issuer.offers import make_offer
from tests.issuing import BBS, JWT, Running, attest, new_keys, running

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


async def offered(service: Running, *names: str) -> dict[str, Any]:
    """What a wallet reads behind the link of a new offer."""
    with service.deps.database.write() as connection:
        made = make_offer(
            connection,
            "worker-1",
            names,
            base=service.base,
            grants=(PRE_AUTHORIZED,),
            tx_code=None,
            lifetime=600,
            now=service.deps.seconds,
            rand=os.urandom,
        )
    (uri,) = parse_qs(urlsplit(made.link).query)["credential_offer_uri"]
    offer: dict[str, Any] = (await service.ask("GET", uri)).json
    return offer


async def token(service: Running, **form: str) -> dict[str, Any]:
    answer = await service.ask("POST", "/token", data=form)
    assert answer.status == 200, answer.raw
    granted: dict[str, Any] = answer.json
    return granted


@pytest.mark.parametrize("path", ["", "/work"])
async def test_offer_token_credential_refresh(database: Database, path: str) -> None:
    attest(database)
    async with running(database, path=path, k=20) as service:
        offer = await offered(service, BBS, JWT)
        assert offer["credential_issuer"] == service.base
        assert offer["credential_configuration_ids"] == [BBS, JWT]
        code = offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        granted = await token(service, grant_type=PRE_AUTHORIZED, **{"pre-authorized_code": code})

        async def fetch(granted: dict[str, Any], name: str) -> Any:
            body = await service.request(name, new_keys(2))
            details = {one["credential_configuration_id"]: one for one in granted.get("authorization_details", [])}
            if details:
                del body["credential_configuration_id"]
                body["credential_identifier"] = details[name]["credential_identifiers"][0]
            answer = await service.post("/credential", body, granted["access_token"])
            assert answer.status == 200, answer.raw
            return [one["credential"] for one in answer.json["credentials"]]

        # A crowd of one: whoever made the offer has answered for it.
        first = {name: await fetch(granted, name) for name in (BBS, JWT)}
        assert all(len(copies) == 2 for copies in first.values())
        attest(database, sourceMethod="dsarImport")
        service.clock.forward(seconds=service.deps.config.access_lifetime + 1)
        body = await service.request(BBS, new_keys())
        assert (await service.post("/credential", body, granted["access_token"])).error == (401, "invalid_token")
        renewed = await token(service, grant_type="refresh_token", refresh_token=granted["refresh_token"])
        newer = await fetch(renewed, BBS)
        assert [copy["credentialSubject"]["sourceMethod"] for copy in newer] == ["dsarImport"] * 2
        assert "dsarImport" not in json.dumps(first[BBS])
        again = await service.ask("POST", "/token", data={"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code})
        assert again.error == (400, "invalid_grant")
