"""One name for how things stand, what would settle it, and a clock that is wrong."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import test_standing as status
from tests.line import AT, answer, checked, credential, good, request, trust
from tests.test_report import EARNINGS, LOAN, TRUST, proven, text_of
from vc.canon import to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined, VcError
from vc.verify import Assurance
from verifier.kept import read_report
from verifier.proven import Said
from verifier.render import to_html
from verifier.report import Report, refused
from verifier.standing import TABLE, Settles, Standing, find_standing
from verifier.words import has_words, phrase

MINUTE = timedelta(minutes=1)


def valid(**changes: Any) -> Report:
    return proven(LOAN, "earnings", "Earnings", EARNINGS, **changes)


DISPUTE = Said("Dispute", {"ground": "wrongFigure", "opened": "2026-11-01", "text": "none", "lang": "en"})


@pytest.mark.parametrize(
    ("report", "standing", "settles"),
    [
        (valid(), Standing.VALID_AS_OF, ()),
        (valid(notes=("CONTESTED",)), Standing.CONTESTED, (Settles.OUTCOME,)),
        (valid(notes=("REFRESH_AVAILABLE",)), Standing.VALID_AS_OF, ()),
        (
            valid(assurance=Assurance.SELF_ASSERTED, issuer=None, key=None),
            Standing.UNKNOWN_ISSUER,
            (Settles.CREDENTIAL,),
        ),
    ],
)
def test_a_valid_answer_has_one_name(report: Report, standing: Standing, settles: tuple[Settles, ...]) -> None:
    assert report.standing == (standing, settles)


def test_a_dispute_of_the_worker_contests_and_a_reply_does_not() -> None:
    (one,) = valid().proven
    disputed = replace(valid(), proven=(replace(one, answers=(DISPUTE,)),))
    assert disputed.standing == (Standing.CONTESTED, (Settles.OUTCOME,))
    replied = replace(valid(), proven=(replace(one, answers=(replace(DISPUTE, type="Reply"),)),))
    assert replied.standing == (Standing.VALID_AS_OF, ())


def no(*codes: str) -> VcError:
    return Rejected(tuple(Finding(code, "x") for code in codes))


@pytest.mark.parametrize(
    ("error", "standing", "settles"),
    [
        (no("PROOF_INVALID"), Standing.REFUSED, (Settles.ANSWER,)),
        (no("NOT_YET_INVENTED"), Standing.REFUSED, (Settles.ANSWER,)),
        (no("EXPIRED", "REVOKED"), Standing.REVOKED, (Settles.CREDENTIAL,)),
        (no("REVOKED", "ISSUER_NOT_TRUSTED"), Standing.UNKNOWN_ISSUER, (Settles.CREDENTIAL, Settles.TRUST)),
        (no("REVOKED", "HOLDER_NOT_SUBJECT"), Standing.REFUSED, (Settles.CREDENTIAL, Settles.ANSWER)),
        (Malformed("/proof", "x"), Standing.REFUSED, (Settles.ANSWER,)),
        (Undetermined("x", "y", code="STATUS_STALE"), Standing.STALE, (Settles.TRUST,)),
        (Undetermined("x", "y", code="DID_UNKNOWN"), Standing.UNKNOWN_ISSUER, (Settles.TRUST,)),
        (Undetermined("x", "y", code="TRUST_DAMAGED"), Standing.CANNOT_TELL, (Settles.TRUST,)),
        (Undetermined("x", "y", code="WRONG_CLOCK"), Standing.CANNOT_TELL, (Settles.CLOCK,)),
    ],
    ids=str,
)
def test_what_is_wrong_has_one_name_and_all_that_settles_it(
    error: VcError, standing: Standing, settles: tuple[Settles, ...]
) -> None:
    report = refused(LOAN, error, trust=TRUST, at=AT)
    assert report.standing == (standing, settles)
    told = report.to_json()
    assert (told["standing"], told["settledBy"]) == (standing.value, [each.value for each in settles])


def test_the_table_is_about_codes_that_exist_and_never_calls_a_fault_valid() -> None:
    assert [code for code in TABLE if not has_words(code)] == []
    good = {Standing.VALID_AS_OF, Standing.CONTESTED}
    assert good.isdisjoint(standing for standing, _ in TABLE.values())
    assert find_standing(["X"], judged=False, contested=True, confirmed=True)[0] is Standing.CANNOT_TELL


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_text_and_page_say_it_in_a_sentence(lang: str) -> None:
    for report in (valid(), refused(LOAN, no("REVOKED"), trust=TRUST, at=AT)):
        said = phrase(f"standing.{report.standing[0]}", lang)
        assert said in text_of(report, lang)
        assert said in to_html(report, lang)


def test_every_name_has_its_words() -> None:
    assert len({phrase(f"standing.{one}", lang) for one in Standing for lang in ("en", "fr")}) == 2 * len(Standing)


def test_a_report_that_was_kept_stands_as_it_stood() -> None:
    for report in (valid(notes=("CONTESTED",)), refused(LOAN, no("REVOKED"), trust=TRUST, at=AT)):
        again = read_report(json.loads(to_json(report.to_json())))
        assert again.standing == report.standing
        assert again.to_json() == report.to_json()


# ---- a clock that is wrong -------------------------------------------------------------------------------------------


def clocks(report_or_codes: Any) -> set[str]:
    codes = [one.code for one in report_or_codes.unchecked] if isinstance(report_or_codes, Report) else report_or_codes
    return {code for code in codes if code.startswith("CLOCK_")}


def test_a_check_at_the_right_time_says_nothing_of_clocks() -> None:
    (one,) = checked(good()).credentials
    assert clocks(one.not_checked) == set()
    assert clocks(valid()) == set()


def test_a_clock_that_is_behind_the_trust_file_is_noticed() -> None:
    trust_day = TRUST.as_of
    assert clocks(valid(trust=replace(TRUST, as_of=AT + 4 * MINUTE))) == set()
    late = valid(trust=replace(TRUST, as_of=AT + 6 * MINUTE))
    assert clocks(late) == {"CLOCK_BEFORE_TRUST"}
    assert "clock of this machine may be wrong" in text_of(late)
    assert "L’horloge" in text_of(late, "fr")
    after = refused(LOAN, no("EXPIRED"), trust=TRUST, at=trust_day - timedelta(hours=1))
    assert clocks(after) == {"CLOCK_BEFORE_TRUST"}


def test_a_clock_that_is_behind_what_was_signed_is_noticed() -> None:
    early = datetime(2026, 11, 23, 23, 50, tzinfo=UTC)  # the answer and the trust file are of the 24th
    (one,) = checked(good(), at=early).credentials
    assert clocks(one.not_checked) == {"CLOCK_BEFORE_ANSWER", "CLOCK_BEFORE_CREDENTIAL"}
    report = refused(LOAN, no("NOT_YET_VALID"), trust=TRUST, at=AT)
    assert clocks(report) == {"CLOCK_BEFORE_CREDENTIAL"}
    assert report.standing == (Standing.REFUSED, (Settles.CLOCK,))


def test_a_clock_that_is_behind_a_status_list_is_noticed() -> None:
    lists = status.trusted(status.listed(as_of=AT + timedelta(hours=1)))
    assert clocks(status.shown(status.REVOCATION, trust=lists).not_checked) == {"CLOCK_BEFORE_STATUS"}
    assert clocks(status.shown(status.REVOCATION, trust=status.trusted(status.listed())).not_checked) == set()


def test_a_clock_that_is_a_whole_day_behind_answers_nothing() -> None:
    asked = request()
    with pytest.raises(Undetermined) as doubt:
        checked(
            replace(good(), request=asked, answer=answer(asked, credential())),
            trusted=trust(),
            at=AT - 2 * 1440 * MINUTE,
        )
    assert doubt.value.code == "WRONG_CLOCK"
