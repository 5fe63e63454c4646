"""Errors of the wallet's commands in French; in English, and for scripts, as they were."""

from pathlib import Path

from tests.cli import ouvrage
from vc.errors import Finding, Malformed, Rejected
from wallet.refusals import told
from wallet.web.phrases import has_phrase

WRONG = Rejected((Finding("WRONG_PASSPHRASE", "the passphrase is wrong"),))


def test_an_error_is_told_in_the_language_that_was_asked_for() -> None:
    first, detail = told(WRONG, ["list", "--lang", "fr"])
    assert first.endswith("[WRONG_PASSPHRASE]")
    assert "phrase secrète" in first
    assert detail.endswith("en anglais\N{NO-BREAK SPACE}: the passphrase is wrong")
    assert told(WRONG, ["list", "--lang=fr"]) == (first, detail)
    for arguments in (["list"], ["list", "--lang", "en"], ["list", "--lang", "de"], ["--lang"]):
        assert told(WRONG, arguments) == ()


def test_an_error_without_a_sentence_of_its_own_is_told_in_general() -> None:
    assert not has_phrase("refused.BAD_NONCE")
    first, detail = told(Malformed("the nonce endpoint", "gives no nonce", code="BAD_NONCE"), ["--lang", "fr"])
    assert "[BAD_NONCE]" in first
    assert "gives no nonce" in detail


def test_by_the_command(tmp_path: Path) -> None:
    done = ouvrage(tmp_path, "wallet", "list", "--lang", "fr", ok=False)
    assert done.code == 2
    assert done.err.count("ouvrage: ") == 2
    assert "[NO_VAULT]" in done.err
    assert "there is no vault" in done.err
    assert ouvrage(tmp_path, "wallet", "list", "--lang", "fr", "--json", ok=False).json["error"]["code"] == "NO_VAULT"
