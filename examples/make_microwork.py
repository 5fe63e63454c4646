"""Write the example exports of platforms for small tasks: made up, always the same bytes.

They have the columns and oddities of the real exports, where those are known. What must never be stated (names, guests,
addresses, IPs, positions) is in them as CANARY, 203.0.113.… and 47.1234: the tests look for it in what is stated.

    python examples/make_microwork.py [FOLDER]
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from make_examples import Dice, Row, table, write_examples
from pieces import PIXEL, document, semicolons

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


EXAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "mturk/Batch_4410233_batch_results.csv": batch,
    "mturk/assignments.json": assignments,
    "mturk/bonuses.json": bonuses,
    "mturk/qualifications.json": qualified,
    "wirk/taches.csv": wirk,
    "bemyeye/missions.csv": bemyeye,
    "generic-microwork/tasks.csv": generic_tasks,
}


if __name__ == "__main__":
    write_examples(EXAMPLES, sys.argv[1:])
