"""Evidence packs: checked again years later, offline; nothing in one can be changed unseen."""

import io
import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli import ouvrage
from tests.line import AT, answer, entry, issuer_keys, rand_from, trust
from tests.test_standing import LIST, REVOCATION, SECOND_LIST, listed, presentation, trusted
from tests.test_standing import credential as with_status
from vc.canon import to_json
from vc.errors import Malformed, Rejected, VcError
from vc.oid4vp import parse_request
from vc.trust import Trust
from verifier.evidence import Case, pack, unknown_keys, unpack
from verifier.report import Verdict
from verifier.request import Wanted, build_request

POLICY = b"""
name = "Income"
purpose = "credit.consumer.eu"
[[require]]
claim = "Earnings.averageAtLeast12m"
atLeast = 1500
where = {currency = "USD"}
"""


def asked() -> bytes:
    wanted = [Wanted.parse("Earnings.averageAtLeast12m>=1500")]
    return to_json(
        build_request(
            wanted, client_id="lender.example", purpose="credit.consumer.eu", necessity="", retention_days=30,
            ask_anyway=False, accept_possession=False, rand=rand_from("evidence"),
        )
    )  # fmt: skip


def case(**changes: Any) -> Case:
    raw = asked()
    shown = to_json(answer(parse_request(raw)))
    return Case(**{"answer": shown, "request": raw, "at": AT, "rules": POLICY, **changes})


def wide_trust() -> Trust:
    """Trust in the issuer of the answer, and in another who has nothing to do with it."""
    other = entry(issuer_keys("another"), name="Another", legalIdentifier="000 000 009")
    return trust(entry(issuer_keys()), other)


def changed(raw: bytes, name: str, new: bytes | None, *, relist: bool = True) -> bytes:
    """The pack with one file in another form, and its list as it has to be for that."""
    with zipfile.ZipFile(io.BytesIO(raw)) as old:
        files = {each: old.read(each) for each in old.namelist()}
    files.pop(name)
    if new is not None:
        files[name] = new
    if relist:
        listed_ = json.loads(files.pop("evidence.json"))
        listed_["files"] = {each: sha256(one).hexdigest() for each, one in files.items()}
        files["evidence.json"] = json.dumps(listed_).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as again:
        for each, one in files.items():
            again.writestr(each, one)
    return made.getvalue()


def test_a_pack_checks_again_and_says_the_same() -> None:
    held = wide_trust()
    made = pack(case(), held, lang="fr")
    opened = unpack(made)
    assert opened.report.verdict is Verdict.VALID
    assert opened.report.decision is not None
    assert opened.trust_digest == held.digest
    assert made == pack(case(), held, lang="fr")


def test_it_holds_of_the_trust_what_was_looked_at_and_no_more() -> None:
    opened = unpack(pack(case(), wide_trust(), lang="en"))
    assert [issuer.name for issuer in opened.trust.issuers] == ["Example platform"]


def test_a_refused_answer_is_evidence_too() -> None:
    opened = unpack(pack(case(), trust(entry(issuer_keys("another"))), lang="en"))
    assert (opened.report.verdict, opened.trust.issuers) == (Verdict.REFUSED, ())


def test_status_lists_that_were_looked_at_go_with_it() -> None:
    request = to_json({**json.loads(asked()), "nonce": "c" * 32, "client_id": "lender"})
    shown = to_json({"vp_token": {"Earnings": [presentation(with_status(REVOCATION))]}})
    held = trusted(listed(), listed(url=SECOND_LIST))
    opened = unpack(pack(case(answer=shown, request=request, rules=None), held, lang="en"))
    assert list(opened.trust.status_lists) == [LIST]
    assert opened.report.verdict is Verdict.VALID


def test_keys_are_compared_with_the_trust_that_is_held_later() -> None:
    opened = unpack(pack(case(), trust(), lang="en"))
    assert unknown_keys(opened, wide_trust()) == ()
    assert set(unknown_keys(opened, trust(entry(issuer_keys("another"))))) == {
        key.method for issuer in opened.trust.issuers for key in issuer.keys
    }
    renamed = trust(entry(issuer_keys(), legalIdentifier="000 000 005"))
    assert unknown_keys(opened, renamed)


