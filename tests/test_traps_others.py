"""Traps that real exports of tasks, contracts, missions and stays hold, each as a small file of that exact shape."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from issuer.attest import Attested, attest
from issuer.engine import database
from issuer.intake import Said
from issuer.profile import load_profile
from issuer.records import MACROS
from tests.cli import ouvrage
from vc.errors import Malformed


def run(folder: Path, profile: str, text: str | bytes, *, name: str = "export.csv", order: str = "") -> Attested:
    path = folder / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return attest(load_profile(profile), [path], said=Said(order=order), salt=bytes(32))


def claims(made: Attested, kind: str) -> dict[str, str | tuple[str, ...]]:
    return dict(next(one for one in made.statements if one.type == kind).claims)


def lots(made: Attested) -> dict[str, int]:
    found = made.reconciliation
    return {lot.reason: lot.rows for lots in (found.rejected, found.left_out, found.in_part) for lot in lots}


def rejects(made: Attested) -> list[tuple[int, str, str]]:
    return [(one.line, one.reason, one.value) for one in made.rejects]


# Numbers, dates and words as several countries write them.


def value(sql: str) -> str | None:
    with database() as opened:
        opened.connection.execute(MACROS)
        row = opened.connection.execute(f"SELECT CAST({sql} AS VARCHAR)").fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1 234,56 €", "1234.560000"),
        ("1.234,56", "1234.560000"),
        ("$1,234.56", "1234.560000"),
        ("12,50 €", "12.500000"),
        ("1\u202f234,5\u00a0€", "1234.500000"),
        ("12€50", "12.500000"),
        ("- 3,2", "-3.200000"),
        ("€12", "12.000000"),
        ("1.234.567", "1234567.000000"),
        ("0.065", "0.065000"),
        ("15 €/h", "15.000000"),
        ("R$ 12,30", "12.300000"),
        ("1''234.50", "1234.500000"),
        ("1,234", None),
        ("1.234", None),
        ("12.50.3", None),
        ("douze", None),
        ("", None),
    ],
)
def test_money_of_several_countries(text: str, amount: str | None) -> None:
    assert value(f"comma_of('{text}')") == amount


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-04-07", "2026-04-07"),
        ("2026-04-07 18:30:00", "2026-04-07"),
        ("2026-04-06T22:30:00.000Z", "2026-04-07"),
        ("07/04/2026", "2026-04-07"),
        ("7-4-26", "2026-04-07"),
        ("07.04.2026 14h30", "2026-04-07"),
        ("7 avril 2026", "2026-04-07"),
        ("mardi 7 avril 2026 à 14:30", "2026-04-07"),
        ("1er août 2026", "2026-08-01"),
        ("5. Mai 2026", "2026-05-05"),
        ("12 de março de 2026", "2026-03-12"),
        ("Apr 7, 2026", "2026-04-07"),
        ("Mon Jul 01 12:00:00 PDT 2013", "2013-07-01"),
        ("2013-07-03 02:43:21 UTC", "2013-07-03"),
        ("1775600000", "2026-04-08"),
        ("1775600000000", "2026-04-08"),
        ("10.0", None),
        ("31/02/2026", None),
        ("2026-13-01", None),
        ("1024-05-02", None),
        ("2026-04-07x", None),
        ("demain", None),
    ],
)
def test_dates_of_several_countries(text: str, day: str | None) -> None:
    assert value(f"date_of('{text}', 'dmy', 'Europe/Paris')") == day


def test_the_month_first_where_the_file_says_so() -> None:
    assert value("date_of('07/04/2026', 'mdy', 'UTC')") == "2026-07-04"
    assert value("date_of('07.04.2026', 'mdy', 'UTC')") == "2026-04-07"


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2", "2"),
        ("2,5", "2.5"),
        ("2h", "2"),
        ("2h30", "2.5"),
        ("02:30", "2.5"),
        ("3 heures", "3"),
        ("90 min", "1.5"),
        ("2h75", None),
    ],
)
def test_hours_as_people_write_them(text: str, hours: str | None) -> None:
    found = value(f"hours_of('{text}')")
    assert (found and Decimal(found)) == (hours and Decimal(hours))


@pytest.mark.parametrize(
    ("text", "stars"),
    [("5", 5), ("4,5", 4.5), ("4/5", 4), ("★★★★☆", 4), ("5 étoiles", 5), ("8/10", None), ("90 %", None)],
)
def test_stars_as_people_write_them(text: str, stars: float | None) -> None:
    found = value(f"stars_of('{text}')")
    assert (found and float(found)) == stars


# Mechanical Turk.

BATCH = "HITId,HITTypeId,Reward,AssignmentId,WorkerId,AssignmentStatus,AcceptTime,SubmitTime,WorkTimeInSeconds"
BATCH += ",LifetimeApprovalRate,Input.text,Answer.text,Approve,Reject"


def batch(folder: Path, *rows: str, header: str = BATCH) -> Attested:
    return run(folder, "mturk", "\n".join((header, *rows, "")))


def assignment(
    number: int, status: str = "Approved", submit: str = "Mon Jul 01 12:01:30 PDT 2013", work: str = "90"
) -> str:
    accept = "Mon Jul 01 12:00:00 PDT 2013"
    return f'H{number},T1,$0.04,A{number},W1,{status},{accept},{submit},{work},97% (235/242),x,"a, ""b""\nCANARY",x,'


def test_mixed_date_formats_rates_in_words_and_quoted_newlines(tmp_path: Path) -> None:
    made = batch(
        tmp_path,
        assignment(1),
        assignment(2, submit="2013-07-31T23:30:00-07:00"),
        assignment(3, submit="2013-08-01 06:30:00 UTC"),
        assignment(4, submit="1375338600"),
        assignment(5, "Rejected"),
        assignment(6, "Submitted"),
    )
    assert made.rejects == ()
    assert claims(made, "Earnings")["monthly"] == ("2013-07 0.16",)
    rating, history = claims(made, "Rating"), claims(made, "WorkHistory")
    assert (rating["computation"], rating["ratingValue"], rating["ratingCount"], rating["jobsEligible"]) == (
        "approvalShare",
        "0.8000",
        "5",
        "6",
    )
    assert (history["jobsCompleted"], history["jobsAccepted"], history["totalDurationHours"]) == ("5", "4", "0.12")
    assert made.reconciliation.money_in == {"USD": Decimal("0.24")}


def test_hours_are_the_two_times_where_the_file_does_not_add_them_up(tmp_path: Path) -> None:
    made = batch(tmp_path, assignment(1, submit="Mon Jul 01 12:30:00 PDT 2013", work="NA"))
    assert claims(made, "WorkHistory")["totalDurationHours"] == "0.50"


def test_a_batch_without_what_is_not_needed_and_with_what_nobody_knows(tmp_path: Path) -> None:
    made = batch(
        tmp_path,
        "W1\tApproved\t2013-07-01 10:00:00\t7\t1.2.3.4",
        "W2\tapproved\t2013-07-01 10:00:01\tNULL\t1.2.3.4",
        header="WorkerId\tAssignmentStatus\tSubmitTime\tWorkTimeInSeconds\tAnswer.ip",
    )
    assert made.reconciliation.statements == {"Rating": 2, "WorkHistory": 2}
    assert lots(made) == {"no reward is named: no pay": 2}


def test_a_status_that_nobody_knows_is_rejected_with_its_line(tmp_path: Path) -> None:
    made = batch(tmp_path, assignment(1), assignment(2, "Maybe"), assignment(3, "").replace(",,M", ",NULL,M"))
    assert rejects(made) == [
        (4, "AssignmentStatus not understood", "Maybe"),
        (6, "AssignmentStatus is empty", ""),
    ]
    listed = made.rejects_csv().decode().splitlines()
    assert listed[1] == "export.csv,4,AssignmentStatus not understood,Maybe"


# Jobbing, in French and in English.

MISSIONS = "mission_id;État;Date;nb_hours;price_per_hour;nb_hours;Note;Commentaire;Catégorie;Ville;Nom du client;IP"


def missions(folder: Path, *rows: str, header: str = MISSIONS, bom: bool = True) -> Attested:
    text = "\r\n".join((header, *rows, ""))
    return run(folder, "generic-jobbing", (b"\xef\xbb\xbf" if bom else b"") + text.encode())


def test_doubled_columns_the_last_one_counts(tmp_path: Path) -> None:
    rows = (
        '1;PAID;12/03/2017;2;15;2,5;5;"bien,\nmerci";Jardinage;Lyon;CANARY;1.2.3.4',
        "2;PAID;13/03/2017;3;12,50 €;;;;;;;",
    )
    made = missions(tmp_path, *rows)
    assert claims(made, "Earnings")["total"] == "75.00"
    assert claims(made, "WorkHistory")["totalDurationHours"] == "5.50"


@pytest.mark.parametrize("again", ["nb_hours-2", "nb_hours.1", "nb_hours_2", "nb_hours (2)", "NB_HOURS"])
def test_doubled_columns_as_programs_rename_them(tmp_path: Path, again: str) -> None:
    made = missions(
        tmp_path, "1,PAID,2017-03-12,2,15,3", header=f"id,state,date,nb_hours,price_per_hour,{again}", bom=False
    )
    assert claims(made, "Earnings")["total"] == "45.00"


def test_many_offers_few_paid(tmp_path: Path) -> None:
    states = ["PAID"] * 15 + ["CANCELED"] * 7 + ["POSTED"] * 50 + ["POSTULATED"] * 40 + ["BOOKED"] * 2
    rows = [
        f"{number};{state};{1 + number % 28}/03/2017;2;15;;5;;Jardinage;Lyon;;" for number, state in enumerate(states)
    ]
    made = missions(tmp_path, *rows)
    assert (made.reconciliation.rows_in, made.reconciliation.rows_used) == (114, 15)
    assert claims(made, "WorkHistory")["jobsCompleted"] == "15"
    assert claims(made, "Earnings")["total"] == "450.00"
    assert claims(made, "Rating")["ratingCount"] == "15"
    assert lots(made) == {
        "cancelled (the file does not say by whom)": 7,
        "an offer of work, not work": 50,
        "an application or a proposal, not work": 40,
        "booked, not done and paid": 2,
    }


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("Payée", "paid"),
        ("PAID", "paid"),
        ("mission payée", "paid"),
        ("Réglé", "paid"),
        ("non payée", "done"),
        ("Terminée", "done"),
        ("en attente de paiement", "done"),
        ("Réservée", "booked"),
        ("EN_COURS", "booked"),
        ("postulé", "applied"),
        ("Candidature envoyée", "applied"),
        ("publiée", "posted"),
        ("à pourvoir", "posted"),
        ("Refusée", "lost"),
        ("expirée", "lost"),
        ("CANCELED", "cancelled"),
        ("Annulée par le client", "cancelledByClient"),
        ("cancelled_by_jobber", "cancelledByWorker"),
        ("Remboursée", "refunded"),
        ("quoi ?", None),
    ],
)
def test_states_in_two_languages(state: str, fate: str | None) -> None:
    assert value(f"jobbing_state('{state}', NULL, NULL)") == fate


def test_headers_in_french_with_a_total_and_no_id(tmp_path: Path) -> None:
    header = "Statut de la mission,Date de la prestation,Nombre d'heures,Montant (€),Évaluation,Code postal"
    made = missions(
        tmp_path,
        'Payée,"7 avril 2026",3h30,"1 234,50",4/5,69003',
        "Payée,08/04/2026,2,40,NULL,NA",
        "Payée,09/04/2026,2,\\N,n/a,",
        "Payée,10/04/2026,2,beaucoup,,",
        "Bizarre,10/04/2026,2,4,,",
        header=header,
    )
    assert claims(made, "Earnings")["total"] == "1274.50"
    assert claims(made, "WorkHistory")["areas"] == ("69",)
    assert rejects(made) == [
        (5, "a total that is not understood", "beaucoup"),
        (6, "a state that is not understood", "Bizarre"),
    ]
    assert lots(made)["a paid mission without a price: no pay"] == 1


def test_an_offer_with_the_default_five_stars_is_no_rating(tmp_path: Path) -> None:
    rows = ["1;PAID;12/03/2017;2;15;;;;;;;", *(f"{number};posted;12/03/2017;2;15;;5;;;;;" for number in range(2, 12))]
    assert "Rating" not in missions(tmp_path, *rows).reconciliation.statements


def test_a_default_rating_without_a_review_is_none(tmp_path: Path) -> None:
    header = (
        "listing,host,last_scraped,host_since,host_is_superhost,host_identity_verified,room_type,number_of_reviews,"
    )
    made = run(
        tmp_path, "airbnb", f"{header}review_scores_rating\nL1,H1,2025-03-13,2020-01-31,t,t,Private room,0,5.0\n"
    )
    assert lots(made) == {"rating without a review": 1}
    assert claims(made, "Rating")["ratingValue"] == "tooFewToState"


def test_states_told_by_dates_alone(tmp_path: Path) -> None:
    header = "id;posted_at;booked_at;paid_at;total_price"
    rows = ("1;2017-03-01;2017-03-02;2017-03-05;30", "2;2017-03-01;2017-03-02;;30", "3;2017-03-01;;;30")
    made = missions(tmp_path, *rows, header=header)
    assert claims(made, "Earnings")["total"] == "30.00"
    assert lots(made) == {"booked, not done and paid": 1, "an offer of work, not work": 1}


def test_a_file_of_many_workers_and_offers_of_nobody(tmp_path: Path) -> None:
    header = "id,jobber_id,status,date,total_price"
    made = missions(
        tmp_path, "1,j1,PAID,2017-03-01,30", "2,,POSTED,2017-03-01,30", "3,,PAID,2017-03-01,9", header=header
    )
    assert {one.worker for one in made.statements} == {"j1"}
    assert [line for line, _, _ in rejects(made)] == [4]


# A host's earnings.

EARNINGS = "Date,Type,Confirmation Code,Start date,End date,Nights,Guest,Currency,Amount,Paid out,Gross earnings"


def earnings(folder: Path, *rows: str, header: str = EARNINGS, order: str = "") -> Attested:
    return run(folder, "airbnb", "\n".join((header, *rows, "")), order=order)


def test_the_order_of_dates_is_that_of_the_whole_file(tmp_path: Path) -> None:
    first = '02/03/2026,Reservation,HM1,02/02/2026,02/05/2026,3,CANARY,USD,"1,290.10",,1330.00'
    made = earnings(tmp_path, first, "02/14/2026,Reservation,HM2,02/13/2026,02/15/2026,2,CANARY,USD,100,,103")
    assert claims(made, "Earnings")["monthly"] == ("2026-02 1390.10",)
    made = earnings(tmp_path, first, "14/02/2026,Reservation,HM2,13/02/2026,15/02/2026,2,CANARY,USD,100,,103")
    assert claims(made, "Earnings")["monthly"] == ("2026-02 100.00", "2026-03 1290.10")


def test_a_file_that_does_not_tell_is_refused_until_somebody_says(tmp_path: Path) -> None:
    row = "02/03/2026,Reservation,HM1,02/02/2026,02/05/2026,3,CANARY,USD,100,,103"
    with pytest.raises(Malformed, match="say it with --dates dmy or mdy") as refused:
        earnings(tmp_path, row)
    assert refused.value.code == "AMBIGUOUS_DATES"
    assert claims(earnings(tmp_path, row, order="mdy"), "WorkHistory")["firstJob"] == "2026-02"
    assert claims(earnings(tmp_path, row, order="dmy"), "WorkHistory")["firstJob"] == "2026-03"
    command = ("issuer", "attest", "--profile", "airbnb", tmp_path / "export.csv")
    assert "--dates" in ouvrage(tmp_path, *command, ok=False).err
    assert ouvrage(tmp_path, *command, "--dates", "mdy", "--json").json["new"] == 2


def test_dates_of_both_orders_are_refused(tmp_path: Path) -> None:
    rows = [f"{day},Reservation,HM1,,,3,CANARY,USD,100,,103" for day in ("02/13/2026", "13/02/2026")]
    with pytest.raises(Malformed, match=r"month first \(line 2\) and with the day first \(line 3\)"):
        earnings(tmp_path, *rows)
    with pytest.raises(Malformed, match="not dmy"):
        earnings(tmp_path, rows[0], order="dmy")


def test_a_payout_is_the_money_of_other_lines(tmp_path: Path) -> None:
    made = earnings(
        tmp_path,
        "02/14/2026,Payout,,,,,,USD,,200.00,",
        "02/14/2026,Reservation,HM1,02/13/2026,02/15/2026,2,CANARY,USD,150,,155",
        "02/14/2026,Reservation,HM1,02/13/2026,02/15/2026,2,CANARY,USD,75,,80",
        "02/14/2026,Adjustment,HM1,,,,CANARY,USD,-25,,",
        "02/14/2026,Pass Through Tot,HM1,,,,CANARY,USD,9,,",
        "02/14/2026,Surprise,HM1,,,,CANARY,USD,9,,",
    )
    assert (claims(made, "Earnings")["total"], claims(made, "WorkHistory")["jobsCompleted"]) == ("200.00", "1")
    assert rejects(made) == [(7, "Type not understood", "Surprise")]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Data;Tipo;Código de Confirmação;Noites;Hóspede;Moeda;Valor", "14/02/2026;Reserva;HM1;3;CANARY;BRL;1.234,56"),
        (
            "Fecha;Tipo;Código de confirmación;Noches;Huésped;Moneda;Importe",
            "14/02/2026;Reserva;HM1;3;CANARY;EUR;1.234,56",
        ),
        ("Datum;Typ;Bestätigungscode;Nächte;Gast;Währung;Betrag", "14.02.2026;Buchung;HM1;3;CANARY;EUR;1.234,56"),
        (
            "Date;Type;Code de confirmation;Nuits;Voyageur;Devise;Montant",
            "14/02/2026;Réservation;HM1;3;CANARY;EUR;1 234,56",
        ),
        (
            "Data;Tipo;Codice di conferma;Notti;Ospite;Valuta;Importo",
            "14/02/2026;Prenotazione;HM1;3;CANARY;EUR;1.234,56",
        ),
    ],
)
def test_headers_in_the_language_of_the_host(tmp_path: Path, header: str, row: str) -> None:
    made = earnings(tmp_path, row, header=header)
    assert claims(made, "Earnings")["total"] == "1234.56"
    assert claims(made, "WorkHistory")["jobsCompleted"] == "1"


# What the tax office is told.


def test_four_quarters_in_a_row(tmp_path: Path) -> None:
    header = "seller_id,TIN,year,consideration_q1,consideration_q2,consideration_q3,consideration_q4"
    text = f"{header}\nS1,CANARY,2025,100,,300.50,\n"
    made = run(tmp_path, "dac7", text)
    found = claims(made, "Earnings")
    assert (found["total12m"], found["periodStart"], found["periodEnd"], found["fiscalSource"]) == (
        "400.50",
        "2025-01",
        "2025-12",
        "DAC7",
    )
    assert {"monthly", "median3m", "monthsWithIncome", "averageAtLeast3m"}.isdisjoint(found)
    assert made.reconciliation.rows_in == 4


def test_a_quarter_that_is_not_understood_is_rejected_and_the_others_stay(tmp_path: Path) -> None:
    text = "seller_id;year;T1;T2;T3;T4\nS1;2025;x;1 200,00 €;0;10\n"
    made = run(tmp_path, "dac7", text)
    assert rejects(made) == [(2, "consideration not understood", "x")]
    assert claims(made, "Earnings")["total"] == "1210.00"


# Freelance.


def test_feedback_that_is_private_is_counted_and_never_stated(tmp_path: Path) -> None:
    header = "contract_id,start_date,end_date,amount,status,rating,private_feedback,client_name"
    rows = [
        f"C{n},2026-01-{13 + n},2026-02-{13 + n},100,paid,{1 if n > 5 else 5},{'yes' if n > 5 else 'no'},CANARY"
        for n in range(8)
    ]
    made = run(tmp_path, "generic-freelance", "\n".join((header, *rows)))
    rating = claims(made, "Rating")
    assert (rating["ratingValue"], rating["ratingCount"], rating["excludedCount"]) == ("5.00", "6", "2")


def test_words_of_a_review_become_values(tmp_path: Path) -> None:
    words: Sequence[str] = ("好评", "好评", "中评", "差评", "good", "嗯")
    rows = [f"20{n},¥100,交易完成,2026-01-0{n + 1},{word}" for n, word in enumerate(words)]
    made = run(tmp_path, "zhubajie", "\n".join(("订单号,金额,状态,验收时间,评价", *rows)))
    rating = claims(made, "Rating")
    assert (rating["ratingValue"], rating["ratingCount"]) == ("3.80", "5")
    assert lots(made) == {"a review that is not understood": 1}
    assert claims(made, "Earnings")["currency"] == "CNY"


def test_said_days_are_not_orders() -> None:
    assert Said(day=date(2026, 1, 2)).order == ""
