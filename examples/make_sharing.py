"""Write the example exports of platforms for stays, and of what the tax office is told: made up, always the same bytes.

They have the columns and oddities of the real exports, where those are known. What must never be stated (names, guests,
addresses, IPs, positions) is in them as CANARY, 203.0.113.… and 47.1234: the tests look for it in what is stated.

    python examples/make_sharing.py [FOLDER]
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from make_examples import Dice, Row, table, write_examples
from pieces import AVIS, fr, semicolons

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
        stay = (code, us(arrival - timedelta(days=40)), us(arrival), us(arrival + timedelta(days=nights)), nights)
        money = ("USD", net, "", f"{fee:.2f}", "", "35.00", f"{gross:,.2f}", "4.10", "2026")
        gone = ("Transfer to CANARY", "", "USD", "", net)
        rows.append((us(paid), us(paid + timedelta(days=2)), "Payout", *[""] * 7, *gone, *[""] * 6))
        rows.append((us(paid), "", "Reservation", *stay, "CANARY Guest", "Attic by the canal", "", "", *money))
    rows.append(once(date(2026, 5, 30), "Resolution Payout", "HMUS0007", "40.00"))
    rows.append(once(date(2026, 6, 30), "Adjustment", "HMUS0009", "-25.50"))
    return b"\xef\xbb\xbf" + table(EARNING_COLUMNS, rows, end="\r\n")


def once(day: date, kind: str, code: str, amount: str) -> Row:
    """A line that is neither a stay nor a payout."""
    return (us(day), "", kind, code, *[""] * 4, "CANARY Guest", "", "", "", "USD", amount, *[""] * 7)


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
    "airbnb/earnings_2026.csv": earnings_us,
    "airbnb/revenus_2026.csv": revenus_fr,
    "generic-sharing/reservations.csv": bookings,
    "dac7/quarters.csv": quarters,
    "dac7/sellers.csv": side_by_side,
    "dac7/releve_annuel.csv": statement,
}


if __name__ == "__main__":
    write_examples(EXAMPLES, sys.argv[1:])
