"""Write the example exports of marketplaces for tasks, missions, contracts and stays: made up, always the same bytes.

They have the columns and oddities of the real exports, where those are known. What must never be stated (names, guests,
addresses, IPs, positions) is in them as CANARY, 203.0.113.… and 47.1234: the tests look for it in what is stated.

    python examples/make_others.py [FOLDER]
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from make_examples import Dice, Row, table

PIXEL: Final = 'CANARY answer, with "quotes"\nand a second line from 203.0.113.9'
# What clients wrote, by turns; the last of them leads to a person, so it must not be stated.
AVIS: Final = (
    "Travail soigné, à l'heure convenue.",
    "Très bien,\nà l'heure ; « impeccable »",
    "Rien à redire, je recommande.",
    "Un peu de retard, mais bien fait.",
    "Parfait. Appelez le 06 00 00 00 00 pour la suite.",
)
REVIEWS: Final = (
    "Careful work, delivered on time.",
    'Clear answers, and a result that is "just right".',
    "A little late, but well done.",
    "Good. Write to studio@canary.example next time.",
)


# Microwork.

BATCH_COLUMNS: Final = (
    *("HITId", "HITTypeId", "Title", "Description", "Keywords", "Reward", "CreationTime", "MaxAssignments"),
    *("RequesterAnnotation", "AssignmentDurationInSeconds", "AutoApprovalDelayInSeconds", "Expiration"),
    *("NumberOfSimilarHITs", "LifetimeInSeconds", "AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime"),
    *("SubmitTime", "AutoApprovalTime", "ApprovalTime", "RejectionTime", "RequesterFeedback", "WorkTimeInSeconds"),
    *("LifetimeApprovalRate", "Last30DaysApprovalRate", "Last7DaysApprovalRate", "Input.caption", "Answer.comment"),
    *("Approve", "Reject"),
)
PACIFIC: Final = "%a %b %d %H:%M:%S PDT %Y"


def batch() -> bytes:
    """The results of one batch: 24 workers, some three hundred assignments, three of them not judged yet."""
    dice = Dice(20260701)
    rows = [row for worker in range(24) for row in worker_rows(dice, worker)]
    return table(BATCH_COLUMNS, rows, end="\n", quote_all=True)


def worker_rows(dice: Dice, worker: int) -> Iterator[Row]:
    """The assignments of one worker; every fifth worker is rejected often."""
    count, share = 8 + worker % 7, 0.55 if worker % 5 == 4 else 0.97
    approved = 0
    for number in range(count):
        accept = datetime(2026, 7, 1, 8) + timedelta(hours=7 * number + worker, minutes=dice.number(0, 50))
        took = dice.number(14, 190)
        submit, judged = accept + timedelta(seconds=took), accept + timedelta(days=2)
        status = "Submitted" if (worker, number) in {(3, 1), (7, 2), (11, 0)} else "Approved"
        status = "Rejected" if status == "Approved" and dice.share() > share else status
        approved += status == "Approved"
        yield (
            *(
                f"3HIT{number:03d}",
                f"3TYPE{number % 3}",
                "Caption a picture",
                "One sentence",
                "caption, picture",
                "$0.04",
            ),
            *(stamped(datetime(2026, 7, 1, 7)), "24", "BatchId:4410233;OriginalHitTemplateId:920937;", "600", "259200"),
            *(stamped(datetime(2026, 7, 8, 7)), "", "", f"3A{worker:02d}{number:03d}", f"A{worker:02d}WORKER"),
            *(status, stamped(accept), submitted(submit, number), stamped(submit + timedelta(days=3))),
            f"{judged:%Y-%m-%d %H:%M:%S} UTC" if status == "Approved" else "",
            f"{judged:%Y-%m-%d %H:%M:%S} UTC" if status == "Rejected" else "",
            "CANARY: not what was asked" if status == "Rejected" else "",
            "" if number == 5 else str(took),
            *(f"{100 * approved // (number + 1)}% ({approved}/{number + 1})", "0% (0/0)", "0% (0/0)"),
            *("https://pictures.example/CANARY.jpg", PIXEL if number % 4 == 0 else "CANARY a bridge", "", ""),
        )


def stamped(moment: datetime) -> str:
    """A time as batch files write it."""
    return moment.strftime(PACIFIC)


def submitted(moment: datetime, number: int) -> str:
    """Some rows were touched by a program that writes times in another way."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}-07:00" if number == 6 else stamped(moment)


