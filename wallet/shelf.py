"""The vault's items as what they are: keys, copies of credentials, ledger entries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.errors import Malformed, Undetermined
from vc.keys import Ed25519Key
from vc.model import format_date_time, parse_credential
from vc.oid4vp import Request
from wallet.answers import Answer, filed_under
from wallet.choose import Copy, Proposal
from wallet.ledger import check_chain, entry
from wallet.receive import Received, same_statement
from wallet.vault import Item, Vault

KEY: Final = "key"
CREDENTIAL: Final = "credential"
LEDGER: Final = "ledger"
ANSWER: Final = "answer"

MAX_NEW_KEYS: Final = 100  # in one call: each will cost the issuer a signature for every statement


@dataclass(frozen=True, slots=True)
class Shelf:
    """A vault, read and written in the wallet's own terms."""

    vault: Vault

    def signing_keys(self) -> tuple[Ed25519Key, ...]:
        """The worker's keys, oldest first: the i-th binds the i-th copy of every statement."""
        bodies = sorted((_body(item) for item in self.vault.items(KEY)), key=lambda body: int(str(body["position"])))
        return tuple(Ed25519Key.from_seed(bytes.fromhex(str(body["seed"]))) for body in bodies)

    def make_keys(self, count: int, *, rand: Callable[[int], bytes]) -> tuple[Ed25519Key, ...]:
        """New single-use keys. Raises :class:`Malformed` for a count that makes no sense."""
        if not 0 < count <= MAX_NEW_KEYS:
            raise Malformed("--count", f"1 to {MAX_NEW_KEYS} keys at a time", code="BAD_COUNT")
        with self.vault.transaction():
            start = len(self.vault.items(KEY))
            keys = tuple(Ed25519Key.from_seed(rand(32)) for _ in range(count))
            self.vault.put(
                [
                    Item.new(KEY, {"position": start + number, "seed": key.seed.hex()}, rand=rand)
                    for number, key in enumerate(keys)
                ]
            )
        return keys

    def unspent_keys(self, count: int, *, rand: Callable[[int], bytes]) -> tuple[Ed25519Key, ...]:
        """``count`` keys that no verifier has seen yet, oldest first; made where there are too few."""
        with self.vault.transaction():
            seen = {copy.holder for copy in self.copies() if copy.shown}
            unspent = [key for key in self.signing_keys() if key.did not in seen]
            if len(unspent) < count:
                unspent += self.make_keys(count - len(unspent), rand=rand)
        return tuple(unspent[:count])

    def copies(self) -> tuple[Copy, ...]:
        """All copies of all credentials, each with what the worker says to it."""
        said: dict[str, tuple[Answer, ...]] = {}
        for answer in self.answers():
            said[answer.filed] = (*said.get(answer.filed, ()), answer)
        return tuple(_copy(item, said) for item in self.vault.items(CREDENTIAL))

    def answers(self) -> tuple[Answer, ...]:
        """What the worker says to statements, oldest first."""
        return tuple(Answer.parse(_body(item)) for item in self.vault.items(ANSWER))

    def say(self, answer: Answer, *, rand: Callable[[int], bytes]) -> bool:
        """Keep a reply or a dispute, in the place of an earlier one; whether there was one."""
        with self.vault.transaction():
            replaced = self.take_back(answer.type, answer.filed)
            self.vault.put([Item.new(ANSWER, answer.to_json(), rand=rand)])
        return replaced

    def take_back(self, type_name: str, filed: str) -> bool:
        """Forget a reply or a dispute; whether there was one."""
        with self.vault.transaction():
            found = [
                item.id
                for item in self.vault.items(ANSWER)
                if (_body(item)["type"], _body(item)["filed"]) == (type_name, filed)
            ]
            self.vault.delete(found)
        return bool(found)

    def add(self, received: Sequence[Received], *, at: datetime, rand: Callable[[int], bytes]) -> int:
        """Keep what was received, all or nothing; how many were not here before."""
        with self.vault.transaction():
            held = {(copy.statement, copy.holder) for copy in self.copies()}
            fresh = {(same_statement(one.credential, own=one.own), one.holder): one for one in received}
            new = [one for name, one in fresh.items() if name not in held]
            self.vault.put(
                [
                    Item.new(
                        CREDENTIAL,
                        {"document": one.document, "shown": 0, "added": format_date_time(at), "own": one.own},
                        rand=rand,
                    )
                    for one in new
                ]
            )
        return len(new)

    def ledger(self) -> tuple[dict[str, Json], ...]:
        """The ledger, oldest first. Raises :class:`Malformed` where it was tampered with."""
        entries = sorted((_body(item) for item in self.vault.items(LEDGER)), key=lambda body: int(str(body["number"])))
        check_chain(entries)
        return tuple(entries)

    def record(
        self, request: Request, proposals: Sequence[Proposal], *, at: datetime, rand: Callable[[int], bytes]
    ) -> None:
        """Write a disclosure down and count the copies as shown, in one step."""
        with self.vault.transaction():
            shown = {proposal.copy.id for proposal in proposals}
            items = [item for item in self.vault.items(CREDENTIAL) if item.id in shown]
            if len(items) != len(shown):
                raise Undetermined("a credential is no longer in the wallet", "run the command again", code="GONE")
            self.vault.replace([Item(item.id, item.kind, _shown_once_more(_body(item))) for item in items])
            entries = self.ledger()
            line = entry(request, proposals, at=at, previous=entries[-1] if entries else None)
            self.vault.put([Item.new(LEDGER, line, rand=rand)])


def _shown_once_more(body: dict[str, Json]) -> dict[str, Json]:
    return {**body, "shown": int(str(body["shown"])) + 1}


def _body(item: Item) -> dict[str, Json]:
    if not isinstance(item.body, dict):
        raise Malformed("the vault", "holds something that this version does not know", code="VAULT_DAMAGED")
    return item.body


def _copy(item: Item, said: Mapping[str, tuple[Answer, ...]]) -> Copy:
    body = _body(item)
    document = body["document"]
    credential = parse_credential(document)
    assert isinstance(document, dict)
    holder, own = credential.subjects[0].get("id"), body.get("own") is True
    return Copy(
        id=item.id,
        document=document,
        credential=credential,
        statement=same_statement(credential, own=own),
        holder=holder if isinstance(holder, str) else None,
        shown=int(str(body["shown"])),
        own=own,
        answers=said.get(filed_under(credential, own=own), ()) if said else (),
    )
