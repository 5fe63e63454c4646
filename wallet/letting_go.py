"""A statement that the worker wants no more: its copies go, it is not renewed, and its platform is told (§11)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from vc.errors import VcError
from wallet.collect import DELETED
from wallet.fetching import tell
from wallet.grants import Dataset, Grant, drop_grants, grants, keep_grant
from wallet.issuer_session import Ask, Session
from wallet.pending import promises
from wallet.refresh import open_session
from wallet.retire import retire
from wallet.shelf import Shelf

Left = tuple[tuple[Grant, Dataset], ...]  # what platforms are to be told of, by the grant that it came with


def delete_statement(shelf: Shelf, name: str) -> Left:
    """Delete all copies of a statement, in all formats, in one step with what would renew it."""
    with shelf.vault.transaction():
        held = shelf.copies()
        gone = [one for one in held if one.statement == name]
        batches = {one.batch for one in gone}
        retire(shelf.vault, gone, held)
        left: list[tuple[Grant, Dataset]] = []
        for grant in grants(shelf.vault):
            mine = [one for one in grant.datasets if one.batch in batches]
            if mine:
                left += [(grant, one) for one in mine]
                kept = tuple(replace(one, wanted=False) if one in mine else one for one in grant.datasets)
                keep_grant(shelf.vault, replace(grant, datasets=kept))
    return tuple(left)


async def tell_deleted(
    shelf: Shelf,
    left: Left,
    *,
    ask: Ask,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
) -> bool:
    """Tell the platforms; whether there was one, and all listened. Grants for nothing are then forgotten."""
    told = []
    for grant, dataset in left:
        told.append(await _tell(shelf, grant, dataset, Session(ask, grant.issuer, grant.typed, now, rand)))
    _drop_empty(shelf, [grant.id for grant, _ in left])
    return bool(told) and all(told)


async def _tell(shelf: Shelf, grant: Grant, dataset: Dataset, session: Session) -> bool:
    current = next((one for one in grants(shelf.vault) if one.id == grant.id), None)
    if current is None:
        return False
    try:
        await open_session(shelf, session, current)
    except VcError:
        return False
    return await tell(session, dataset.notification, DELETED)


def _drop_empty(shelf: Shelf, ids: Sequence[bytes]) -> None:
    with shelf.vault.transaction():
        waiting = {one.grant for one in promises(shelf.vault)}
        known = {one.id: one for one in grants(shelf.vault)}
        empty = [one.id for one in known.values() if one.id in ids and one.id not in waiting]
        empty = [one for one in empty if not any(each.wanted for each in known[one].datasets)]
        drop_grants(shelf.vault, empty)
