"""Attesting: rows that cannot be understood, rows that appear twice, files that are no exports; every cent is found."""

import csv
import errno
import io
import os
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.attest import Attested, attest
from issuer.intake import Progress
from issuer.profile import load_profile
from issuer.reconciliation import Lot, Reconciliation
from vc.errors import Malformed, Rejected, VcError
from work.statement import SourceMethod

HEADER = "Date,Contract,Hours,Amount,Payment type"
GOOD = "2024-05-02,Map (1),2,50,"
SALT = bytes(32)


def upwork(folder: Path, *rows: str, header: str = HEADER, end: str = "\n", encoding: str = "utf-8") -> Attested:
    path = folder / "report.csv"
    path.write_bytes(end.join((header, *rows, "")).encode(encoding))
    return attest(load_profile("upwork"), [path], salt=SALT)


def claims(made: Attested, kind: str) -> dict[str, str | tuple[str, ...]]:
    return dict(next(one for one in made.statements if one.type == kind).claims)


def rejects(made: Attested) -> list[tuple[int, str, str]]:
    return [(one.line, one.reason, one.value) for one in made.rejects]


# Rows that cannot be understood.


@pytest.mark.parametrize(
    ("row", "reason", "value"),
    [
        ("2024-13-02,Map (1),2,50,", "Date not understood", "2024-13-02"),
        ("10.0,Map (1),2,50,", "Date not understood", "10.0"),
        ("05.07.2024,Map (1),2,50,", "Date not understood", "05.07.2024"),
        ("1024-05-02,Map (1),2,50,", "Date not understood", "1024-05-02"),
        (",Map (1),2,50,", "Date is empty", ""),
        ("2024-05-02,Map (1),two,50,", "Hours not understood", "two"),
        ('2024-05-02,Map (1),2,"50,5",', "Amount not understood", "50,5"),
        ("2024-05-02,Map (1),2,€50,", "Amount not understood", "€50"),
        ("2024-05-02,Map (1),2,1e3,", "Amount not understood", "1e3"),
        ("2024-05-02,Map (1),2,NaN,", "Amount not understood", "NaN"),
        ("2024-05-02,Map (1),2,,", "Amount is empty", ""),
        ("2024-05-02,Map (1),2,NULL,", "Amount is empty", ""),
        ("2024-05-02,Map (1),2,50,Refund", "Payment type not understood", "Refund"),
        ("2024-05-02,Map (1),,50,", "hourly work without hours", ""),
        ("2024-05-02,Map (1),-1,50,", "not between 0 and 24 hours in a day", ""),
        ("2024-05-02,,2,50,", "work without a contract", ""),
        ("2024-05-02,Map (1),2,50", "4 fields instead of 5", ""),
        ("2024-05-02,Map (1),2,50,,", "6 fields instead of 5", ""),
        ('2024-05-02,"Map" (1),2,50,', "the quotes do not add up (',' expected after '\"')", ""),
    ],
)
def test_a_row_that_is_not_understood_is_rejected_with_line_and_reason(
    tmp_path: Path, row: str, reason: str, value: str
) -> None:
    made = upwork(tmp_path, GOOD, row, "2024-05-03,Map (1),1,25,")
    assert rejects(made) == [(3, reason, value)]
    assert claims(made, "Earnings")["total"] == "75.00"
    assert (made.reconciliation.rows_in, made.reconciliation.rows_used) == (3, 2)


def test_lines_are_the_lines_of_the_file(tmp_path: Path) -> None:
    made = upwork(
        tmp_path,
        "",
        '2024-05-02,"Map\nof\r\nthe ""coast"" (1)",2,50,',
        "",
        "2024-05-03,Map (1),x,50,",
        '2024-05-04,"Map\n(1)",1',
        '2024-05-05,"Map\n(1)",y,50,',
        GOOD,
    )
    assert [line for line, _, _ in rejects(made)] == [7, 8, 10]
    assert made.reconciliation.rows_in == 5


