"""The wallet's pages in a real browser: a worker's whole day, by phone and in French; and every page as it looks."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image

from issuer.formats import CONFIGURATIONS
from issuer.offers import PRE_AUTHORIZED, Made, TxCode, make_offer
from tests.browser import NARROW, WIDE, check_page, visit
from tests.line import holder_key
from tests.pages_app import NOW, Site, running_site
from tests.wallet_pages_app import EVIL, Wallet, enter, fill, request_file, running_wallet, unlock
from wallet.web import receive_pages

OFFERED = [f"{kind}_bbs-2023" for kind in ("PlatformMembership", "Earnings", "Rating")]


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    with running_wallet(tmp_path) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "platform"
    folder.mkdir()
    with running_site(folder) as running:
        yield running


def offer(site: Site, *, tx_code: TxCode | None = None) -> Made:
    assert set(OFFERED) <= set(CONFIGURATIONS)
    with site.database.write() as connection:
        return make_offer(
            connection,
            "worker-1",
            OFFERED,
            base=site.base,
            grants=[PRE_AUTHORIZED],
            tx_code=tx_code,
            lifetime=86_400,
            now=NOW,
            rand=os.urandom,
        )


def text(page: Any, where: str = "main") -> str:
    """What a page says, with every space as a plain one."""
    return " ".join(page.locator(where).inner_text().replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def only_loopback(page: Any) -> list[str]:
    """Cut the browser off from everything but this machine; what it asks for, of anybody else."""
    elsewhere: list[str] = []

    def decide(route: Any) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:")):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    page.context.route("**/*", decide)
    return elsewhere


def test_a_day_of_a_worker_on_a_phone_in_french(chromium: Any, wallet: Wallet, site: Site, tmp_path: Path) -> None:
    made = offer(site, tx_code=TxCode.NUMERIC)
    asked = request_file(tmp_path, "Earnings.averageAtLeast12m>=1500", "Earnings.monthly", "Rating")
    with visit(chromium, lang="fr", viewport=NARROW) as page:
        elsewhere = only_loopback(page)
        page.goto(wallet.link)
        assert page.locator("h1").inner_text() == "Créer un portefeuille"
        check_page(page)
        unlock(page)
        check_page(page)
        page.click("text=Recevoir ma première preuve")
        check_page(page)
        page.fill("#text", made.link)
        page.click("main form button >> nth=0")
        assert "Une offre de 127.0.0.1" in page.locator("h1").inner_text()
        check_page(page)
        page.click("main form button")
        assert page.locator("#tx_code-wrong").inner_text() == "Tapez le code que la plateforme vous a envoyé."
        check_page(page)
        page.fill("#tx_code", str(made.tx_code))
        page.click("main form button")
        page.wait_for_selector("main .good", timeout=60_000)
        check_page(page)
        page.click("text=Voir ce que j’ai")
        assert page.locator("h2").all_inner_texts() == ["Courses & Cie"]
        assert page.locator("main li.card").count() == 3
        assert "Copies jamais montrées : 5 sur 5" in text(page)
        check_page(page)

        page.click("nav >> text=Montrer")
        check_page(page)
        page.set_input_files("#file", asked)
        page.click("main form button")
        assert page.locator("h1").inner_text() == "bailleur.example vous demande"
        assert "louer un logement en France" in text(page)
        assert "Ne doit pas être demandé pour cette raison" in text(page)
        check_page(page)
        for part in page.locator("details").all():
            part.locator("summary").click()
        check_page(page)
        for box in page.locator("input[type=checkbox]").all():
            box.set_checked(box.get_attribute("name").endswith("Earnings.averageAtLeast12m"))
        page.click("text=D’accord")
        assert page.locator("h1").inner_text() == "La réponse est prête"
        check_page(page)
        with page.expect_download() as downloading:
            page.click("text=Enregistrer la réponse")
        answer = json.loads(Path(downloading.value.path()).read_text())
        assert list(answer["vp_token"]) == ["Earnings"]
        (presentation,) = answer["vp_token"]["Earnings"]
        subject = presentation["verifiableCredential"][0]["credentialSubject"]
        subject = subject[0] if isinstance(subject, list) else subject
        assert "averageAtLeast12m" in subject
        assert "monthly" not in subject

        page.click("nav >> text=Journal")
        page.fill("#q", "bailleur 1500")
        page.click("main form button")
        check_page(page)
        page.fill("#q", "banque")
        page.click("main form button")
        assert "Rien trouvé." in text(page)
        page.click("text=Tout voir")
        page.click("main li.card a")
        assert "louer un logement en France" in text(page)
        check_page(page)
        page.click("text=Voir cette preuve")
        assert "bailleur.example" in text(page)
        assert "4 sur 5" in text(page)
        check_page(page)
        page.click("header >> text=Verrouiller")
        assert page.url.endswith("/unlock")
        assert page.complaints == [
            "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
        ]
        assert elsewhere == []


PAGES = (
    "/",
    "/insights",
    "/renew",
    "/renew?rebind=yes",
    "/receive",
    "/receive/export",
    "/answer",
    "/ledger",
    "/settings",
    "/nothing-here",
)


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_page_is_accessible_and_fits(
    chromium: Any, wallet: Wallet, tmp_path: Path, lang: str, viewport: dict[str, int]
) -> None:
    """With hostile texts in all of them, in the light and in the dark."""
    fill(wallet)
    asked = request_file(
        tmp_path, "Earnings.monthly", "Rating", "WorkHistory.jobsCompleted", "Qualification", client=EVIL, why=EVIL
    )
    with visit(chromium, lang=lang, viewport=viewport) as page:
        seen: list[str] = []

        def check(url: str = "") -> None:
            if url:
                page.goto(wallet.base + url)
            assert page.locator("html").get_attribute("lang") == lang
            assert page.locator("h1").count() == 1
            check_page(page)
            seen.append(page.url)

        page.goto(wallet.link)
        check()
        page.fill("#passphrase", "not this one")
        page.click("main button")
        check()
        unlock(page)
        for path in PAGES:
            check(path)
        page.emulate_media(color_scheme="dark")
        for place in range(page_count(page, wallet)):
            page.goto(wallet.base)
            page.locator("main li.card a").nth(place).click()
            check()
        name = page.url.rpartition("/")[2]
        for kind in ("reply", "dispute", "delete"):
            check(f"/held/{name}/{kind}")
        page.goto(f"{wallet.base}/answer")
        page.set_input_files("#file", asked)
        page.click("main form button")
        for part in page.locator("details").all():
            part.locator("summary").click()
        check()
        for box in page.locator("input[type=checkbox]").all():
            box.uncheck()
        page.click("main button.big")
        check()
        page.locator("input[type=checkbox]").first.check()
        page.click("main button.big")
        check()
        for path in ("/ledger", "/ledger/1", "/ledger?q=zzz"):
            check(path)
        page.emulate_media(color_scheme="light")
        check("/ledger/1")
        page.click("header form button")
        check()
        assert len(seen) > 20
        assert not [one for one in page.complaints if "Failed to load resource" not in one]


def page_count(page: Any, wallet: Wallet) -> int:
    page.goto(wallet.base)
    return int(page.locator("main li.card a").count())


def test_hostile_texts_are_texts(chromium: Any, wallet: Wallet, tmp_path: Path) -> None:
    fill(wallet)
    asked = request_file(tmp_path, "Earnings.monthly", client=EVIL, why=EVIL)
    with visit(chromium, viewport=NARROW) as page:
        enter(page, wallet)
        assert "<script>alert(1)" in text(page)
        page.locator("main li.card a").first.click()
        assert "<script>alert(1)</script>" in text(page)
        page.goto(f"{wallet.base}/answer")
        page.set_input_files("#file", asked)
        page.click("main form button")
        assert page.locator("h1").inner_text().startswith("<script>alert(1)</script>")
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page.content()
        assert page.locator("main script, main img").count() == 0
        assert page.complaints == []


def test_a_picture_of_a_qr_code_is_an_offer(chromium: Any, wallet: Wallet, site: Site, tmp_path: Path) -> None:
    made = offer(site)
    picture, blank = tmp_path / "offer.png", tmp_path / "blank.png"
    segno.make(made.link).save(str(picture), scale=4)
    Image.new("RGB", (300, 300), "white").save(blank)
    with visit(chromium, script=False) as page:
        enter(page, wallet)
        page.goto(f"{wallet.base}/receive")
        page.set_input_files("#file", blank)
        page.click("main form button >> nth=0")
        assert "There is no QR code" in text(page, ".wrong")
        page.set_input_files("#file", picture)
        page.click("main form button >> nth=0")
        page.click("main form button")
        page.wait_for_selector("main .good", timeout=60_000)
        assert "15" in text(page, "main .good")
        page.goto(f"{wallet.base}/receive")
        page.fill("#text", made.link)
        page.click("main form button >> nth=0")
        assert "the offer was used" in text(page, ".wrong")


def test_an_offer_that_takes_a_while(
    chromium: Any, wallet: Wallet, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = offer(site)
    with visit(chromium, lang="fr", viewport=NARROW) as page:
        enter(page, wallet)
        page.goto(f"{wallet.base}/receive")
        page.fill("#text", made.link)
        page.click("main form button >> nth=0")
        with monkeypatch.context() as patched:
            patched.setattr(receive_pages, "PATIENCE", 0)
            page.click("main form button")
            assert page.locator("h1").inner_text() == "Réception en cours"
            check_page(page)
        page.click("text=Regarder encore")
        page.wait_for_selector("main .good", timeout=60_000)
        assert page.complaints == []


def test_a_reply_and_a_dispute_by_keyboard(chromium: Any, wallet: Wallet) -> None:
    fill(wallet)
    with visit(chromium, lang="fr", viewport=NARROW) as page:
        enter(page, wallet)
        page.click("main li.card >> text=Revenus")
        page.get_by_role("link", name="Répondre", exact=True).click()
        page.focus("#text")
        page.keyboard.type("Appelez-moi au 06 12 34 56 78.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert "un numéro de téléphone" in text(page, "[role=alert]")
        check_page(page)
        page.fill("#text", "Deux mois sont trop bas.")
        page.click("main form button")
        assert "Deux mois sont trop bas." in text(page, "blockquote")
        check_page(page)
        page.get_by_role("link", name="Contester", exact=True).click()
        page.evaluate("document.querySelector('form[enctype]').noValidate = true")
        page.click("main form button >> nth=0")
        assert page.locator("#ground").get_attribute("aria-invalid") == "true"
        assert page.evaluate("document.activeElement.className") == "wrong"
        check_page(page)
        page.select_option("#ground", index=1)
        page.set_input_files("#evidence", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"proof"})
        page.click("main form button >> nth=0")
        assert page.locator("blockquote").count() == 2
        page.click("text=Changer ma contestation")
        check_page(page)
        with page.expect_download() as downloading:
            page.click("text=Enregistrer le fichier")
        signed = json.loads(Path(downloading.value.path()).read_text())
        assert signed["issuer"] == holder_key().did
        page.click("text=Retirer ma contestation")
        page.click("text=Changer ma réponse")
        page.click("text=Retirer ma réponse")
        assert page.locator("blockquote").count() == 0


def test_the_way_through_a_page_by_keyboard(chromium: Any, wallet: Wallet) -> None:
    fill(wallet)
    with visit(chromium, viewport=NARROW) as page:
        enter(page, wallet)
        page.goto(f"{wallet.base}/receive")
        order = []
        for _ in range(14):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
        bar = ["What I hold", "Receive", "Show", "Ledger", "Settings", "Lock"]
        assert order[:11] == ["Skip to the content", "English", "Français", *bar, "text", "file"]
        page.goto(f"{wallet.base}/receive")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


def test_the_wallet_locks_itself(chromium: Any, wallet: Wallet) -> None:
    fill(wallet)
    with visit(chromium) as page:
        enter(page, wallet)
        assert page.locator("main li.card").count() == 5
        wallet.clock.seconds += 601
        page.click("nav >> text=Ledger")
        assert page.url.endswith("/unlock")
        unlock(page)
        assert page.locator("main li.card").count() == 5


def test_a_landlord_who_asks_too_much_gets_a_smaller_answer(chromium: Any, wallet: Wallet, tmp_path: Path) -> None:
    fill(wallet, evil=False)
    asked = request_file(
        tmp_path, "PlatformMembership.memberSince", "Earnings.monthly", "Review", accept_possession=True
    )
    with visit(chromium, lang="fr", viewport=NARROW) as page:
        enter(page, wallet)
        page.goto(f"{wallet.base}/answer")
        page.set_input_files("#file", asked)
        page.click("main form button")
        assert "Une réponse plus petite suffirait" in text(page)
        check_page(page)
        with page.expect_download() as downloading:
            page.click("text=Enregistrer le message")
        told = json.loads(Path(downloading.value.path()).read_text())
        assert (told["type"], told["to"]) == ("OuvrageCounterOffer", "bailleur.example")
        assert any(one.startswith("Earnings.averageAtLeast") for one in told["ask"])
        page.click("nav >> text=Journal")
        assert "Dit dans un message, sans preuve." in text(page)
        check_page(page)
        page.goto(f"{wallet.base}/ledger/1")
        check_page(page)

        asked = request_file(tmp_path, "Earnings.averageAtLeast12m>=1500", "Review")
        page.goto(f"{wallet.base}/answer")
        page.set_input_files("#file", asked)
        page.click("main form button")
        page.click("text=D’accord : ne montrer que cela")
        assert page.locator("h1").inner_text() == "La réponse est prête"
        page.goto(f"{wallet.base}/ledger/2")
        assert page.locator("main .card h3").all_inner_texts() == ["Revenus"]
        check_page(page)
        with page.expect_download() as downloading:
            page.click("text=Enregistrer la lettre")
        letter = Path(downloading.value.path()).read_text()
        assert "bailleur.example" in letter
        assert '<html lang="fr">' in letter
        page.goto(f"{wallet.base}/insights")
        assert page.locator("figure svg").count() == 2
        for part in page.locator("details").all():
            part.locator("summary").click()
        check_page(page)
        assert page.complaints == []
