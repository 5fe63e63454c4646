"""``ouvrage wallet import``: a worker whose platform issues nothing keeps what their own export says.

The statements are made as a platform would make them, and signed by nobody's key: each copy by a throw-away one, so
that no two showings can be linked by it. They say themselves that nobody has confirmed them. Only here do issuer and
wallet meet: neither imports the other.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vc import bbs
from vc.errors import Malformed, Unsupported
from vc.io.command import show
from vc.io.files import write_atomic
from vc.io.options import At, Home, Json_, Lang, language, moment
from vc.keys import Bls12381Key
from vc.secure import sign_selective
from wallet import own_export, words
from wallet.__main__ import app, main
from wallet.keys import HolderKey
from wallet.opening import open_shelf
from wallet.receive import Received, receive
from work import CONTEXTS
from work.draft import draft
from work.statement import SourceMethod, Statement
from work.types import TYPES
from work.validate import check_document

if TYPE_CHECKING:
    from issuer.attest import Attested

__all__ = ["main"]  # the wallet's own, with one command more

MAX_COPIES: Final = 50
_MEMORY: Final = "/dev/shm"  # noqa: S108  (a file there is on no disk)
_SHOWN: Final = 5  # workers named in a message


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Your own export from the platform.")],
    profile: Annotated[
        str, typer.Option(help="Which platform's export: a name that `ouvrage issuer profiles` lists, or a file.")
    ],
    worker: Annotated[
        str | None, typer.Option(help="Who of the workers in the file you are, where there are several.")
    ] = None,
    copies: Annotated[
        int, typer.Option(min=1, max=MAX_COPIES, help="How many single-use copies of each statement to make.")
    ] = 5,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows that were not understood to this file.")
    ] = None,
    home_dir: Home = None,
    lang: Lang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Keep what your own export says, where the platform signs nothing. It is marked as confirmed by nobody."""
    moment_, language_ = moment(at), language(lang)
    made = attested(profile, files)
    if rejects is not None and made.rejects:
        write_atomic(rejects, made.rejects_csv())
    statements = of_one(made.statements, worker)
    with open_shelf(home_dir) as shelf:
        keys = shelf.unspent_keys(copies, rand=os.urandom)
        received = list(self_signed(statements, keys, at=moment_, rand=os.urandom))
        new = shelf.add(received, at=moment_, rand=os.urandom)
        kept = [copy for copy in words.statements(shelf.copies()) if isinstance(copy, dict) and copy["ownImport"]]
    document = {
        "added": new,
        "already": len(received) - new,
        "credentials": kept,
        "rejects": len(made.rejects),
        "reconciliation": made.reconciliation.to_json(),
    }
    show(
        document,
        as_json=as_json,
        text=lambda: "\n".join(
            [
                made.reconciliation.text(),
                words.imported_text(new, len(received) - new, len(made.rejects), language_),
                words.list_text(kept, language_),
            ]
        ),
    )


def profiles() -> tuple[tuple[str, str], ...]:
    """The platforms whose exports can be read: the name of each profile, and what it is called."""
    from issuer.profile import load_profile, profile_names  # noqa: PLC0415

    loaded = [(name, load_profile(name)) for name in profile_names()]
    return tuple((name, f"{one.platform} ({name})") for name, one in loaded)


def read_files(profile: str, files: Sequence[bytes], worker: str) -> own_export.Read:
    """What files that were sent say. DuckDB reads files: they lie in memory where the system has a place for that, in a
    folder of ours alone, and are gone when this returns."""
    if profile not in dict(profiles()):
        raise Unsupported("profile", profile[:80], code="UNKNOWN_PROFILE")
    with TemporaryDirectory(prefix="ouvrage-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as folder:
        paths = [Path(folder) / f"{number}.csv" for number in range(len(files))]
        for path, raw in zip(paths, files, strict=True):
            path.write_bytes(raw)
        made = attested(profile, paths)
    statements = of_one(made.statements, worker or None)

    def bind(keys: Sequence[HolderKey], at: datetime) -> tuple[Received, ...]:
        return tuple(self_signed(statements, keys, at=at, rand=os.urandom))

    return own_export.Read(bind, len(made.rejects))


own_export.use(own_export.Reader(profiles, read_files))


def attested(profile: str, files: Sequence[Path]) -> "Attested":
    """What the worker's export says. How ratings are spread on a platform is not for one worker's file to say, and a
    statement about one review or one policy names a job in a way that only the platform's secret gives."""
    from issuer.attest import attest  # noqa: PLC0415  (DuckDB takes a while to load)
    from issuer.marks import MARKED  # noqa: PLC0415
    from issuer.profile import load_profile  # noqa: PLC0415

    loaded = load_profile(profile)
    about_workers = {
        name: one for name, one in loaded.statements.items() if TYPES[name].about == "worker" and name not in MARKED
    }
    worker = "self" if len(files) > 1 else None  # of files that do not say who they are about; it is never signed
    return attest(
        replace(loaded, statements=about_workers), files, worker=worker, source=SourceMethod.workerImportUnverified
    )


def of_one(statements: Sequence[Statement], worker: str | None) -> tuple[Statement, ...]:
    """The statements about the worker whose wallet this is. Raises :class:`Malformed` where that is not clear."""
    workers = sorted({statement.worker for statement in statements})
    if worker is None and len(workers) > 1:
        named = ", ".join(workers[:_SHOWN]) + (" …" if len(workers) > _SHOWN else "")
        why = f"the file is about {len(workers)} workers; say which one you are: {named}"
        raise Malformed("--worker", why, code="SEVERAL_WORKERS")
    chosen = workers[0] if worker is None and workers else worker
    mine = tuple(statement for statement in statements if statement.worker == chosen)
    if not mine:
        raise Malformed("--worker", "the file says nothing about this worker", code="NOT_FOUND")
    return mine


def self_signed(
    statements: Sequence[Statement],
    keys: Sequence[HolderKey],
    *,
    at: datetime,
    rand: Callable[[int], bytes],
) -> Iterator[Received]:
    """A copy of each statement for each key, signed by a key that nobody has kept, and read back like any other."""
    own = {key.did for key in keys}
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    for statement in statements:
        for key in keys:
            throw_away = Bls12381Key.from_secret(bbs.key_gen(rand(32)))
            drafted = draft(statement, issuer=throw_away.did, holder=key.did, at=at)
            check_document(drafted.document)
            signed = sign_selective(
                drafted.document,
                key=throw_away,
                created=midnight,
                mandatory=drafted.mandatory,
                contexts=CONTEXTS,
                rand=rand,
            )
            received = receive(signed, own=own, contexts=CONTEXTS, at=at, where=statement.type)
            yield replace(received, own=True)