def test_a_row_cut_off_by_the_end_of_the_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(f'{HEADER}\n{GOOD}\n2024-05-03,"Map é'.encode()[:-1])
    made = attest(load_profile("upwork"), [path], salt=SALT)
    assert rejects(made) == [(3, "the quotes do not add up (unexpected end of data)", "")]


def test_the_list_of_rejects_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    made = upwork(tmp_path, GOOD, "=cmd(),Map (1),2,50,", '2024-05-02,Map (1),"2\n",5o,')
    listed = list(csv.reader(io.StringIO(made.rejects_csv().decode(), newline="")))
    assert listed == [
        ["file", "line", "reason", "value"],
        ["report.csv", "3", "Date not understood", "'=cmd()"],
        ["report.csv", "4", "Amount not understood", "5o"],
    ]  # fmt: skip


# The ways in which exports are written.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("end", "delimiter"), [("\n", ","), ("\r\n", ";"), ("\r", "\t")])
def test_encodings_line_ends_and_delimiters(tmp_path: Path, encoding: str, end: str, delimiter: str) -> None:
    rows = (GOOD, "2024-05-03,Crêperie (2),1,25,", "x,Map (1),1,25,")
    given = [row.replace(",", delimiter) for row in rows]
    made = upwork(tmp_path, *given, header=HEADER.replace(",", delimiter), end=end, encoding=encoding)
    assert claims(made, "WorkHistory")["jobsCompleted"] == "2"
    assert rejects(made) == [(4, "Date not understood", "x")]


def test_headers_in_another_order_case_and_spacing_and_columns_more(tmp_path: Path) -> None:
    made = upwork(tmp_path, "50,x,,2024-05-02,Map (1),2", header="AMOUNT ,Memo,payment  type,Date, Contract,hours")
    assert claims(made, "Earnings")["total"] == "50.00"


def test_ways_of_writing_nothing_and_money(tmp_path: Path) -> None:
    made = upwork(
        tmp_path,
        "2024-05-02,Map (1), 2.0 ,$50.5,NA",
        '2024-05-03,Map (1),1,"1,234.50",\\N',
        "2024-05-04,Map (1),NULL,-$12,Bonus",
        "2024-05-05,\u00a0Atlas\x1fof coasts ,N/A,.005,Fixed Price Payment",
    )
    assert made.rejects == ()
    assert claims(made, "Earnings")["total"] == "1273.00"
    assert made.reconciliation.rounding["USD"] == Decimal("0.005")


def test_two_columns_of_the_same_name_are_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="2 columns 'Hours'"):
        upwork(tmp_path, "2024-05-02,Map (1),2,50,,3", header=HEADER + ",hours")


# Rows that appear twice, several files, and workers.


def test_a_row_exported_twice_counts_once(tmp_path: Path) -> None:
    made = upwork(tmp_path, GOOD, "2024-05-03,Map (1),1,25,", GOOD)
    (lot,) = made.reconciliation.left_out
    assert (lot.rows, lot.money) == (1, {"USD": Decimal(50)})
    assert lot.reason.startswith("repeats an earlier row")
    assert claims(made, "Earnings")["total"] == "75.00"
    assert made.rejects == ()


def test_files_that_overlap_are_one_export(tmp_path: Path) -> None:
    first, second, empty = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    first.write_text(f"{HEADER}\n{GOOD}\n2024-06-02,Map (1),2,50,\n", encoding="utf-8")
    second.write_text(f"{HEADER}\n2024-06-02,Map (1),2,50,\n2024-07-02,Map (1),x,50,\n", encoding="utf-8")
    empty.write_bytes(b"")
    made = attest(load_profile("upwork"), [first, second, empty], salt=SALT, worker="me")
    assert {one.worker for one in made.statements} == {"me"}
    assert claims(made, "Earnings")["total"] == "100.00"
    assert [(one.file, one.line) for one in made.rejects] == [("b.csv", 3)]
    assert made.reconciliation.files == (("a.csv", 2), ("b.csv", 2), ("c.csv", 0))