def assignments() -> bytes:
    """Two pages of ListAssignmentsForHIT."""
    dice = Dice(20260801)
    found = []
    for number in range(40):
        accept = datetime(2026, 8, 1, 9) + timedelta(minutes=35 * number)
        status = ("Approved", "Approved", "Approved", "Rejected", "Submitted")[number % 5]
        found.append(
            {
                "AssignmentId": f"3B{number:05d}",
                "WorkerId": f"A{number % 4:02d}WORKER",
                "HITId": f"3HITB{number // 4:02d}",
                "AssignmentStatus": status,
                "AcceptTime": f"{accept:%Y-%m-%dT%H:%M:%S}-07:00",
                "SubmitTime": f"{accept + timedelta(seconds=dice.number(20, 300)):%Y-%m-%dT%H:%M:%S}-07:00",
                "AutoApprovalTime": f"{accept + timedelta(days=3):%Y-%m-%dT%H:%M:%S}-07:00",
                "Answer": f"<QuestionFormAnswers>{PIXEL}</QuestionFormAnswers>",
                "RequesterFeedback": "CANARY",
                "ApprovalTime": None,
            }
        )
    pages = [
        {"NumResults": 20, "NextToken": "p2", "Assignments": found[:20]},
        {"NumResults": 20, "Assignments": found[20:]},
    ]
    return document(pages)


def bonuses() -> bytes:
    """A page of ListBonusPayments."""
    paid = [
        {
            "WorkerId": f"A{number:02d}WORKER",
            "BonusAmount": f"{0.25 * (number + 1):.2f}",
            "AssignmentId": f"3A{number:02d}001",
            "Reason": "CANARY thank you",
            "GrantTime": f"2026-07-1{number}T10:00:00-07:00",
        }
        for number in range(6)
    ]
    return document({"NumResults": len(paid), "BonusPayments": paid})


def qualified() -> bytes:
    """A page of ListWorkersWithQualificationType: twelve workers, one of whom no longer has it."""
    granted = [
        {
            "QualificationTypeId": "3QUALCAPTIONS0000000000000",
            "WorkerId": f"A{number:02d}WORKER",
            "GrantTime": f"2026-06-{number + 10}T09:30:00-07:00",
            "IntegerValue": 70 + 2 * number,
            "Status": "Revoked" if number == 7 else "Granted",
        }
        for number in range(12)
    ]
    return document({"NumResults": len(granted), "Qualifications": granted})