@pytest.mark.parametrize(
    "name", ["answer.json", "request.json", "trust.json", "policy.toml", "report.json", "report.html"]
)
def test_a_changed_file_is_seen(name: str) -> None:
    made = pack(case(), trust(), lang="en")
    with pytest.raises(Malformed) as caught:
        unpack(changed(made, name, b"{}", relist=False))
    assert caught.value.code == "EVIDENCE_CHANGED"


def test_a_report_that_says_more_than_the_check_is_refused_though_its_list_fits() -> None:
    made = pack(case(), trust(), lang="en")
    report = unpack(made).report.to_json()
    better = to_json({**report, "notChecked": []})
    with pytest.raises(Rejected) as caught:
        unpack(changed(made, "report.json", better))
    assert [one.code for one in caught.value.findings] == ["EVIDENCE_DIFFERS"]
    empty = to_json({"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z", "issuers": []})
    with pytest.raises(Rejected):  # a trust that trusts nobody makes another report
        unpack(changed(made, "trust.json", empty))


@pytest.mark.parametrize("name", ["answer.json", "trust.json", "report.html", "evidence.json"])
def test_a_pack_without_a_file_is_none(name: str) -> None:
    made = pack(case(), trust(), lang="en")
    with pytest.raises(Malformed) as caught:
        unpack(changed(made, name, None, relist=name != "evidence.json"))
    assert caught.value.code == "BAD_EVIDENCE"


def test_a_pack_with_more_in_it_or_with_a_bomb_is_none() -> None:
    made = pack(case(), trust(), lang="en")
    with_more = io.BytesIO(made)
    with zipfile.ZipFile(with_more, "a") as added:
        added.writestr("../../etc/x", b"x")
    with pytest.raises(Malformed, match="hold the files"):
        unpack(with_more.getvalue())
    bomb = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, b" " * (17 << 20) if each == "trust.json" else old.read(each))
    assert len(bomb.getvalue()) < 1 << 20
    with pytest.raises(Malformed) as caught:
        unpack(bomb.getvalue())
    assert caught.value.code == "TOO_LARGE"


@given(raw=st.binary(max_size=300), place=st.integers(0, 3000), bit=st.integers(0, 7))
def test_only_our_errors_leave(raw: bytes, place: int, bit: int) -> None:
    with pytest.raises(VcError):
        unpack(raw)
    spoilt = bytearray(MADE)
    spoilt[place % len(spoilt)] ^= 1 << bit
    try:
        opened = unpack(bytes(spoilt))
    except VcError:
        return
    assert opened.report.to_json() == unpack(MADE).report.to_json()  # the bit was in what zip does not need


MADE = pack(case(), trust(), lang="en")


def test_the_commands(tmp_path: Path) -> None:
    one = case(rules=None)
    (tmp_path / "answer.json").write_bytes(one.answer)
    (tmp_path / "request.json").write_bytes(one.request)
    document = {"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z", "issuers": [entry(issuer_keys())]}
    (tmp_path / "verifier").mkdir()
    (tmp_path / "verifier" / "trust.json").write_text(json.dumps(document))
    done = ouvrage(
        tmp_path, "verifier", "check", tmp_path / "answer.json", "--request", tmp_path / "request.json",
        "--at", "2026-11-24", "--evidence", tmp_path / "case.zip", "--json",
    )  # fmt: skip
    again = ouvrage(tmp_path, "verifier", "evidence", tmp_path / "case.zip", "--json")
    assert again.json["report"] == done.json
    assert again.json["unknownKeys"] == []
    (tmp_path / "verifier" / "trust.json").unlink()
    told = ouvrage(tmp_path, "verifier", "evidence", tmp_path / "case.zip", "--lang", "fr").out
    assert "Personne n’est digne de confiance ici" in told
    assert "Rapport de vérification" in told
