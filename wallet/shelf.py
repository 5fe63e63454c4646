"""The vault's items as what they are: keys, copies of credentials, ledger entries."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from vc.canon import Json, canonicalize
from vc.documents import NO_DOCUMENTS, Documents, Given
from vc.errors import Malformed, Undetermined
from vc.keys import ED25519, KeyKind
from vc.model import Credential, format_date_time, parse_credential
from vc.oid4vp import Request
from wallet.answers import Answer, filed_under
from wallet.choose import Copy, Proposal
from wallet.keys import HolderKey, key_body, new_key, one_name, read_key_body
from wallet.ledger import check_chain, check_head, entry, head
from wallet.receive import Received, same_batch, same_statement
from wallet.sdjwt import credential_of, holder_of, read_kept
from wallet.vault import Item, Vault

KEY: Final = "key"
CREDENTIAL: Final = "credential"
LEDGER: Final = "ledger"
LEDGER_HEAD: Final = "ledger-head"  # one: the newest line's number and digest
ANSWER: Final = "answer"
ISSUER: Final = "issuer"  # a DID document, by the digest that the credentials name which it was verified with
PLATFORM: Final = "platform"  # who gave a credential: one that signs each format by a key of its own has several DIDs

MAX_NEW_KEYS: Final = 100  # in one call: each will cost the issuer a signature for every statement


@dataclass(frozen=True, slots=True)
class Shelf:
    """A vault, read and written in the wallet's own terms."""

    vault: Vault

    def signing_keys(self) -> tuple[HolderKey, ...]:
        """The worker's keys, oldest first: the i-th of a kind binds the i-th copy of every statement that takes it."""
        bodies = sorted((_body(item) for item in self.vault.items(KEY)), key=lambda body: int(str(body["position"])))
        return tuple(map(read_key_body, bodies))

    def make_keys(self, count: int, *, rand: Callable[[int], bytes], kind: KeyKind = ED25519) -> tuple[HolderKey, ...]:
        """New single-use keys. Raises :class:`Malformed` for a count that makes no sense."""
        if not 0 < count <= MAX_NEW_KEYS:
            raise Malformed("--count", f"1 to {MAX_NEW_KEYS} keys at a time", code="BAD_COUNT")
        with self.vault.transaction():
            start = 1 + max((int(str(_body(item)["position"])) for item in self.vault.items(KEY)), default=-1)
            keys = tuple(new_key(kind, rand) for _ in range(count))
            self.vault.put(
                [
                    Item.new(KEY, {"position": start + number, **key_body(key)}, rand=rand)
                    for number, key in enumerate(keys)
                ]
            )
        return keys

    def unspent_keys(self, count: int, *, rand: Callable[[int], bytes]) -> tuple[HolderKey, ...]:
        """``count`` Ed25519 keys that no verifier has seen yet, oldest first; made where there are too few."""
        with self.vault.transaction():
            seen = {copy.holder for copy in self.copies() if copy.shown}
            mine = (key for key in self.signing_keys() if key.public.kind == ED25519)
            unspent = [key for key in mine if key.did not in seen]
            if len(unspent) < count:
                unspent += self.make_keys(count - len(unspent), rand=rand)
        return tuple(unspent[:count])

    def copies(self) -> tuple[Copy, ...]:
        """All copies of all credentials, each with what the worker says to it."""
        with self.vault.reading():
            answers, documents = self.answers(), self._issuer_documents()
            copies = tuple(_copy(item, documents) for item in self.vault.items(CREDENTIAL))
        return tuple(_answered(copies, answers)) if answers else copies

    def _issuer_documents(self) -> Mapping[str, Given]:
        """The DID documents of issuers, by their digests."""
        return {given_digest(given): given for given in map(_given, self.vault.items(ISSUER))}

    def answers(self) -> tuple[Answer, ...]:
        """What the worker says to statements, oldest first."""
        return tuple(Answer.parse(_body(item)) for item in self.vault.items(ANSWER))

    def say(self, answer: Answer, *, rand: Callable[[int], bytes]) -> bool:
        """Keep a reply or a dispute, in the place of an earlier one; whether there was one."""
        with self.vault.transaction():
            replaced = self.take_back(answer.type, [answer.filed])
            self.vault.put([Item.new(ANSWER, answer.to_json(), rand=rand)])
        return replaced

    def take_back(self, type_name: str, filed: Collection[str]) -> bool:
        """Forget the replies or the disputes that are filed so; whether there was one."""
        with self.vault.transaction():
            found = [
                item.id
                for item in self.vault.items(ANSWER)
                if _body(item)["type"] == type_name and _body(item)["filed"] in filed
            ]
            self.vault.delete(found)
        return bool(found)

    def add(self, received: Sequence[Received], *, at: datetime, rand: Callable[[int], bytes]) -> int:
        """Keep what was received, all or nothing; how many were not here before."""
        with self.vault.transaction():
            held = {(copy.batch, copy.holder) for copy in self.copies()}
            fresh = {(same_batch(one.credential, own=one.own), one.holder): one for one in received}
            new = [one for name, one in fresh.items() if name not in held]
            given = {given_digest(one.issuer_document): one.issuer_document for one in new if one.issuer_document}
            unknown = given.keys() - self._issuer_documents().keys()
            self.vault.put(
                [
                    *(Item.new(ISSUER, _given_body(given[name]), rand=rand) for name in sorted(unknown)),
                    *(Item.new(CREDENTIAL, _credential_body(one, at), rand=rand) for one in new),
                ]
            )
        return len(new)

    def ledger(self) -> tuple[dict[str, Json], ...]:
        """The ledger, oldest first. Raises :class:`Malformed` where it was tampered with."""
        with self.vault.transaction():  # nobody writes a line between the two
            entries = self.ledger_as_it_is()
            kept = [item.body for item in self.vault.items(LEDGER_HEAD)]
        check_chain(entries)
        check_head(entries, kept)
        return entries

    def ledger_as_it_is(self) -> tuple[dict[str, Json], ...]:
        """The ledger, oldest first, whatever was done to it."""
        return tuple(sorted((_body(item) for item in self.vault.items(LEDGER)), key=_number))

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
            self.write_line(line, rand=rand)

    def write_line(self, line: dict[str, Json], *, rand: Callable[[int], bytes]) -> None:
        """Add a line to the ledger, and make it the chain's head. The only way to write one."""
        with self.vault.transaction():
            self.vault.delete([item.id for item in self.vault.items(LEDGER_HEAD)])
            self.vault.put([Item.new(LEDGER, line, rand=rand), Item.new(LEDGER_HEAD, head(line), rand=rand)])


