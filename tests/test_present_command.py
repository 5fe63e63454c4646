"""``ouvrage wallet request`` and ``present`` over the network, as a worker runs them."""

import asyncio
import json
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cli import ROOT as ROOT_FOLDER
from tests.cli import Done, ouvrage
from tests.line import AT, Shown, checked, credential
from tests.verifying import NONCE, OTHER_ROOT, ROOT, Verifier, certified, dcql, verifying
from vc.canon import to_json
from vc.oid4vp import parse_request
from vc.request_object import request_link

DAY = ("--at", f"{AT:%Y-%m-%d}")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wallet with one copy that is bound to its key."""
    folder = tmp_path_factory.mktemp("online")
    ouvrage(folder, "wallet", "init")
    (did,) = ouvrage(folder, "wallet", "keys", "--count", "1", "--json").json["keys"]
    holder: Any = SimpleNamespace(did=did)
    (folder / "credentials.json").write_bytes(to_json([credential(holder=holder)]))
    ouvrage(folder, "wallet", "add", "credentials.json", *DAY)
    (folder / "root.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    (folder / "other.pem").write_bytes(OTHER_ROOT.certificate.public_bytes(Encoding.PEM))
    return folder


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with verifying() as one:
        one.by_certificate(certified("localhost"))
        yield one


async def wallet(home: Path, *words: str, ok: bool = True) -> Done:
    return await asyncio.to_thread(ouvrage, home, "wallet", *words, *DAY, ok=ok)


def ledger(home: Path) -> list[Any]:
    entries = ouvrage(home, "wallet", "ledger", "--json").json["ledger"]
    assert isinstance(entries, list)
    return entries


async def test_what_a_request_asks_and_who_it_is_from(stock: Path, verifier: Verifier) -> None:
    told = await wallet(stock, "request", verifier.link(), "--root", "root.pem")
    assert "“CN=Verifiers' root”, which you trust, vouches for that name." in told.out
    assert f"The answer goes to {verifier.base.removeprefix('http://')}." in told.out
    alone = await wallet(stock, "request", verifier.link(request_uri_method="post"), "--lang", "fr")
    assert "Signé par localhost, qui le dit de lui-même" in alone.out
    plain = await wallet(stock, "request", verifier.plain(), "--json")
    assert (plain.json["client"]["voucher"], plain.json["answeredBefore"]) == ("nobody", False)
    assert plain.json["replyTo"] == f"{verifier.base}/response"
    assert (verifier.got, ledger(stock)) == ([], [])


async def test_who_is_trusted_to_say_who_asks(stock: Path, verifier: Verifier) -> None:
    def trust(*words: str) -> Any:
        return ouvrage(stock, "wallet", "trust", *words, "--json").json

    assert trust() == {"roots": []}
    (kept,) = trust("other.pem")["roots"]
    assert kept["subject"] == "CN=Another root"
    refused = await wallet(stock, "present", verifier.link(), "--yes", ok=False)
    assert (refused.code, "CHAIN_INVALID" in refused.err) == (1, True)
    assert len(trust("root.pem")["roots"]) == 2
    told = await wallet(stock, "request", verifier.link(), "--json")
    assert (told.json["client"]["voucher"], told.json["client"]["by"]) == ("root", "CN=Verifiers' root")
    for name in [one["name"] for one in trust()["roots"]]:
        assert trust("--remove", name[:8]) == {"removed": name}
    assert trust() == {"roots": []}
    junk = ouvrage(stock, "wallet", "trust", "credentials.json", ok=False)
    assert (junk.code, "BAD_CERTIFICATE" in junk.err) == (2, True)
    assert "ouvrage wallet trust FILE" in ouvrage(stock, "wallet", "trust").out


async def test_the_answer_is_sent_and_stands_in_the_ledger(stock: Path, verifier: Verifier) -> None:
    verifier.reply = lambda: web.json_response({"redirect_uri": "https://lender.example/go#1"})
    before = ledger(stock)
    refused = await wallet(stock, "present", verifier.link(), ok=False)
    assert (refused.code, "NOT_AGREED" in refused.err, verifier.got) == (2, True, [])
    done = await wallet(stock, "present", verifier.link(), "--yes")
    assert "open this address yourself, if you want to: https://lender.example/go#1" in done.out
    received = verifier.received()
    asked = parse_request(to_json(verifier.request()))
    (shown,) = checked(Shown(asked, json.loads(received.answer or b""))).credentials
    assert shown.claims["averageAtLeast12m"] == ["001500"]
    entry = ledger(stock)[-1]
    assert (len(ledger(stock)), entry["verifier"], entry["nonce"]) == (
        len(before) + 1,
        "x509_san_dns:localhost",
        NONCE,
    )
    again = await wallet(stock, "request", "--request", verifier.link())
    assert "this very request was answered before" in again.out


async def test_what_is_not_taken_is_told(stock: Path, verifier: Verifier) -> None:
    verifier.reply = lambda: web.json_response({"error": "too_late"}, status=400)
    verifier.members["nonce"] = "another-nonce-of-it-1"
    done = await wallet(stock, "present", verifier.link(), "--yes", "--lang", "fr", ok=False)
    assert done.code == 1
    assert "n’a pas été accepté" in done.err
    assert "too_late" in done.err
    first, second = ledger(stock)[-2:]
    assert (second["notDelivered"], "too_late" in second["why"]) == (first["number"], True)
    told = ouvrage(stock, "wallet", "ledger").out.splitlines()[-1]
    assert f"did not take what line {first['number']} says" in told


async def test_a_no_is_told_and_nothing_else(stock: Path, verifier: Verifier) -> None:
    before = ledger(stock)
    done = await wallet(stock, "present", verifier.link(), "--decline", "--json")
    assert done.json == {"declined": f"{verifier.base}/response", "redirect": None}
    received = verifier.received()
    assert (received.error, received.answer) == ("access_denied", None)
    assert ledger(stock) == before


async def test_links_in_files_and_answers_in_files(stock: Path, verifier: Verifier) -> None:
    verifier.members["nonce"] = "another-nonce-of-it-2"
    (stock / "link.txt").write_text(f"{verifier.link()}\n")
    (stock / "link.json").write_bytes(to_json({"request": verifier.link(), "result": "https://a.example"}))
    for file in ("link.txt", "link.json"):
        told = await wallet(stock, "request", file, "--json")
        assert told.json["verifier"] == "x509_san_dns:localhost"
    done = await wallet(stock, "present", "link.txt", "--yes", "--out", "kept.json", "--json")
    assert (done.json["answer"], verifier.got) == ("kept.json", [])
    assert "vp_token" in json.loads((stock / "kept.json").read_bytes())
    (stock / "request.json").write_bytes(to_json(verifier.request()))
    alone = await wallet(stock, "request", "request.json", "--json")
    assert "client" not in alone.json
    nobody = await wallet(stock, "present", "request.json", "--decline", ok=False)
    assert (nobody.code, "nobody to tell" in nobody.err) == (2, True)


async def test_less_than_is_asked_is_said_to_be_less(stock: Path, verifier: Verifier) -> None:
    verifier.members["dcql_query"] = dcql("Earnings.averageAtLeast12m>=1500", "Rating")
    told = await wallet(stock, "request", verifier.link())
    assert "This is less than the request asks." in told.out
    verifier.members |= {"dcql_query": dcql("Earnings.averageAtLeast12m>=1500", "Earnings.monthly"), "nonce": "a" * 20}
    assert "This is less" not in (await wallet(stock, "request", verifier.link())).out
    chosen = await wallet(stock, "present", verifier.link(), "--choose", "Earnings.averageAtLeast12m", "--yes")
    assert "This is less than the request asks." in chosen.out


@pytest.mark.parametrize("words", [(), ("request.json", "--request", "request.json"), ("nothing-here",)])
def test_a_request_is_given_once(stock: Path, words: tuple[str, ...]) -> None:
    done = ouvrage(stock, "wallet", "present", *words, ok=False)
    assert done.code == 2
    assert "Traceback" not in done.err


async def test_everything_that_is_asked_without_a_reason_is_called_unusual(stock: Path, verifier: Verifier) -> None:
    link = request_link({**verifier.request(purpose=None), "client_id": f"redirect_uri:{verifier.base}/response"})
    told = await wallet(stock, "request", link)
    assert "Nobody vouches for who asks" in told.out
    assert "Unusual for this purpose" in told.out


def test_both_languages_say_the_same_things() -> None:
    texts = tomllib.loads((ROOT_FOLDER / "wallet" / "online.toml").read_text(encoding="utf-8"))
    fields = {lang: {name: set(re.findall(r"{\w+}", text)) for name, text in texts[lang].items()} for lang in texts}
    assert set(fields) == {"en", "fr"}
    assert fields["en"] == fields["fr"]
