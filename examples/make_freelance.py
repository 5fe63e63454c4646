"""Write the example exports of marketplaces for freelance work: made up, always the same bytes.

They have the columns and oddities of the real exports, where those are known. What must never be stated (names, guests,
addresses, IPs, positions) is in them as CANARY, 203.0.113.… and 47.1234: the tests look for it in what is stated.

    python examples/make_freelance.py [FOLDER]
"""

import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

from make_examples import Dice, Row, table, write_examples
from pieces import AVIS, REVIEWS, document, fr, semicolons

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


EXAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "upwork/contracts.json": contracts,
    "upwork-transactions/transactions.csv": transactions,
    "malt/missions.csv": malt,
    "malt/garanties.csv": covers,
    "zhubajie/orders.csv": zhubajie,
    "generic-freelance/contracts.csv": generic_contracts,
}


if __name__ == "__main__":
    write_examples(EXAMPLES, sys.argv[1:])
