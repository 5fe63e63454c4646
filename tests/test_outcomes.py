"""What came of disputes, from the service's tables through a file to statements."""

from datetime import timedelta
from pathlib import Path

from issuer.database import Database
from issuer.disputes import close_dispute
from issuer.formats import Format
from issuer.outcomes import COLUMNS, Exported, export_outcomes
from issuer.store import Store
from tests.cli import ouvrage
from tests.databases import *  # noqa: F403
from tests.databases import sample_statements
from tests.line import AT, SAMPLES, holder_key
from tests.test_every_profile import made_of
from tests.test_issuer_disputes import accept, close, copy_of, dispute_of, disputed
from tests.test_issuer_status import NOW
from work.reply import about_digest
from work.statement import Statement

MEMBERSHIP = "PlatformMembership"


CORRECTED = {**SAMPLES[MEMBERSHIP], "sourceMethod": "dsarImport"}  # always shown, so that the fingerprint changes


def correct(database: Database) -> None:
    Store(database).add_statements([Statement(MEMBERSHIP, "worker-1", CORRECTED)], source="test")


def exported(database: Database) -> Exported:
    with database.read() as connection:
        return export_outcomes(connection)


def test_only_what_has_ended_is_written_and_what_no_worker_signed_is_counted(database: Database) -> None:
    sample_statements(database)
    made = copy_of(database, Format.BBS)
    dispute = accept(database, dispute_of(made))
    ours = disputed(database, "Rating")
    assert exported(database) == Exported((), 0)
    close(database, ours, "upheld")
    close(database, dispute, "upheld")
    about = about_digest("Earnings", made.key.partition("#")[0], SAMPLES["Earnings"])
    assert exported(database) == Exported((("worker-1", "2026-11-24", about, "upheld", ""),), 1)
    assert b"miscount" not in exported(database).csv()


def test_the_last_outcome_of_a_statement_counts(database: Database) -> None:
    sample_statements(database)
    made = copy_of(database, Format.BBS)
    close(database, accept(database, dispute_of(made)), "withdrawn")
    again = accept(database, dispute_of(made, opened="2026-12-01"), at=AT + timedelta(days=8))
    with database.write() as connection:
        close_dispute(connection, again, "upheld", now=NOW + 9 * 86_400)
    ((_, day, _, ended, _),) = exported(database).rows
    assert (day, ended) == ("2026-12-03", "upheld")


def test_the_corrected_statement_is_named_where_the_issuer_has_one_name(database: Database) -> None:
    sample_statements(database)
    made = copy_of(database, Format.BBS, kind=MEMBERSHIP)
    dispute = accept(database, dispute_of(made))
    correct(database)
    close(database, dispute, "corrected")
    ((*_, about, ended, replaces),) = exported(database).rows
    assert replaces == about_digest(MEMBERSHIP, made.key.partition("#")[0], CORRECTED)
    assert (ended, replaces != about) == ("corrected", True)


def test_with_a_name_for_each_format_it_is_not_guessed(database: Database) -> None:
    sample_statements(database)
    made = copy_of(database, Format.BBS, kind=MEMBERSHIP)
    copy_of(database, Format.ECDSA_SD, holder=holder_key("other"), kind=MEMBERSHIP)
    dispute = accept(database, dispute_of(made))
    correct(database)
    close(database, dispute, "corrected")
    ((*_, ended, replaces),) = exported(database).rows
    assert (ended, replaces) == ("corrected", "")


def test_the_file_makes_a_statement_of_each_outcome(database: Database, tmp_path: Path) -> None:
    sample_statements(database)
    upheld = accept(database, dispute_of(copy_of(database, Format.BBS)))
    close(database, upheld, "upheld")
    fixed = accept(database, dispute_of(copy_of(database, Format.BBS, kind=MEMBERSHIP)), at=AT + timedelta(hours=1))
    correct(database)
    close(database, fixed, "corrected")
    (tmp_path / "outcomes.csv").write_bytes(exported(database).csv())
    made = made_of("records", (tmp_path / "outcomes.csv",))
    made.reconciliation.check()
    rows = {row[COLUMNS.index("about")]: row for row in exported(database).rows}
    assert {one.type for one in made.statements} == {"DisputeOutcome"}
    assert len(made.statements) == len(rows) == 2
    for one in made.statements:
        worker, _, _, ended, replaces = rows[str(one.claims["about"])]
        assert (one.worker, one.claims["outcome"], one.claims["decidedBy"]) == (worker, ended, "platform")
        assert (one.claims["decidedOn"], one.claims["replaces"]) == ("2026-11", replaces or "none")


def test_the_commands(tmp_path: Path) -> None:
    (tmp_path / "issuer").mkdir()
    with Database.open(tmp_path / "issuer" / "issuer.db") as database:
        sample_statements(database)
        close(database, accept(database, dispute_of(copy_of(database, Format.BBS))), "upheld")
        before = len(list(Store(database).statements()))
    done = ouvrage(tmp_path, "issuer", "dispute", "export", "--out", "outcomes.csv", "--json").json
    assert done == {"file": "outcomes.csv", "outcomes": 1, "leftOut": 0}
    assert ouvrage(tmp_path, "issuer", "attest", "--profile", "records", "outcomes.csv", "--json").code == 0
    with Database.open(tmp_path / "issuer" / "issuer.db") as database:
        after = list(Store(database).statements())
    assert len(after) == before + 1
