"""From the issuer's service to a verifier's report, in each format: fetched over HTTP, kept, listed, chosen, shown."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from issuer.offers import Made
from issuer.statuslists import Kind, list_ids, read_published, sign_due
from tests.cli import ouvrage
from tests.databases import *  # noqa: F403
from tests.issuing import AT, BBS, JWT, SD, attest, running
from tests.test_wallet_accept import going_by, offered, shown, take, told
from tests.test_wallet_sdjwt import asked, sd_jwt
from tests.vaults import create, reopen
from vc.canon import Json, parse_object
from vc.errors import Rejected, Unsupported
from vc.model import parse_credential
from vc.trust import GivenList, GivenToken, Trust
from verifier.check import check, policy
from wallet.choose import plan
from wallet.formats import FORMATS, SENSIBLE, format_of, parse_formats, to_take
from wallet.held import find
from wallet.letting_go import delete_statement
from wallet.shelf import Shelf
from wallet.web.steps import say
from wallet.words import statements
from work import CONTEXTS

EACH: Final = {"bbs-2023": BBS, "ecdsa-sd-2023": SD, "sd-jwt": JWT}


def with_lists(trust: Trust, database: Any, held: Any, base: str) -> Trust:
    """A trust file with the status lists of the service as they are now."""
    sign_due(database, keys=held().signing(AT), base=base, at=AT, rand=os.urandom)
    lists, tokens = {}, {}
    with database.read() as connection:
        for listing in list_ids(connection):
            for kind in Kind:
                made = read_published(connection, listing, kind)
                assert made is not None
                if kind is Kind.JWT:
                    tokens[f"{base}/status/{listing}/token"] = GivenToken(made.body.decode(), AT)
                elif kind is not Kind.CWT:
                    credential = parse_object(made.body)
                    lists[str(credential["id"])] = GivenList(parse_credential(credential), AT)
    return replace(trust, status_lists=lists, status_tokens=tokens)


@pytest.mark.parametrize("form", EACH)
async def test_from_the_platform_to_a_report(database: Any, tmp_path: Path, form: str) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        async with going_by(database, "web") as (service, held):
            offer = offered(service, *EACH.values())
            got = await take(Shelf(vault), offer.link, service.clock, formats=parse_formats([form]))
            assert got.added == 2
            trusted = with_lists(told(held.ring), database, held, service.base)
    with reopen(tmp_path / "vault.db") as vault:  # the platform is gone
        shelf = Shelf(vault)
        entries: list[Any] = statements(shelf.copies())
        (listed,) = entries
        assert (listed["type"], [*listed["formats"]], listed["copies"], listed["bound"]) == (
            "Earnings",
            [form],
            2,
            True,
        )
        request = asked(sd=form == "sd-jwt")
        answer = shown(shelf, request)
    may = tuple(replace(one, may_attest=one.may_attest | set(FORMS_OF_EARNINGS)) for one in trusted.issuers)
    trusted = replace(trusted, issuers=may, by_method={key.method: (one, key) for one in may for key in one.keys})
    ((verified,),) = check(answer, request, trust=trusted, policy=policy(accept_possession=False), at=AT).values()
    (credential,) = verified.credentials
    assert (credential.suite, credential.claims["averageAtLeast12m"]) == (form, ["001500"])
    assert credential.issuer is not None
    assert ("REVOCATION" in credential.not_checked) == (form == "bbs-2023")


FORMS_OF_EARNINGS: Final = ("EarningsCredential", "https://w3id.org/ouvrage/v1/types/Earnings")


async def test_one_statement_in_all_formats_is_one_thing(database: Any, tmp_path: Path) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        shelf = Shelf(vault)
        async with running(database) as service:
            got = await take(
                shelf, offered(service, *EACH.values()).link, service.clock, formats=parse_formats(["all"])
            )
            assert got.added == 6
            (listed,) = statements(shelf.copies())
            assert isinstance(listed, dict)
            assert listed["formats"] == {form: {"copies": 2, "unused": 2} for form in FORMATS}
            assert (listed["copies"], listed["unused"]) == (2, 2)  # its formats share their keys
            for name in ("Earnings", str(listed["statement"])[:6]):
                assert find(shelf.copies(), name).name == listed["statement"]
            assert find(shelf.copies(), "Earnings").issuer == "Plateforme"  # SD-JWTs do not say it
            spend_least_linkable_first(shelf)
            say(shelf, "Reply", "Earnings", {"text": "It is so.", "lang": "en", "dateCreated": "2026-11"})
            assert all(one.answers for one in shelf.copies())
            left = delete_statement(shelf, str(listed["statement"]))
            assert len(left) == 3  # the platform is told of each format
            assert shelf.copies() == ()
            assert (await take(shelf, offered(service, *EACH.values()).link, service.clock)).added == 6


def spend_least_linkable_first(shelf: Shelf) -> None:
    """What is asked decides the format; of those that answer, a key that nobody saw counts before the format."""
    for sd, suite, left in ((False, "bbs-2023", 2), (True, "sd-jwt", 1), (False, "bbs-2023", 0), (True, "sd-jwt", 0)):
        (proposal,) = plan(asked(sd=sd), shelf.copies(), contexts=CONTEXTS, at=AT).proposals
        assert (proposal.copy.suite, proposal.copies_left, proposal.fresh) == (suite, left, left > 0)
        shelf.record(asked(sd=sd), [proposal], at=AT, rand=os.urandom)


async def test_a_fresh_copy_of_a_lesser_format_comes_before_one_that_was_seen(database: Any, tmp_path: Path) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        shelf = Shelf(vault)
        async with running(database) as service:
            for form in ("bbs-2023", "ecdsa-sd-2023"):  # each by an offer of its own: with keys of their own
                await take(shelf, offered(service, EACH[form]).link, service.clock, formats=[form], copies=1)
        assert len(statements(shelf.copies())) == 1
        for suite, fresh in (("bbs-2023", True), ("ecdsa-sd-2023", True), ("bbs-2023", False)):
            (proposal,) = plan(asked(sd=False), shelf.copies(), contexts=CONTEXTS, at=AT).proposals
            assert (proposal.copy.suite, proposal.fresh) == (suite, fresh)
            shelf.record(asked(sd=False), [proposal], at=AT, rand=os.urandom)


def described(suite: str, kind: str = "Earnings") -> Json:
    if suite == "sd-jwt":
        return {"format": "dc+sd-jwt", "vct": f"https://w3id.org/ouvrage/v1/types/{kind}"}
    types: list[Json] = ["VerifiableCredential", f"{kind}Credential"]
    signed: list[Json] = [suite]
    definition: Json = {"type": types}
    return {"format": "ldp_vc", "credential_signing_alg_values_supported": signed, "credential_definition": definition}


@pytest.mark.parametrize(
    ("offered_", "taken"),
    [
        (["bbs-2023", "ecdsa-sd-2023", "sd-jwt"], ["bbs-2023", "sd-jwt"]),
        (["ecdsa-sd-2023", "bbs-2023"], ["bbs-2023"]),
        (["ecdsa-sd-2023", "sd-jwt"], ["ecdsa-sd-2023", "sd-jwt"]),
        (["sd-jwt"], ["sd-jwt"]),
        (["eddsa-rdfc-2022"], []),
    ],
)
def test_one_sensible_set_of_each_statement(offered_: list[str], taken: list[str]) -> None:
    both = {f"{kind} {suite}": described(suite, kind) for kind in ("Earnings", "Rating") for suite in offered_}
    assert to_take(both, SENSIBLE) == tuple(f"{kind} {suite}" for kind in ("Earnings", "Rating") for suite in taken)
    mixed = {"a": described("bbs-2023"), "b": described("ecdsa-sd-2023", "Rating"), "c": None}
    assert to_take(mixed, SENSIBLE) == ("a", "b")  # a statement in one format is taken in that
    assert to_take(mixed, ["ecdsa-sd-2023"]) == ("b",)


async def test_an_offer_without_the_wanted_format_costs_nothing(database: Any, tmp_path: Path) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        async with running(database) as service:
            made: Made = offered(service, BBS, JWT)
            with pytest.raises(Unsupported, match="ecdsa-sd-2023"):
                await take(Shelf(vault), made.link, service.clock, formats=["ecdsa-sd-2023"])
            assert (await take(Shelf(vault), made.link, service.clock, formats=["sd-jwt"])).added == 2  # still good


async def test_an_issuer_of_another_host_is_not_believed_in_this_format_either(database: Any, tmp_path: Path) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        async with going_by(database, "web", elsewhere="elsewhere.example") as (service, _):
            with pytest.raises(Rejected, match=r"in the name of elsewhere.example"):
                await take(Shelf(vault), offered(service, JWT).link, service.clock)
        assert Shelf(vault).copies() == ()


@pytest.mark.parametrize(
    ("configuration", "form"),
    [
        ({"format": "ldp_vc", "credential_signing_alg_values_supported": ["ecdsa-sd-2023"]}, "ecdsa-sd-2023"),
        ({"format": "ldp_vc", "credential_signing_alg_values_supported": ["eddsa-rdfc-2022", "bbs-2023"]}, "bbs-2023"),
        ({"format": "ldp_vc", "credential_signing_alg_values_supported": ["eddsa-rdfc-2022"]}, None),
        ({"format": "ldp_vc"}, None),
        ({"format": "dc+sd-jwt"}, "sd-jwt"),
        ({"format": "dc+sd-jwt", "credential_signing_alg_values_supported": ["ES256"]}, "sd-jwt"),
        ({"format": "dc+sd-jwt", "credential_signing_alg_values_supported": ["RS256"]}, None),
        ({"format": "mso_mdoc"}, None),
        ({}, None),
        ("dc+sd-jwt", None),
        (None, None),
    ],
)
def test_which_configurations_are_ours(configuration: Any, form: str | None) -> None:
    assert format_of(configuration) == form


def test_a_format_that_is_none_is_refused() -> None:
    assert parse_formats([]) == SENSIBLE
    assert parse_formats(["sd-jwt", "all"]) == frozenset(FORMATS)
    with pytest.raises(Unsupported, match="known are bbs-2023, ecdsa-sd-2023, sd-jwt and all"):
        parse_formats(["mso_mdoc"])


def test_by_the_commands_from_a_text_file_to_an_answer(tmp_path: Path) -> None:
    ouvrage(tmp_path, "wallet", "init")
    (tmp_path / "file.txt").write_text(sd_jwt(bound=False) + "\n")
    at = ("--at", "2026-11-24T09:30:00Z")
    assert ouvrage(tmp_path, "wallet", "add", "file.txt", *at, "--json").json == {"added": 1, "already": 0}
    (listed,) = ouvrage(tmp_path, "wallet", "list", "--json").json["credentials"]
    assert (listed["type"], [*listed["formats"]], listed["bound"]) == ("Earnings", ["sd-jwt"], False)
    assert "A copy as an SD-JWT" in ouvrage(tmp_path, "wallet", "show", "Earnings").out
    claim = ("--claim", "Earnings.averageAtLeast12m>=1500", "--purpose", "credit.consumer.eu", "--as", "l.example")
    ouvrage(tmp_path, "verifier", "request", *claim, "--format", "sd-jwt", "--out", "r.json")
    (query,) = json.loads((tmp_path / "r.json").read_text())["dcql_query"]["credentials"]
    assert (query["format"], query["claims"][0]["path"]) == ("dc+sd-jwt", ["averageAtLeast12m", None])
    told = ouvrage(tmp_path, "wallet", "request", "r.json", *at, "--json").json
    assert told["unanswered"] == ["Earnings"]  # it is bound to no key, and the verifier asks for one
    refused = ouvrage(tmp_path, "wallet", "accept", "x://y", "--format", "mso_mdoc", ok=False)
    assert refused.code == 2
    assert "known are" in refused.err
