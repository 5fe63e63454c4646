"""The pages with QR codes in a real browser: codes in turn without a script, and a card that prints on one sheet."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.browser import NARROW, WIDE, check_page, visit
from tests.line import AT, answer, copy, credential, request
from vc.canon import to_json
from vc.frames import Kind, Message, join, split
from vc.io.codes import TURN, Subject, page
from vc.io.pictures import read_codes
from vc.oid4vp import Request
from wallet.card import drawn_answer
from wallet.choose import plan
from work import CONTEXTS
from work.dictionary import DICTIONARIES

KINDS = {"short": ("RatingBand",), "long": ("Earnings.averageAtLeast12m>=1500", "RatingBand", "WorkHistory")}


def answered(name: str) -> tuple[Request, dict[str, Any], tuple[str, ...]]:
    asked = request(*KINDS[name], client="landlord.example")
    given = answer(asked, *(credential(claim.partition(".")[0]) for claim in KINDS[name]))
    return asked, given, split(Message(Kind.ANSWER, to_json(given)), dictionaries=DICTIONARIES)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, lang in (("short", "en"), ("long", "fr")):
        asked, given, texts = answered(name)
        (folder / f"{name}.html").write_bytes(page(texts, Subject("answer", lang)).html)
        copies = [copy(credential(claim.partition(".")[0])) for claim in KINDS[name]]
        made = plan(asked, copies, contexts=CONTEXTS, at=AT)
        target = folder / f"{name}.card.html"
        drawn = drawn_answer(given, asked, made.proposals, qr=None, card=target, at=AT, lang=lang)
        target.write_bytes(drawn[target])
    return folder


@pytest.fixture(params=["short", "long", "short.card", "long.card"])
def opened(chromium: Any, pages: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    with visit(chromium, viewport=NARROW) as shown:
        shown.goto((pages / f"{request.param}.html").as_uri())
        yield shown


def test_every_page_is_accessible_and_fits_a_phone(opened: Any) -> None:
    check_page(opened)
    opened.set_viewport_size(WIDE)
    check_page(opened)
    assert opened.complaints == []


def seen(shown: Any) -> tuple[str, ...]:
    """What a camera would read on the screen."""
    return read_codes(shown.screenshot(full_page=True), where="screen")


def test_codes_take_turns_and_stand_still_when_asked(chromium: Any, pages: Path) -> None:
    _, given, texts = answered("long")
    with visit(chromium, viewport=WIDE) as shown:
        shown.emulate_media(reduced_motion="no-preference")
        shown.goto((pages / "long.html").as_uri())
        found: list[str] = []
        for _ in range(4 * len(texts)):
            found += [text for text in seen(shown) if text not in found]
            if len(found) == len(texts):
                break
            shown.wait_for_timeout(TURN * 400)
        assert join(found, dictionaries=DICTIONARIES).raw == to_json(given)
        for number, text in enumerate(texts, start=1):
            shown.get_by_label(f"Numéro {number}", exact=True).check()
            assert seen(shown) == (text,)


def test_who_wants_no_motion_sees_all_codes_at_once(chromium: Any, pages: Path) -> None:
    _, _, texts = answered("long")
    with visit(chromium, viewport=WIDE) as shown:
        shown.emulate_media(reduced_motion="reduce")
        shown.goto((pages / "long.html").as_uri())
        assert shown.get_by_text("Tous, l’un sous l’autre").is_visible()
        assert not shown.get_by_text("Tous, tour à tour").is_visible()
        assert set(seen(shown)) == set(texts)


@pytest.mark.parametrize("name", ["short", "long"])
def test_a_card_prints_with_every_code_on_it(chromium: Any, pages: Path, name: str) -> None:
    _, given, _ = answered(name)
    with visit(chromium, viewport={"width": 794, "height": 1123}) as shown:
        shown.goto((pages / f"{name}.card.html").as_uri())
        shown.emulate_media(media="print")
        assert join(seen(shown), dictionaries=DICTIONARIES).raw == to_json(given)
        printed = shown.pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") == (1 if name == "short" else 3)
    assert BytesIO(printed).read(5) == b"%PDF-"