def test_several_files_without_a_worker_are_not_taken_for_one_person(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    with pytest.raises(Malformed, match="name the worker"):
        attest(load_profile("upwork"), paths, salt=SALT)


def test_a_worker_is_not_accepted_for_files_that_name_theirs(tmp_path: Path) -> None:
    airbnb(tmp_path, "L1,H1,2025-03-13,2020-01-31,t,t,Private room,3,4.0")
    with pytest.raises(Malformed, match="say themselves"):
        attest(load_profile("airbnb"), [tmp_path / "listings.csv"], worker="me")


LISTING = (
    "listing,host,last_scraped,host_since,host_is_superhost,host_identity_verified,room_type,number_of_reviews,"
    "review_scores_rating"
)


def airbnb(folder: Path, *rows: str) -> Attested:
    path = folder / "listings.csv"
    path.write_text("\n".join((LISTING, *rows)), encoding="utf-8")
    return attest(load_profile("airbnb"), [path])


def test_what_the_rows_of_a_worker_disagree_about_is_not_stated(tmp_path: Path) -> None:
    made = airbnb(
        tmp_path,
        "L1,H1,2025-03-13,2020-01-31,t,t,Private room,3,4.0",
        "L2,H1,2025-03-13,2020-02-01,f,t,Entire home/apt,9,5.0",
    )
    member = claims(made, "PlatformMembership")
    assert {"memberSince", "tierLevel", "tierScheme", "tenureMonthsAtLeast"}.isdisjoint(member)
    assert (member["identityVerified"], member["activityKinds"]) == ("true", ("Entire home/apt", "Private room"))
    rating = claims(made, "Rating")
    assert (rating["ratingValue"], rating["ratingCount"], rating["periodStart"]) == ("4.75", "12", "2020-01")


def test_a_context_of_few_workers_is_not_published(tmp_path: Path) -> None:
    made = airbnb(tmp_path, *(f"L{n},H{n},2025-03-13,2020-01-31,t,t,Private room,9,4.{n}" for n in range(1, 10)))
    assert made.reconciliation.statements == {"PlatformMembership": 9, "Rating": 9, "RatingBand": 9}
    assert claims(made, "Rating")["contextDigest"] == "notPublished"


def figure_eight(folder: Path, *rows: str) -> Attested:
    path = folder / "job.csv"
    header = "_unit_id,_golden,_created_at,_id,_tainted,_trust,_worker_id,sentence"
    path.write_text("\n".join((header, *rows)), encoding="utf-8")
    return attest(load_profile("figure-eight"), [path])


def test_judgments_thrown_away_and_test_questions_are_left_out_and_counted(tmp_path: Path) -> None:
    made = figure_eight(
        tmp_path,
        '1,false,3/24/2016 17:57:02,11,false,0.9,7,"two\nlines"',
        "1,FALSE,4/1/2016 00:00:00,12,false,0.8,7,x",
        "1,false,3/24/2016 17:58:02,13,true,0.1,7,x",
        "2,true,3/24/2016 17:59:02,14,false,0.9,7,x",
        "1,false,3/24/2016 18:57:02,15,true,0.2,8,x",
        "1,false,3/24/2016 18:58:02,,false,0.9,8,x",
        "1,false,3/24/2016 18:58:02,,false,0.9,8,x",
        "1,false,3/24/2016 18:58:02,16,false,1.1,8,x",
    )
    seven, eight = (dict(one.claims) for one in made.statements)
    assert (seven["ratingValue"], seven["jobsEligible"], seven["excludedCount"]) == ("0.8500", "3", "1")
    assert (seven["windowKind"], seven["windowSize"], seven["periodStart"]) == ("period", "2", "2016-03")
    assert (eight["ratingValue"], eight["jobsEligible"], eight["excludedCount"]) == ("notPublished", "1", "1")
    assert {lot.reason.split(",")[0]: lot.rows for lot in made.reconciliation.left_out} == {
        "judgment that the platform threw away (tainted)": 2, "answer to a test question": 1,
    }  # fmt: skip
    assert rejects(made) == [
        (8, "_id is empty", ""), (9, "_id is empty", ""), (10, "_trust is not between 0 and 1", "")
    ]  # fmt: skip


def test_full_months_only_count_as_tenure(tmp_path: Path) -> None:
    since = "L1,H1,2025-03-13,{},t,t,Private room,9,4.0"
    assert claims(airbnb(tmp_path, since.format("2024-12-13")), "PlatformMembership")["tenureMonthsAtLeast"]
    assert "tenureMonthsAtLeast" not in claims(airbnb(tmp_path, since.format("2024-12-14")), "PlatformMembership")
    assert rejects(airbnb(tmp_path, since.format("2025-03-13"), since.replace("L1", "L2").format("2025-03-14"))) == [
        (3, "host since a day after the file was made", "")
    ]


def test_months_without_work_are_stated_as_nothing(tmp_path: Path) -> None:
    made = upwork(tmp_path, "2021-01-31,Map (1),2,50,", GOOD, "2024-08-01,Map (1),,5,Bonus")
    earnings, history = claims(made, "Earnings"), claims(made, "WorkHistory")
    assert (earnings["monthly"][0], len(earnings["monthly"])) == ("2022-09 0.00", 24)
    assert earnings["monthly"][-4:] == ("2024-05 50.00", "2024-06 0.00", "2024-07 0.00", "2024-08 5.00")
    assert (earnings["total"], earnings["total12m"], earnings["median3m"]) == ("105.00", "55.00", "0.00")
    assert (history["lastJob"], history["periodEnd"]) == ("2024-05", "2024-08")
    assert history["monthlyJobs"][-4:] == ("2024-05 1", "2024-06 0", "2024-07 0", "2024-08 0")
    assert (history["activeMonths"], history["activeDays"]) == ("2", "2")


def test_who_vouches_is_said_in_every_statement(tmp_path: Path) -> None:
    path = tmp_path / "me.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    made = attest(load_profile("upwork"), [path], salt=SALT, source=SourceMethod.workerImportUnverified)
    assert {one.claims["sourceMethod"] for one in made.statements} == {"workerImportUnverified"}


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path, told = tmp_path / "me.csv", list[Progress]()
    path.write_text("\n".join([HEADER, *(f"2024-05-02,Map ({n}),1,1," for n in range(50_000))]), encoding="utf-8")
    attest(load_profile("upwork"), [path], salt=SALT, progress=told.append)
    reading = [step for step in told if step.stage == "reading"]
    assert [step.done for step in reading] == sorted({step.done for step in reading})
    assert reading[-1].done == reading[-1].total == path.stat().st_size


# Every row and every cent.


MONEY = st.decimals(-500, 5000, places=2).map(str) | st.decimals(0, 9, places=4).map(str)
ROWS = st.tuples(
    st.dates(date(2020, 1, 1), date(2026, 11, 24)).map(str) | st.just("?"),
    st.sampled_from(["Map (1)", "Atlas\nof coasts (2)", 'The "big" one', ""]),
    st.sampled_from(["", "1", "0.33333", "25", "x"]),
    MONEY | st.sampled_from(["", "n", "12.5.1"]),
    st.sampled_from(["", "Bonus", "Fixed Price Payment", "Tip"]),
).map(list) | st.lists(st.sampled_from(["2024-05-02", "", "5"]), min_size=2, max_size=8)


def outcome(path: Path) -> Attested | VcError:
    try:
        return attest(load_profile("upwork"), [path], salt=SALT)
    except VcError as refused:
        return refused


def amount(row: Sequence[str]) -> Decimal:
    try:
        return Decimal(row[3]) if len(row) == 5 else Decimal()
    except ArithmeticError:
        return Decimal()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=25), end=st.sampled_from(["\n", "\r\n"]))
