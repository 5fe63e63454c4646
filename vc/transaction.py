"""Transaction data (OID4VP §8.4 and appendix B.3.3.1): what a holder agrees to by signing, for SD-JWT VCs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Finding, Malformed
from vc.model import Object
from vc.multibase import decode_base64url, encode_base64url

HASHES: Final = "transaction_data_hashes"
SHA_256: Final = "sha-256"
MAX_TRANSACTIONS: Final = 16
MAX_TRANSACTION: Final = 1 << 14  # bytes: what somebody has to read before they agree
_LIMITS: Final = Limits(size=MAX_TRANSACTION)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One entry of ``transaction_data``: its type, and the credential queries of which one may agree to it."""

    type: str
    credential_ids: tuple[str, ...]
    text: str = field(repr=False)  # as it stands in the request: base64url

    @property
    def hash(self) -> str:
        """The entry of ``transaction_data_hashes`` that stands for it: over the text, not over what it says."""
        return encode_base64url(sha256(self.text.encode("ascii")).digest())


def write_transaction(members: Object) -> str:
    """An entry of ``transaction_data``. Raises :class:`Malformed` for one that cannot be read back."""
    text = encode_base64url(to_json(dict(members)))
    parse_transactions([text])
    return text


def parse_transactions(value: Json, *, where: str = "transaction_data") -> tuple[Transaction, ...]:
    """The entries of ``transaction_data`` (OID4VP §5.1). Raises :class:`Malformed`."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_TRANSACTIONS:
        raise Malformed(where, f"not a list of 1 to {MAX_TRANSACTIONS} texts")
    return tuple(_parse(entry, f"{where}/{index}") for index, entry in enumerate(value))


def _parse(entry: Json, where: str) -> Transaction:
    if not isinstance(entry, str):
        raise Malformed(where, "not a text")
    members = parse_object(decode_base64url(entry, where=where, limit=2 * MAX_TRANSACTION), where=where, limits=_LIMITS)
    kind, ids = members.get("type"), members.get("credential_ids")
    texts = tuple(one for one in ids if isinstance(one, str)) if isinstance(ids, list) else ()
    if not isinstance(kind, str) or not kind or not texts or not isinstance(ids, list) or len(texts) != len(ids):
        raise Malformed(where, "needs a type, and credential_ids that name queries")
    algorithms = members.get(f"{HASHES}_alg", [SHA_256])
    if not isinstance(algorithms, list) or SHA_256 not in algorithms:
        raise Malformed(f"{where}/{HASHES}_alg", f"does not list {SHA_256}, which every reader has")
    return Transaction(kind, texts, entry)


def check_agreed(transactions: Sequence[Transaction], query: str, binding: Object) -> Iterator[Finding]:
    """Whether the holder who answered ``query`` has agreed to all transactions that name it, by the claims of the
    KB-JWT, and to nothing else."""
    named = [one.hash for one in transactions if query in one.credential_ids]
    agreed = binding.get(HASHES, [])
    algorithm = binding.get(f"{HASHES}_alg", SHA_256)
    if algorithm != SHA_256:
        yield Finding("TRANSACTION_MISMATCH", "agreed to with a hash that was not asked for", f"KB-JWT/{HASHES}_alg")
    elif not isinstance(agreed, list) or sorted(map(str, agreed)) != sorted(named):
        yield Finding("TRANSACTION_MISMATCH", "its holder has not agreed to exactly what was asked", f"KB-JWT/{HASHES}")
