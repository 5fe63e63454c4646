"""Issuers that are known by a certificate: whose credentials are believed at check, and whose are not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.certificates import Party, certify, names, secret, usage
from tests.line import AT, SAMPLES, holder_key, rand_from
from tests.test_wallet_sdjwt import asked, keep, proven, shown
from tests.test_wallet_sdjwt import only_what_is_there as pick
from tests.vaults import create
from vc.canon import Json
from vc.errors import VcError
from vc.keys import P256Key
from vc.sdjwt_vc import issue_credential
from vc.token_status import StatusListToken, StatusReference, TokenStatusList, new_statuses, sign_status_jwt
from vc.token_status import set_statuses as marked
from vc.trust import Trust, parse_issuer, parse_trust
from verifier.report import build
from wallet.shelf import Shelf
from work import CONTEXTS
from work.statement import Statement
from work.vct import template

YEAR: Final = (-30, 365)
ROOT: Final = certify("A root", secret(1), authority=True, extensions=[(usage(certificates=True), True)], days=YEAR)
BETWEEN: Final = certify("Between", secret(2), ROOT, authority=True, days=YEAR)
OTHER_ROOT: Final = certify("A root", secret(9), authority=True, days=YEAR)  # of the same name
HOST: Final = "platform.example"
LEAF_KEY: Final = P256Key.from_secret((3).to_bytes(32, "big"))
URI: Final = "https://platform.example/status/1/token"


def leaf(by: Party = BETWEEN, *, name: str = HOST, days: tuple[int, int] = YEAR) -> Party:
    return certify(
        "Platform", secret(3), by, extensions=[(names(name), False), (usage(signatures=True), True)], days=days
    )


LEAF: Final = leaf()
ALONE: Final = certify("Alone", secret(3), extensions=[(names(HOST), False)], days=YEAR)


def trusting(*certificates: dict[str, Json], more: list[Json] | None = None, **given: Json) -> Trust:
    issuer: dict[str, Json] = {
        "name": "Platform as the list names it",
        "legalIdentifier": "000 000 007",
        "mayAttest": ["https://w3id.org/ouvrage/v1/Earnings", *_types()],
        "certificates": list[Json](certificates),
    }
    document = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": "2026-11-24T00:00:00Z",
        "issuers": [issuer, *(more or [])],
        **given,
    }
    return parse_trust(json.dumps(document).encode(), contexts=CONTEXTS)


def _types() -> list[Json]:
    return [str(template(_statement(), issuer="x", holder=None, at=AT).claims["vct"])]


def _statement() -> Statement:
    return Statement("Earnings", "worker-1", SAMPLES["Earnings"])


def root(party: Party = ROOT, **more: Json) -> dict[str, Json]:
    return {"certificate": party.x5c, **more}


def certified(*chain: Party, iss: str | None = f"https://{HOST}", **claims: Json) -> str:
    made = template(_statement(), issuer=iss or "x", holder=holder_key().public, at=AT)
    said = {name: value for name, value in {**made.claims, "iss": iss, **claims}.items() if value is not None}
    header: dict[str, Json] = {"x5c": [one.x5c for one in chain or (LEAF, BETWEEN)]}
    return issue_credential(
        said, key=LEAF_KEY, selective=made.selective, decoys=made.decoys, rand=rand_from("x5c"), header=header
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


def answered(shelf: Shelf, text: str) -> str:
    request_ = asked("Earnings.averageAtLeast12m>=1500")
    return shown(pick(request_, keep(shelf, text)), request_)


def checked(shown_: str, trust: Trust, at: Any = AT) -> Any:
    return proven(shown_, asked("Earnings.averageAtLeast12m>=1500"), trusted=trust, at=at)


def code_of(text: str, trust: Trust, at: Any = AT) -> str:
    with pytest.raises(VcError) as caught:
        checked(text, trust, at)
    return caught.value.code


def test_an_issuer_under_a_trusted_root_is_proven_by_its_listed_name(shelf: Shelf) -> None:
    trust, text = trusting(root()), answered(shelf, certified())
    verified = checked(text, trust)
    (one,) = verified.credentials
    assert (one.issuer.name, one.claims["averageAtLeast12m"]) == ("Platform as the list names it", ["001500"])
    request_ = asked("Earnings.averageAtLeast12m>=1500")
    report: Any = build(request_, {"Earnings": (verified,)}, trust=trust, at=AT).to_json()
    assert report["proven"][0]["issuer"]["name"] == "Platform as the list names it"


@pytest.mark.parametrize(
    ("text", "certificate"),
    [
        (certified(iss=None), root()),
        (certified(), root(BETWEEN)),  # trusted no further up than that
        (certified(LEAF), root(BETWEEN)),
        (certified(ALONE), root(ALONE)),  # the signer's own certificate stands in the list
        (certified(), root(names=[HOST, "urn:other"])),
        (certified(), root(validFrom="2026-11-01T00:00:00Z", validUntil=None)),
    ],
)
def test_more_that_is_believed(shelf: Shelf, text: str, certificate: dict[str, Json]) -> None:
    assert checked(answered(shelf, text), trusting(certificate)).credentials[0].issuer is not None


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (root(OTHER_ROOT), "CHAIN_INVALID"),
        (root(names=["other.example"]), "CHAIN_INVALID"),
        (root(validFrom="2026-01-01T00:00:00Z", validUntil="2026-11-01T00:00:00Z"), "KEY_OUT_OF_WINDOW"),
        (root(ALONE), "ISSUER_NOT_TRUSTED"),
    ],
)
def test_who_is_not_believed(shelf: Shelf, certificate: dict[str, Json], code: str) -> None:
    assert code_of(answered(shelf, certified()), trusting(certificate)) == code


def test_a_did_in_the_certificate(shelf: Shelf) -> None:
    """The list knows the authority and not the key; the certificate has to name the DID."""
    did, key = LEAF_KEY.did, leaf(name=LEAF_KEY.did)
    found = checked(answered(shelf, certified(key, BETWEEN, iss=did)), trusting(root())).credentials[0]
    assert (found.did, found.issuer.name) == (did, "Platform as the list names it")


def test_a_did_that_is_not_in_the_certificate(shelf: Shelf) -> None:
    assert code_of(answered(shelf, certified(iss=LEAF_KEY.did)), trusting(root())) == "METHOD_NOT_ISSUERS"


def test_a_chain_that_ended_or_leads_to_two_issuers(shelf: Shelf) -> None:
    text = answered(shelf, certified(leaf(days=(-1, 3)), BETWEEN))
    assert code_of(text, trusting(root()), AT + timedelta(days=5)) == "CHAIN_INVALID"
    second: dict[str, Json] = {
        "name": "Somebody else", "legalIdentifier": "2", "mayAttest": [], "certificates": [root()]
    }  # fmt: skip
    assert code_of(text, trusting(root(), more=[second])) == "CHAIN_INVALID"
    assert code_of(text, trusting(root(names=["nobody.example"]), more=[second])) == "TYPE_NOT_TRUSTED"


def token(*revoked: int, by: Party = LEAF, key: P256Key = LEAF_KEY) -> str:
    bits = marked(new_statuses(131072, bits=2), dict.fromkeys(revoked, 1), bits=2)
    made = StatusListToken(URI, AT, TokenStatusList.of(bits, bits=2))
    chain = [by.x5c, BETWEEN.x5c] if by is LEAF else [by.x5c]
    return sign_status_jwt(made, key=key, kid="any", x5c=chain)


def test_its_status_list_is_signed_under_a_certificate_too(shelf: Shelf) -> None:
    status: Json = {"status_list": StatusReference(URI, 7).to_json()["status_list"]}
    text = answered(shelf, certified(status=status))

    def held(body: str) -> Trust:
        lists: list[Json] = [{"url": URI, "asOf": "2026-11-24T00:00:00Z", "token": body}]
        return trusting(root(), statusLists=lists)

    assert "REVOCATION" not in checked(text, held(token())).credentials[0].not_checked
    assert code_of(text, held(token(7))) == "REVOKED"
    assert code_of(text, trusting(root())) == "STATUS_UNKNOWN"
    stranger = certify("Stranger", secret(8), days=YEAR)
    forged = token(by=stranger, key=P256Key.from_secret((8).to_bytes(32, "big")))
    assert code_of(text, held(forged)) == "STATUS_VERIFICATION_ERROR"


def test_an_issuer_needs_a_key_or_a_certificate() -> None:
    issuer: Any = {"name": "A", "legalIdentifier": "1", "mayAttest": [], "certificates": [root()]}
    (one,) = parse_issuer(issuer).certificates
    assert one.valid_until == ROOT.certificate.not_valid_after_utc
    assert replace(one, names=frozenset({"x"})) != one
    for bad in ("x", "AAAA", 4, None):
        with pytest.raises(VcError):
            parse_issuer({**issuer, "certificates": [{"certificate": bad}]})