def document(value: object) -> bytes:
    """JSON as programs print it."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def wirk() -> bytes:
    """Tasks of 24 contributors, as a guess of a French export would have them."""
    dice = Dice(20260302)
    header = (
        "Contributeur",
        "Lot",
        "ID tâche",
        "Type de tâche",
        "Soumis le",
        "Durée (s)",
        "Statut",
        "Prix unitaire",
        "IP",
    )
    rows = [
        (
            f"F{number % 24:03d}",
            f"L{number // 60}",
            f"T{number:05d}",
            dice.pick(("Modération", "Saisie", "Tri de photos")),
            f"{date(2026, 3, 2) + timedelta(days=number // 8):%d/%m/%Y} 1{number % 9}:30",
            dice.number(12, 240),
            dice.pick(("Validée",) * 11 + ("Refusée",)) if number % 90 else "En attente",
            dice.pick(("0,05 €", "0,08 €", "0,12 €")),
            f"203.0.113.{number % 250}",
        )
        for number in range(360)
    ]
    return semicolons(header, rows)


def semicolons(header: Row, rows: Iterable[Row]) -> bytes:
    """A CSV file as a French spreadsheet writes it: semicolons, a byte order mark, CRLF."""
    return b"\xef\xbb\xbf" + table(header, rows, end="\r\n", delimiter=";")


def bemyeye() -> bytes:
    """Field missions of 22 people."""
    dice = Dice(20260409)
    header = (
        *("Mission ID", "User ID", "Enseigne", "Adresse", "Code postal", "Latitude", "Longitude", "Date de la mission"),
        *("Statut", "Photos validées", "Photos refusées", "Motif de refus", "Montant", "Niveau"),
    )
    rows = []
    for number in range(220):
        refused = dice.share() < 0.12
        rows.append(
            (
                f"M{number:04d}",
                f"E{number % 22:03d}",
                "CANARY Hyper",
                f"{number} rue CANARY",
                dice.pick(("69003", "59000", "31000")),
                "47.1234",
                "-3.47.1234",
                f"{date(2026, 4, 1) + timedelta(days=number // 3):%d/%m/%Y}",
                "Refusée" if refused else "Validée",
                "0" if refused else "4",
                "4" if refused else "0",
                "CANARY: photo floue" if refused else "",
                dice.pick(("0,90", "3,50", "6,00")),
                "Expert",
            )
        )
    return semicolons(header, rows)


def generic_tasks() -> bytes:
    """Tasks of 24 annotators."""
    dice = Dice(20260510)
    header = (
        "task_id",
        "worker_id",
        "submitted_at",
        "duration_seconds",
        "status",
        "reward",
        "currency",
        "task_type",
        "ip_address",
    )
    rows = [
        (
            f"t-{number:05d}",
            f"w{number % 24:02d}",
            f"{datetime(2026, 5, 1, 7) + timedelta(minutes=97 * number):%Y-%m-%dT%H:%M:%SZ}",
            dice.number(5, 120),
            dice.pick(("approved",) * 9 + ("rejected", "submitted", "expired")),
            "0.065",
            "USD",
            dice.pick(("image labels", "transcription")),
            "203.0.113.77",
        )
        for number in range(300)
    ]
    return table(header, rows, end="\n")


# Freelance.


def contracts() -> bytes:
    """The contracts of the freelance of the time report, as the API has them."""
    labels = ("Skills", "Quality", "Availability", "Deadlines", "Communication", "Cooperation")
    found = []
    for number in range(9):
        feedback = {
            "score": 5 if number % 4 else 4,
            "comment": "CANARY comment" if number in (1, 5, 6, 7) else REVIEWS[number % len(REVIEWS)],
            "publicComment": number != 1,
            "response": "CANARY response",
            "feedbackSuppressed": number == 5,
            "isPublic": number != 6,
            "scoreDetails": [
                {"label": label, "score": 5 if (number + at) % 5 else 3} for at, label in enumerate(labels)
            ],
        }
        found.append(
            {
                "id": str(40112233 + 350171 * number),
                "title": "CANARY title",
                "type": "HOURLY",
                "private": number == 7,
                "clientOrganization": {"name": "CANARY Ltd"},
                "startDateTime": f"2025-{number % 9 + 1:02d}-03T09:00:00+0000",
                "endDateTime": f"2026-{number % 9 + 1:02d}-20T17:00:00+0000" if number != 8 else None,
                "totalCharges": {"rawValue": str(500 + 77 * number), "currency": "USD"},
                "totalHours": 20 + number,
                "feedbackToTheFreelancer": feedback if number not in (2, 8) else None,
            }
        )
    return document(found)


def transactions() -> bytes:
    """A transaction history, as far as it is known from memory."""
    header = (
        *("Date", "Type", "Description", "Agency", "Freelancer", "Team", "Account Name", "PO", "Amount"),
        *("Amount in local currency", "Currency", "Balance", "Ref ID"),
    )
    rows: list[Row] = []
    balance = 0.0
    for week in range(30):
        day = date(2026, 1, 5) + timedelta(days=7 * week)
        for kind, amount in (
            ("Hourly", 310.5),
            ("Service Fee", -31.05),
            *([("Bonus", 25.0)] if week % 10 == 3 else []),
        ):
            balance += amount
            rows.append(
                (
                    f"{day:%b %d, %Y}",
                    kind,
                    "CANARY invoice",
                    "",
                    "CANARY",
                    "CANARY",
                    "CANARY",
                    "",
                    f"{amount:,.2f}",
                    "",
                    "USD",
                    f"{balance:,.2f}",
                    f"7{week:03d}{len(rows):04d}",
                )
            )
        if week % 8 == 7:
            rows.append(
                (
                    f"{day:%b %d, %Y}",
                    "Withdrawal",
                    "CANARY",
                    "",
                    "",
                    "",
                    "",
                    "",
                    f"{-balance:,.2f}",
                    "",
                    "USD",
                    "0.00",
                    f"9{week}",
                )
            )
            balance = 0.0
    return table(header, rows, end="\n", quote_all=True)


def malt() -> bytes:
    """The missions of one freelance."""
    dice = Dice(20260601)
    header = (
        *(
            "N° de mission",
            "Titre de la mission",
            "Client",
            "Secteur du client",
            "Date de début",
            "Date de fin",
            "Jours",
            "TJM HT",
        ),
        *(
            "Montant HT",
            "Date de facture",
            "N° facture",
            "Statut",
            "Note globale",
            "Commentaire",
            "Réponse",
            "Niveau",
            "Assureur",
        ),
    )
    rows = []
    for number in range(14):
        start, days, rate = (
            date(2025, 6, 2) + timedelta(days=33 * number),
            dice.number(3, 16),
            dice.pick((420, 450, 480)),
        )
        status = "Payée" if number < 12 else ("En cours", "Annulée")[number - 12]
        rows.append(
            (
                f"MA-{number:03d}",
                "CANARY titre",
                "CANARY SAS",
                dice.pick(("Énergie", "Santé", "Transports")),
                f"{start:%d/%m/%Y}",
                f"{start + timedelta(days=days + 6):%d/%m/%Y}",
                days,
                f"{rate} €",
                f"{days * rate:,} €".replace(",", "\u202f"),
                f"{start + timedelta(days=days + 8):%d/%m/%Y}",
                f"F{number}",
                status,
                dice.pick(("5", "4,8", "5/5", "")),
                AVIS[number % len(AVIS)] if status == "Payée" else "CANARY",
                "CANARY merci",
                "Super Malter 2",
                "AXA",
            )
        )
    return semicolons(header, rows)


def covers() -> bytes:
    """The cover that came with each mission of that freelance."""
    header = ("N° de mission", "Assureur", "N° police", "Date d'effet", "Échéance", "Souscripteur")
    rows = [
        (
            f"MA-{number:03d}",
            "AXA",
            "RC-0000421",
            fr(date(2025, 6, 2) + timedelta(days=33 * number)),
            fr(date(2025, 6, 20) + timedelta(days=33 * number)),
            "CANARY",
        )
        for number in range(12)
    ]
    return semicolons(header, rows)


def zhubajie() -> bytes:
    """The orders of three providers."""
    dice = Dice(20260615)
    header = (
        "服务商ID",
        "订单号",
        "买家",
        "类目",
        "金额",
        "状态",
        "交付时间",
        "验收时间",
        "评价",
        "完成质量",
        "工作速度",
        "服务态度",
    )
    rows = []
    for number in range(45):
        day = date(2026, 1, 4) + timedelta(days=4 * number)
        done = number % 9 != 8
        rows.append(
            (
                f"zb{number % 3}",
                f"2026{number:06d}",
                "CANARY",
                dice.pick(("标志设计", "网站开发")),
                f"¥{dice.number(200, 4000)}.00",
                "交易完成" if done else "已取消",
                str(day),
                str(day + timedelta(days=2)) if done else "",
                dice.pick(("好评",) * 12 + ("中评", "差评")) if done else "",
                *(dice.pick(("5", "4.8", "4.5")) for _ in range(3)),
            )
        )
    return table(header, rows, end="\r\n")


def generic_contracts() -> bytes:
    """Contracts of 21 freelances."""
    dice = Dice(20260620)
    header = (
        *(
            "contract_id",
            "freelancer_id",
            "client_name",
            "client_id",
            "client_sector",
            "category",
            "start_date",
            "end_date",
        ),
        *("hours", "amount", "platform_fee", "currency", "status", "rating", "quality", "communication", "deadlines"),
        *("private_feedback", "review"),
    )
    rows = []
    for number in range(168):
        start, hours = date(2025, 7, 1) + timedelta(days=2 * number), dice.number(4, 60)
        status = dice.pick(("paid",) * 12 + ("completed", "cancelled by client", "in progress", "proposal"))
        rated = status == "paid" and dice.share() < 0.85
        stars = [f"{dice.number(7, 10) / 2:g}" if rated else "" for _ in range(4)]
        rows.append(
            (
                f"C{number:04d}",
                f"fr-{number % 21:02d}",
                "CANARY",
                f"cl-{number % 50}",
                dice.pick(("health", "retail", "public sector")),
                dice.pick(("translation", "design", "development")),
                start,
                start + timedelta(days=dice.number(3, 40)),
                hours,
                f"{hours * 35}.00",
                f"{hours * 3.5:.2f}",
                "EUR",
                status,
                *stars,
                "yes" if number % 40 == 39 else "no",
                REVIEWS[number % len(REVIEWS)] if rated and number % 40 != 39 else "CANARY review" if rated else "",
            )
        )
    return table(header, rows, end="\n")


# Jobbing.


def missions_fr() -> bytes:
    """114 rows of one person: 15 paid missions, 7 that were cancelled, many that came to nothing."""
    dice = Dice(20260714)
    header = (
        *(
            "mission_id",
            "Titre",
            "Catégorie",
            "Ville",
            "Adresse",
            "Client",
            "Téléphone",
            "Date de la mission",
            "Heure",
            "État",
        ),
        *("price_per_hour", "nb_hours", "nb_hours", "Note", "Commentaire"),
    )
    states = ["PAID"] * 15 + ["CANCELED"] * 4 + ["Annulée par le client"] * 2 + ["Annulée par le jobber"]
    states += ["posted"] * 44 + ["postulated"] * 37 + ["booked"] * 5 + ["Refusée"] * 4 + ["Terminée"] * 2
    order = sorted(range(len(states)), key=lambda _: dice.share())
    rows = []
    for number, at in enumerate(order):
        state, agreed = states[at], dice.number(1, 5)
        day = date(2026, 1, 10) + timedelta(days=2 * number)
        final = f"{agreed + 0.5:g}".replace(".", ",") if state == "PAID" and at % 3 == 0 else ""
        rows.append(
            (
                8000 + number,
                "CANARY : monter une étagère",
                dice.pick(("Jardinage", "Ménage", "Bricolage", "Déménagement")),
                dice.pick(("69007 Lyon", "Villeurbanne", "69100 Villeurbanne")),
                "12 rue CANARY",
                "CANARY Client",
                "06 00 00 00 00",
                (f"{day:%d/%m/%Y}", f"{day:%Y-%m-%d} 14:00:00")[number % 7 == 0],
                "14h",
                state,
                dice.pick(("15 €", "12,50 €", "18")),
                agreed,
                final,
                dice.pick(("5", "4", "5/5", "")) if state == "PAID" else ("5" if state == "posted" else ""),
                AVIS[at % len(AVIS)] if state == "PAID" and at % 3 else "CANARY" if state == "posted" else "NULL",
            )
        )
    return semicolons(header, rows)


def missions_en() -> bytes:
    """Missions of 21 jobbers, with totals."""
    dice = Dice(20260715)
    header = (
        *(
            "id",
            "jobber_id",
            "category",
            "postal_code",
            "start_at",
            "status",
            "cancelled_by",
            "hours",
            "total_price",
            "currency",
        ),
        *("stars", "comment", "customer_name", "latitude", "longitude"),
    )
    rows = []
    for number in range(210):
        hours, state = dice.number(2, 12) / 2, dice.pick(("PAID",) * 9 + ("CANCELED", "POSTED", "BOOKED"))
        rows.append(
            (
                number,
                f"j{number % 21:02d}",
                dice.pick(("gardening", "cleaning", "moving")),
                dice.pick(("75011", "13005", "33000")),
                f"{datetime(2026, 2, 1, 23, 30) + timedelta(hours=19 * number):%Y-%m-%dT%H:%M:%S.000Z}",
                state,
                dice.pick(("customer", "jobber", "")) if state == "CANCELED" else "",
                f"{hours:g}",
                f"{hours * 16:.2f}",
                "EUR",
                dice.pick(("5", "5", "4", "3", "")) if state == "PAID" else "",
                REVIEWS[number % len(REVIEWS)] if state == "PAID" and number % 5 < 2 else "",
                "CANARY",
                "47.1234",
                "47.1234",
            )
        )
    return table(header, rows, end="\n")


# Sharing.

EARNING_COLUMNS: Final = (
    *(
        "Date",
        "Arriving by date",
        "Type",
        "Confirmation Code",
        "Booking date",
        "Start date",
        "End date",
        "Nights",
        "Guest",
    ),
    *(
        "Listing",
        "Details",
        "Reference code",
        "Currency",
        "Amount",
        "Paid out",
        "Service fee",
        "Fast Pay Fee",
        "Cleaning fee",
    ),
    *("Gross earnings", "Occupancy taxes", "Earnings year"),
)
REVENUS: Final = (
    *(
        "Date",
        "Type",
        "Code de confirmation",
        "Date de réservation",
        "Date de début",
        "Date de fin",
        "Nuits",
        "Voyageur",
    ),
    *("Annonce", "Détails", "Code de référence", "Devise", "Montant", "Versé", "Frais de service", "Frais de ménage"),
    *("Revenus bruts", "Taxes de séjour"),
)


def stays(dice: Dice, seed: str) -> Iterator[tuple[date, date, int, str, float, float]]:
    """Payday, arrival, nights, code, gross and fee of a host's stays in a year."""
    arrival = date(2026, 1, 8)
    for number in range(24):
        nights = dice.number(2, 7)
        gross = nights * 62 + 35
        yield arrival + timedelta(days=1), arrival, nights, f"HM{seed}{number:04d}", gross, round(gross * 0.03, 2)
        arrival += timedelta(days=nights + dice.number(1, 9))


