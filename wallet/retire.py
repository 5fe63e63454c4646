"""Copies that nobody needs any more go, and with them the keys that bind nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from vc.errors import VcError
from wallet.choose import Copy
from wallet.keys import HolderKey, read_key_body
from wallet.shelf import KEY
from wallet.vault import Item, Vault


def retire(vault: Vault, gone: Iterable[Copy], held: Sequence[Copy]) -> int:
    """Delete the copies ``gone`` of all that are ``held``; how many they were.

    A key goes with its last copy: it would never get another, and a verifier may have seen it.
    """
    ids = {one.id for one in gone}
    holders = {one.holder for one in held if one.id in ids} - {one.holder for one in held if one.id not in ids}
    with vault.transaction():
        keys = [item.id for item in vault.items(KEY) if _did(item) in holders] if holders - {None} else []
        vault.delete([*ids, *keys])
    return len(ids)


@contextmanager
def keys_used_or_dropped(vault: Vault, keys: Sequence[HolderKey]) -> Iterator[None]:
    """Keys that were made for copies go again where no copies come of it."""
    try:
        yield
    except VcError:
        dids = {key.did for key in keys}
        with vault.transaction():
            vault.delete([item.id for item in vault.items(KEY) if _did(item) in dids])
        raise


def _did(item: Item) -> str:
    return read_key_body(item.body).did