def test_money_in_is_money_attested_and_money_left_out(tmp_path: Path, rows: list[list[str]], end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(HEADER.split(","))
    starts = []
    for row in rows:
        starts.append(text.getvalue().count("\n") + 1)
        writer.writerow(row)
    path = tmp_path / "report.csv"
    path.write_bytes(text.getvalue().encode())
    made = outcome(path)
    if isinstance(made, VcError):
        assert made.code in ("NOT_UNDERSTOOD", "EMPTY")
        return
    found = made.reconciliation
    assert sum(found.money_in.values()) == sum(map(amount, rows))
    aside = [lot for lots in (found.rejected, found.left_out, found.in_part) for lot in lots]
    left = sum(sum(lot.money.values()) for lot in aside)
    total = sum(Decimal(str(one.claims["total"])) for one in made.statements if one.type == "Earnings")
    rounding = found.rounding.get("USD", Decimal())
    assert sum(map(amount, rows)) == total + left + rounding
    assert abs(rounding) <= Decimal("0.005") * len(rows)
    assert found.rows_in == len(rows)
    assert {one.line for one in made.rejects} <= set(starts)
    wrong = {start for start, row in zip(starts, rows, strict=True) if len(row) != 5 or "?" in row or "Tip" in row}
    assert wrong <= {one.line for one in made.rejects}


def reconciliation(**changes: object) -> Reconciliation:
    usd = {"USD": Decimal("10.00")}
    parts: dict[str, object] = {
        "files": (("a.csv", 3),), "rows_in": 3, "rows_used": 1, "rejected": (Lot("no date", 1, {"USD": Decimal(3)}),),
        "left_out": (Lot("twice", 1, {"USD": Decimal("2.5")}),), "in_part": (), "unreadable": 0, "money_in": usd,
        "attested": {"USD": Decimal("4.50")}, "rounding": {}, "figures": (("Hours", "4"),), "statements": {},
    }  # fmt: skip
    return Reconciliation(**{**parts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rows_used": 2}, "ROWS_DO_NOT_RECONCILE"),
        ({"rows_in": 4}, "ROWS_DO_NOT_RECONCILE"),
        ({"attested": {"USD": Decimal("4.49")}}, "MONEY_DOES_NOT_RECONCILE"),
        ({"attested": {"USD": Decimal("4.50"), "EUR": Decimal(1)}}, "MONEY_DOES_NOT_RECONCILE"),
        ({"rounding": {"USD": Decimal("0.001")}}, "MONEY_DOES_NOT_RECONCILE"),
        ({"left_out": (Lot("", 1, {"USD": Decimal("2.5")}),)}, "NO_REASON"),
    ],
)
def test_what_does_not_add_up_is_an_error(changes: dict[str, object], code: str) -> None:
    with pytest.raises(Rejected) as refused:
        reconciliation(**changes).check()
    assert refused.value.code == code


def test_a_reconciliation_reads_like_a_receipt() -> None:
    sound = reconciliation()
    sound.check()
    assert sound.text().splitlines() == [
        "a.csv: 3 rows",
        "Rows: 3 in = 1 used + 2 rejected or left out",
        "  rejected: 1 row, 3.00 USD: no date",
        "  left out: 1 row, 2.50 USD: twice",
        "Money: 10.00 USD in = 4.50 attested + 5.50 left out",
        "Hours: 4",
    ]
    assert sound.to_json()["money"] == {
        "USD": {"in": "10.00", "attested": "4.50", "leftOut": "5.50", "rounding": "0.00"}
    }


# Files that are no exports.


def sparse(path: Path, start: str) -> None:
    with path.open("wb") as file:
        file.write(start.encode())
        file.truncate(100_000_000)


MANY = 60_000
WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "pipe": (os.mkfifo, "is not a regular file"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "byte order mark only": (lambda path: path.write_bytes(b"\xef\xbb\xbf\r\n"), "is empty"),
    "header only": (lambda path: path.write_text(HEADER + "\n"), "is empty"),
    "spreadsheet": (lambda path: path.write_bytes(b"PK\x03\x04" + b"x" * 90), "save it as CSV"),
    "compressed": (lambda path: path.write_bytes(b"\x1f\x8b\x08" + b"x" * 90), "unpack it"),
    "zeros": (lambda path: sparse(path, ""), "line 1 has a NUL"),
    "zeros below a row": (lambda path: sparse(path, f"{HEADER}\n{GOOD}\n"), "line 3 has a NUL"),
    "binary": (lambda path: path.write_bytes(bytes(range(250, 0, -1)) * 9), "not text: line 1 is not UTF-8"),
    "binary below a row": (lambda path: path.write_bytes(f"{HEADER}\n{GOOD}\n".encode() + b"\x81\x8d" * 9), "line 3"),
    "one line": (lambda path: path.write_text("x" * 3_000_000), "line 1 is longer"),
    "one line below the header": (lambda path: path.write_text(f"{HEADER}\n" + "x," * 2_000_000), "line 2 is longer"),
    "columns": (lambda path: path.write_text(f"{HEADER}," + "a," * 5000 + "\n"), "more than 4096 columns"),
    "million columns": (lambda path: path.write_text(f"{HEADER}," + "a," * 1_000_000), "line 1 is longer"),
    "text": (lambda path: path.write_text("Dear all,\n" * 100), "without Date, Contract, Hours, Amount, Payment type"),
    "other profile": (lambda path: path.write_text(f"{LISTING}\n"), "profile airbnb would fit"),
    "column missing": (lambda path: path.write_text("Date,Contract,Hours,Amount\n"), "without Payment type; no"),
    "nothing fits": (lambda path: path.write_text(f"{HEADER}\n" + "x\n" * MANY), "too few of 20000 rows"),
    "nothing means anything": (lambda path: path.write_text(f"{HEADER}\n" + "a,b,c,d,e\n" * MANY), "line 2: Date not"),
    "little means anything": (
        lambda path: path.write_text(f"{HEADER}\n{GOOD}\n" + "a,b,c,d,e\n" * MANY), "too few of 20000 rows"
    ),
    "open quote": (lambda path: path.write_text(f'{HEADER}\n1,"' + "x\n" * MANY * 3), "the quotes do not add up"),
    "only rows that are wrong": (lambda path: path.write_text(f"{HEADER}\n1,2,3,4,5\n"), "line 2: Date not understood"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_an_export_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    write, reason = WRONG[name]
    path = tmp_path / "report.csv"
    write(path)
    with pytest.raises(VcError) as refused:
        attest(load_profile("upwork"), [path], salt=SALT)
    assert str(refused.value).startswith(str(path))
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, profile = tmp_path / "report.csv", load_profile("upwork")
    path.write_text(f"{HEADER}\n{GOOD}\n")
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything, so the system's answer is given in its place

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Malformed, match="cannot be read"):
        attest(profile, [path], salt=SALT)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(["", HEADER + "\n", f"{HEADER}\n{GOOD}\n"]), rest=st.binary(max_size=200))
def test_only_our_errors_leave(tmp_path: Path, start: str, rest: bytes) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(start.encode() + rest)
    made = outcome(path)
    if isinstance(made, VcError):
        assert str(made).startswith(str(path))
        return
    assert claims(made, "Earnings")["total"] == "50.00"
    assert made.reconciliation.rows_in == 1 + len(made.rejects)


def test_no_files_are_an_error() -> None:
    with pytest.raises(Malformed, match="from 1 to"):
        attest(load_profile("upwork"), [], salt=SALT)


def test_a_file_name_that_cannot_be_one() -> None:
    with pytest.raises(Malformed, match="not a file name"):
        attest(load_profile("upwork"), [Path("a\0b.csv")], salt=SALT, worker="me")