def earnings_us() -> bytes:
    """A year of a host, as an account in the United States downloads it: the month comes first."""
    rows: list[Row] = []
    for paid, arrival, nights, code, gross, fee in stays(Dice(20260105), "US"):
        net = f"{gross - fee:,.2f}"
        rows.append(
            (
                us(paid),
                us(paid + timedelta(days=2)),
                "Payout",
                *[""] * 7,
                "Transfer to CANARY",
                "",
                "USD",
                "",
                net,
                *[""] * 6,
            )[:21]
        )
        rows.append(
            (
                us(paid),
                "",
                "Reservation",
                code,
                us(arrival - timedelta(days=40)),
                us(arrival),
                us(arrival + timedelta(days=nights)),
                nights,
                "CANARY Guest",
                "Attic by the canal",
                "",
                "",
                "USD",
                net,
                "",
                f"{fee:.2f}",
                "",
                "35.00",
                f"{gross:,.2f}",
                "4.10",
                "2026",
            )
        )
    rows.append(
        (
            us(date(2026, 5, 30)),
            "",
            "Resolution Payout",
            "HMUS0007",
            *[""] * 4,
            "CANARY Guest",
            "",
            "",
            "",
            "USD",
            "40.00",
            *[""] * 7,
        )
    )
    rows.append(
        (
            us(date(2026, 6, 30)),
            "",
            "Adjustment",
            "HMUS0009",
            *[""] * 4,
            "CANARY Guest",
            "",
            "",
            "",
            "USD",
            "-25.50",
            *[""] * 7,
        )
    )
    return b"\xef\xbb\xbf" + table(EARNING_COLUMNS, rows, end="\r\n")


