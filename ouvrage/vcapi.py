"""``ouvrage vc-api``: every route of VC-API in one place, with an issuer instance for each suite, for trying it out.

Its keys are made when it starts and gone when it ends; it signs for whoever asks.
"""

import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from aiohttp import web

import issuer.app
import verifier.app
import wallet.app
from vc import bbs
from vc.canon import Json
from vc.contexts import EXAMPLES
from vc.errors import Undetermined
from vc.io.command import new_app, run
from vc.io.options import LOOPBACK, Host, Json_, Port, Tls
from vc.io.web import announce, json_response, new_web_app, run_service
from vc.keys import Bls12381Key, Ed25519Key, P256Key, P384Key, Signer
from vc.secure import sign
from vc.status import MIN_ENTRIES, StatusEntry, new_list, status_list_credential
from vc.vcapi import ENVELOPING, Issuer, World
from work import CONTEXTS

STATUS_LIST: Final = "/status/1"
STATUS_LIFETIME: Final = timedelta(days=1)
ALL_CONTEXTS: Final = CONTEXTS.with_(EXAMPLES.raw)

app = new_app("VC-API (VCALM), every route and every suite, to try it out.")


def _ed25519() -> Ed25519Key:
    return Ed25519Key.from_seed(os.urandom(32))


def _bls12381() -> Bls12381Key:
    return Bls12381Key.from_secret(bbs.key_gen(os.urandom(32)))


def _p256() -> P256Key:
    return P256Key.generate(os.urandom)


def _p384() -> P384Key:
    return P384Key.generate(os.urandom)


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the instances: the suite, and how its key is made."""

    suite: str
    make_key: Callable[[], Bls12381Key | Signer]


# One instance for each suite and kind of key.
SUITES: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "eddsa-rdfc-2022": Kind("eddsa-rdfc-2022", _ed25519),
        "eddsa-jcs-2022": Kind("eddsa-jcs-2022", _ed25519),
        "ecdsa-rdfc-2019": Kind("ecdsa-rdfc-2019", _p256),
        "ecdsa-rdfc-2019-p384": Kind("ecdsa-rdfc-2019", _p384),
        "ecdsa-jcs-2019": Kind("ecdsa-jcs-2019", _p256),
        "ecdsa-jcs-2019-p384": Kind("ecdsa-jcs-2019", _p384),
        "ecdsa-sd-2023": Kind("ecdsa-sd-2023", _p256),
        "bbs-2023": Kind("bbs-2023", _bls12381),
    }
)
# What public test suites ask for beside them, under the names that they have for it.
OTHERS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "EnvelopingProof": Kind(ENVELOPING, _p256),
        "BitstringStatusList": Kind("eddsa-rdfc-2022", _ed25519),
    }
)


@dataclass(frozen=True, slots=True)
class StatusBook:
    """The status list of one instance: its places, each given away once, at random. Nothing is ever withdrawn."""

    url: str
    issuer: Issuer
    taken: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> StatusEntry:
        """A place that no credential has. Raises :class:`Undetermined` where half are gone: finding one gets slow."""
        with self.lock:
            if len(self.taken) >= MIN_ENTRIES // 2:
                raise Undetermined("the status list is full", "start the service again", code="STATUS_LIST_FULL")
            while (index := secrets.randbelow(MIN_ENTRIES)) in self.taken:
                pass
            self.taken.add(index)
        return StatusEntry(self.url, index, "revocation")

    def find(self, url: str) -> Json:
        """The list, where it is this one that is meant."""
        return self.credential(_now()) if url == self.url else None

    def credential(self, at: datetime) -> dict[str, Json]:
        """The list, signed (vc-bitstring-status-list#bitstringstatuslistcredential)."""
        key = self.issuer.key
        assert not isinstance(key, Bls12381Key)
        document = status_list_credential(
            new_list(),
            url=self.url,
            issuer=self.issuer.did,
            purposes=["revocation"],
            valid_from=at,
            valid_until=at + STATUS_LIFETIME,
        )
        return sign(document, key=key, created=at, contexts=CONTEXTS)


BOOK: Final = web.AppKey("status", StatusBook)


async def get_status_list(request: web.Request) -> web.Response:
    """The status list credential that issued credentials name."""
    return json_response(request.app[BOOK].credential(_now()))


def new_instances() -> dict[str, Issuer]:
    """An instance for every row, each with a new key."""
    rows = {**SUITES, **OTHERS}
    return {name: Issuer(kind.suite, kind.make_key(), signs_for_others=True) for name, kind in rows.items()}


def make(base: str, instances: Mapping[str, Issuer]) -> web.Application:
    """Every route of VC-API in one application that is reached at ``base``."""
    book = StatusBook(f"{base}{STATUS_LIST}", instances["BitstringStatusList"])
    made = new_web_app()
    issuer.app.add_routes(
        made,
        issuer.app.Deps(
            instances, ALL_CONTEXTS, _now, os.urandom, statuses=MappingProxyType({"BitstringStatusList": book.next})
        ),
    )
    verifier.app.add_routes(made, verifier.app.Deps(lambda: World(ALL_CONTEXTS, _now(), book.find)))
    wallet.app.add_routes(made, wallet.app.Deps(ALL_CONTEXTS, os.urandom))
    made[BOOK] = book
    made.router.add_get(STATUS_LIST, get_status_list)
    return made


def directory(base: str, instances: Mapping[str, Issuer]) -> dict[str, Json]:
    """What is served where (one line of ``--json``)."""
    return {
        "base": base,
        "issuers": issuer.app.directory({name: instances[name] for name in SUITES}),
        "verifyCredential": verifier.app.VERIFY_CREDENTIAL,
        "verifyPresentation": verifier.app.VERIFY_PRESENTATION,
        "derive": wallet.app.DERIVE,
    }


@app.command()
def vc_api(port: Port = 0, host: Host = LOOPBACK, tls: Tls = False, as_json: Json_ = False) -> None:
    """Serve every route of VC-API, one issuer instance per suite and kind of key, until Ctrl-C."""
    instances = new_instances()
    run_service(
        lambda base: make(base, instances),
        host=host,
        port=port,
        tls=tls,
        ready=lambda base: announce(directory(base, instances), as_json=as_json),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    run(app, list(arguments), name="ouvrage vc-api")
