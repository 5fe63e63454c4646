"""The worker's story in one go: three credentials, a landlord who asks too much, a machine that is lost; in French."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import wallet_story as story
from tests.browser import NARROW, check_page, visit
from tests.cli import ouvrage


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    with story.platform(tmp_path / "platform") as home:
        yield home


def says(page: Any) -> str:
    """What a page says, with every space as a plain one."""
    return " ".join(page.locator("main").inner_text().replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def test_from_an_offer_to_a_ledger_that_outlives_the_machine(chromium: Any, platform: Path, tmp_path: Path) -> None:
    seen: dict[str, str] = {}

    def look(page: Any, name: str) -> None:
        assert page.locator("html").get_attribute("lang") == "fr"
        check_page(page)
        seen[name] = says(page)

    link, code = story.offer(platform)
    asked = story.request(platform)
    with visit(chromium, lang="fr", viewport=NARROW) as page:
        with story.machine(tmp_path / "first") as served:
            page.goto(served["url"])
            story.receive(page, link, code, look)
            shown = story.answer(page, asked, tmp_path / "reponse.json", look)
            backup = story.back_up(page, tmp_path / "portefeuille.backup", look)
            before = story.ledger(page, served["base"])
        assert not (tmp_path / "first").exists()
        with story.machine(tmp_path / "second") as served:
            page.goto(served["url"])
            story.restore(page, backup, look)
            assert story.ledger(page, served["base"]) == before
            page.click("nav >> text=Ce que j’ai")
            assert page.locator("main li.card").count() == 3
            # One key binds a copy of each proof: whoever has seen it would recognise the other two.
            assert says(page).count("Copies jamais montrées : 4 sur 5") == 3
        assert not page.complaints

    assert story.PLATFORM in seen["home"]
    assert "Si cet appareil casse ou est volé" in seen["home"]
    assert "Une réponse plus petite suffirait" in seen["request"]
    assert "Ne doit pas être demandé pour cette raison" in seen["request"]
    assert "au moins 500 par mois en moyenne sur 12 mois" in seen["ledger"]
    assert seen["ledger-again"] == seen["ledger"]
    assert "rouverte, et comparée élément par élément" in seen["backed-up"]
    assert "Tout y est." in seen["settings"]
    assert before["whole"] is True
    assert [one["verifier"] for one in before["ledger"]] == ["bailleur.example"]
    raw = backup.read_bytes()
    assert b"bailleur" not in raw
    assert b"Earnings" not in raw

    (platform / "entry.json").write_text(ouvrage(platform, "issuer", "keys", "--json").out)
    ouvrage(platform, "verifier", "trust", "add", "entry.json")
    report = ouvrage(platform, "verifier", "check", shown, "--request", asked, "--json", ok=False).json
    (proven,) = report["proven"]
    assert proven["claims"]["averageAtLeast12m"] == ["000500"]
    assert "monthly" not in json.dumps(report["proven"])