def us(day: date) -> str:
    """The month first."""
    return f"{day:%m/%d/%Y}"


def revenus_fr() -> bytes:
    """A year of another host, in French: the day comes first, and a comma before the cents."""
    rows: list[Row] = []
    for paid, arrival, nights, code, gross, fee in stays(Dice(20260106), "FR"):
        net = euros(gross - fee)
        rows.append((fr(paid), "Versement", *[""] * 7, "CANARY", "", "EUR", "", net, *[""] * 4))
        rows.append(
            (
                fr(paid),
                "Réservation",
                code,
                fr(arrival - timedelta(days=25)),
                fr(arrival),
                fr(arrival + timedelta(days=nights)),
                nights,
                "CANARY Voyageur",
                "Studio du port",
                "",
                "",
                "EUR",
                net,
                "",
                euros(fee),
                "35,00",
                euros(gross),
                "3,30",
            )
        )
    return semicolons(REVENUS, rows)


def fr(day: date) -> str:
    """The day first."""
    return f"{day:%d/%m/%Y}"


def euros(amount: float) -> str:
    """1 234,56"""
    return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",")


def bookings() -> bytes:
    """Bookings of 21 hosts."""
    dice = Dice(20260110)
    header = (
        *(
            "Numéro de réservation",
            "hôte_id",
            "Type de bien",
            "Ville",
            "Arrivée",
            "Départ",
            "Nuits",
            "Statut",
            "Montant brut",
        ),
        *("Commission", "Montant net", "Devise", "Note globale", "Propreté", "Emplacement", "Voyageur", "Commentaire"),
    )
    rows = []
    for number in range(189):
        arrival, nights = date(2026, 1, 3) + timedelta(days=number), dice.number(1, 6)
        status, gross = dice.pick(("Terminée",) * 9 + ("Annulée",)), nights * 71
        rated = status == "Terminée" and dice.share() < 0.8
        rows.append(
            (
                f"R{number:04d}",
                f"h{number % 21:02d}",
                dice.pick(("Chambre", "Appartement")),
                dice.pick(("Nantes", "Brest")),
                fr(arrival),
                fr(arrival + timedelta(days=nights)),
                nights,
                status,
                euros(gross),
                euros(gross * 0.15),
                euros(gross * 0.85),
                "EUR",
                *(dice.pick(("5", "4", "4,5")) if rated else "" for _ in range(3)),
                "CANARY Voyageur",
                AVIS[number % len(AVIS)] if rated and number % 3 else "CANARY" if status == "Annulée" else "",
            )
        )
    return semicolons(header, rows)