def given_digest(given: Given) -> str:
    """The name of a DID document in the vault: two of one DID are two."""
    return sha256(canonicalize(_given_body(given))).hexdigest()


def _given_body(given: Given) -> dict[str, Json]:
    witness = None if given.witness is None else given.witness.decode("utf-8")
    return {"raw": given.raw.decode("utf-8"), "witness": witness}


def _given(item: Item) -> Given:
    match _body(item):
        case {"raw": str(raw), "witness": str() | None as witness}:
            return Given(raw.encode(), None if witness is None else witness.encode())
    raise Malformed("the vault", "holds a document that this version does not know", code="VAULT_DAMAGED")


def _credential_body(one: Received, at: datetime) -> dict[str, Json]:
    body: dict[str, Json] = {
        "document": one.document,
        "shown": 0,
        "added": format_date_time(at),
        "own": one.own,
    }
    body |= {PLATFORM: one.platform} if one.platform else {}
    return body | ({ISSUER: given_digest(one.issuer_document)} if one.issuer_document else {})


def _number(line: Mapping[str, Json]) -> int:
    """The number of a ledger line; of one that was tampered with, none that a line can have."""
    number = line.get("number")
    return number if type(number) is int else 0


def _shown_once_more(body: dict[str, Json]) -> dict[str, Json]:
    return {**body, "shown": int(str(body["shown"])) + 1}


def _body(item: Item) -> dict[str, Json]:
    if not isinstance(item.body, dict):
        raise Malformed("the vault", "holds something that this version does not know", code="VAULT_DAMAGED")
    return item.body


def _answered(copies: Sequence[Copy], answers: Sequence[Answer]) -> Iterator[Copy]:
    """The copies with what the worker says to their statements, in whatever format it was said."""
    filed: dict[str, set[str]] = {}
    for copy in copies:
        filed.setdefault(copy.statement, set()).add(filed_under(copy.credential, own=copy.own))
    for copy in copies:
        yield replace(copy, answers=tuple(one for one in answers if one.filed in filed[copy.statement]))


def _copy(item: Item, documents: Mapping[str, Given]) -> Copy:
    body = _body(item)
    document, own, named = body["document"], body.get("own") is True, str(body.get(ISSUER))
    credential, holder = _read(document)
    assert isinstance(document, dict | str)
    return Copy(
        id=item.id,
        document=document,
        credential=credential,
        statement=same_statement(credential, own=own, platform=str(body.get(PLATFORM, ""))),
        holder=holder,
        shown=int(str(body["shown"])),
        own=own,
        documents=Documents.of({credential.issuer: documents[named]}) if named in documents else NO_DOCUMENTS,
    )


def _read(document: Json) -> tuple[Credential, str | None]:
    """What a credential says, and the key that it is bound to."""
    if isinstance(document, str):
        held = read_kept(document)
        return credential_of(held), holder_of(held)
    credential = parse_credential(document)
    holder = credential.subjects[0].get("id")
    return credential, one_name(holder) if isinstance(holder, str) else None
