"""``ouvrage issuer lists``: what the status lists hold, and their signed versions."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from issuer.keyring import KeyRing
from issuer.options import Database_, database_address
from issuer.status_commands import day, open_database
from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import home, write_atomic
from vc.io.options import At, Home, Json_, moment
from vc.model import format_date_time
from vc.status import MIN_ENTRIES
from vc.token_status import aggregation

if TYPE_CHECKING:
    from issuer.database import Database
    from issuer.statuslists import Kind

MOST_PLACES: Final = 1 << 24  # 4 MB for each version of a list, before it is compressed


app = new_app("Status lists: what they hold, and their signed versions.")


@app.callback(invoke_without_command=True)
def lists_group(
    context: typer.Context, database: Database_ = None, home_dir: Home = None, as_json: Json_ = False
) -> None:
    """The lists, how full they are, and when they were last signed."""
    if context.invoked_subcommand is None:
        _show_lists(database, home_dir, as_json=as_json)


@app.command("publish")
def publish_command(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write the lists as files, for mirrors.")
    ] = None,
    database: Database_ = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Sign every list that changed or is near its end, as a running service does by itself."""
    from issuer import statuslists  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.database import Database  # noqa: PLC0415

    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    with Database.open(database_address(database, folder)) as opened:
        keys = KeyRing.open(folder, rand=os.urandom, at=at_).signing(at_)
        base = _base(opened)
        signed = statuslists.sign_due(opened, keys=keys, base=base, at=at_, rand=os.urandom)
        written = _write_lists(opened, out, base) if out else 0
    show(
        {"signed": signed, "written": written, "folder": str(out) if out else None},
        as_json=as_json,
        text=lambda: f"{signed} lists signed." + (f" {written} written to {out}." if out else ""),
    )


@app.command("places")
def places_command(
    number: Annotated[int, typer.Argument(metavar="N", min=MIN_ENTRIES, max=MOST_PLACES, help="How many places.")],
    database: Database_ = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """How many places a list has that is opened from now on; a multiple of eight. Half of them are given away."""
    from issuer.statuses import PLACES  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.tables import SETTING  # noqa: PLC0415

    number -= number % 8
    with open_database(database, home_dir) as opened, opened.write() as connection:
        connection.execute(SETTING.delete().where(SETTING.c.name == PLACES))
        connection.execute(SETTING.insert().values(name=PLACES, value=str(number)))
    show({"places": number}, as_json=as_json, text=lambda: f"New lists have {number} places.")


@app.command("close")
def close_command(database: Database_ = None, home_dir: Home = None, at: At = None, as_json: Json_ = False) -> None:
    """Give away no more places in the lists that are open: the next copy opens a new one. For after a restore."""
    from issuer.statuses import close_all  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with open_database(database, home_dir) as opened, opened.write() as connection:
        closed = close_all(connection, int(moment(at).timestamp()))
    show({"closed": closed}, as_json=as_json, text=lambda: f"{closed} lists closed; the next copy opens a new one.")


def _base(database: "Database") -> str:
    import sqlalchemy as sa  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    from issuer.tables import SETTING  # noqa: PLC0415

    with database.read() as connection:
        base = connection.scalar(sa.select(SETTING.c.value).where(SETTING.c.name == "base"))
    if base is None:
        raise Malformed("lists", "the service has never run, so that no list has an address", code="NO_BASE")
    return str(base)


def _show_lists(database: str | None, home_dir: Path | None, *, as_json: bool) -> None:
    import sqlalchemy as sa  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    from issuer.statuses import places_of_new_lists  # noqa: PLC0415
    from issuer.statuslists import Kind  # noqa: PLC0415
    from issuer.tables import DISPUTE, STATUS_ENTRY, STATUS_LIST, STATUS_PUBLISHED  # noqa: PLC0415

    one = sa.select(STATUS_PUBLISHED).where(STATUS_PUBLISHED.c.kind == Kind.JWT).subquery()
    real = sa.select(STATUS_ENTRY.c.list, sa.func.count().label("copies")).where(~STATUS_ENTRY.c.decoy)
    count = real.group_by(STATUS_ENTRY.c.list).subquery()
    query = (
        sa.select(STATUS_LIST, one.c.signed_at, one.c.expires, count.c.copies)
        .join_from(STATUS_LIST, one, one.c.list == STATUS_LIST.c.id, isouter=True)
        .join(count, count.c.list == STATUS_LIST.c.id, isouter=True)
        .order_by(STATUS_LIST.c.opened, STATUS_LIST.c.id)
    )
    with open_database(database, home_dir) as opened, opened.read() as connection:
        rows: list[dict[str, Json]] = [
            {
                "list": row.id,
                "places": row.size,
                "copies": row.copies or 0,
                "decoys": row.taken - (row.copies or 0),
                "opened": day(row.opened),
                "open": row.closed is None,
                "signedAt": None if row.signed_at is None else _second(row.signed_at),
                "expires": None if row.expires is None else _second(row.expires),
            }
            for row in connection.execute(query)
        ]
        places = places_of_new_lists(connection)
        under_way = connection.scalar(sa.select(sa.func.count()).select_from(DISPUTE).where(DISPUTE.c.closed.is_(None)))
    show(
        {"lists": list[Json](rows), "placesOfNewLists": places, "disputesUnderWay": under_way},
        as_json=as_json,
        text=lambda: "\n".join(_lists_text(rows)) or "No list yet: the first copy with a status opens one.",
    )


def _lists_text(rows: list[dict[str, Json]]) -> Iterator[str]:
    for row in rows:
        state = "open" if row["open"] else "closed"
        signed = f"signed {row['signedAt']}" if row["signedAt"] else "not signed yet"
        yield (
            f"{row['list']}  {state}, since {row['opened']}: {row['copies']} copies and {row['decoys']} decoys "
            f"in {row['places']} places; {signed}"
        )


def _write_lists(database: "Database", out: Path, base: str) -> int:
    """The signed lists as files: each rendering, their index, and what a verifier's trust file takes."""
    from issuer import statuslists  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.statuslists import Kind  # noqa: PLC0415

    with database.read() as connection:
        ids = statuslists.list_ids(connection)
        lists = {one: {kind: statuslists.read_published(connection, one, kind) for kind in Kind} for one in ids}
    entries: list[Json] = []
    for name, renderings in lists.items():
        for kind, published in renderings.items():
            if published is None:
                continue
            folder = out / name
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / _file(kind), published.body, mode=0o644)
            signed = format_date_time(datetime.fromtimestamp(published.signed_at, UTC))
            if kind is Kind.JWT:
                entries.append({"url": f"{base}/status/{name}/token", "asOf": signed, "token": published.body.decode()})
            elif kind is not Kind.CWT:
                credential = parse_object(published.body)
                entries.append({"url": credential["id"], "asOf": signed, "credential": credential})
    out.mkdir(parents=True, exist_ok=True)
    index = aggregation(tuple(f"{base}/status/{one}/token" for one in ids))
    write_atomic(out / "status.json", to_json(index), mode=0o644)
    write_atomic(out / "lists.json", to_json({"statusLists": entries}), mode=0o644)
    return len(ids)


def _file(kind: "Kind") -> str:
    """The name of a rendering of a list, below a mirror's folder."""
    from issuer.statuslists import Kind  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    files = {Kind.JWT: "token.jwt", Kind.CWT: "token.cwt"}
    return files.get(kind, f"{kind.lower()}.json")


def _second(second: int) -> str:
    return format_date_time(datetime.fromtimestamp(second, UTC))