# What the tax office is told.


def quarters() -> bytes:
    """Sellers, a quarter a row."""
    dice = Dice(20270131)
    header = (
        "seller_id",
        "name",
        "TIN",
        "year",
        "quarter",
        "consideration",
        "number_of_activities",
        "fees",
        "currency",
    )
    rows = [
        (
            f"S{seller:03d}",
            "CANARY",
            "CANARY",
            2025,
            f"Q{quarter}",
            f"{dice.number(0, 3000)}.00",
            dice.number(0, 40),
            "12.00",
            "EUR",
        )
        for seller in range(12)
        for quarter in (1, 2, 3, 4)
    ]
    return table(header, rows, end="\n")


def side_by_side() -> bytes:
    """Sellers, a year a row."""
    dice = Dice(20270201)
    each = [f"{what}_q{quarter}" for quarter in (1, 2, 3, 4) for what in ("consideration", "activities")]
    rows = [
        (
            f"T{seller:03d}",
            "CANARY",
            2025,
            *(value for _ in range(4) for value in (dice.pick(("", "812.40", "1930")), dice.number(0, 9))),
        )
        for seller in range(12)
    ]
    return table(("seller_id", "address", "year", *each), rows, end="\n")


def statement() -> bytes:
    """What one person is told once a year."""
    return semicolons(
        ("Année", "Nombre de transactions", "Montant total", "Nom"),
        [(2025, 87, "6 412,35 €", "CANARY"), (2024, 31, "2 100 €", "CANARY")],
    )


EXAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "mturk/Batch_4410233_batch_results.csv": batch,
    "mturk/assignments.json": assignments,
    "mturk/bonuses.json": bonuses,
    "mturk/qualifications.json": qualified,
    "wirk/taches.csv": wirk,
    "bemyeye/missions.csv": bemyeye,
    "generic-microwork/tasks.csv": generic_tasks,
    "upwork/contracts.json": contracts,
    "upwork-transactions/transactions.csv": transactions,
    "malt/missions.csv": malt,
    "malt/garanties.csv": covers,
    "zhubajie/orders.csv": zhubajie,
    "generic-freelance/contracts.csv": generic_contracts,
    "generic-jobbing/missions.csv": missions_fr,
    "generic-jobbing/missions_en.csv": missions_en,
    "airbnb/earnings_2026.csv": earnings_us,
    "airbnb/revenus_2026.csv": revenus_fr,
    "generic-sharing/reservations.csv": bookings,
    "dac7/quarters.csv": quarters,
    "dac7/sellers.csv": side_by_side,
    "dac7/releve_annuel.csv": statement,
}


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, make in EXAMPLES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(make())
