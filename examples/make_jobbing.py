"""Write the example exports of platforms for odd jobs: made up, always the same bytes.

They have the columns and oddities of the real exports, where those are known. What must never be stated (names, guests,
addresses, IPs, positions) is in them as CANARY, 203.0.113.… and 47.1234: the tests look for it in what is stated.

    python examples/make_jobbing.py [FOLDER]
"""

import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from make_examples import Dice, table, write_examples
from pieces import AVIS, REVIEWS, semicolons

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


EXAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "generic-jobbing/missions.csv": missions_fr,
    "generic-jobbing/missions_en.csv": missions_en,
}


if __name__ == "__main__":
    write_examples(EXAMPLES, sys.argv[1:])
