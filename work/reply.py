"""What workers say themselves about a statement: replies and disputes, bound to it by a digest.

The digest is over what every showing of the statement discloses, so that whoever sees any of them can work it out and
compare. It says nothing that is not shown already, and is the same for all copies of a statement and after a refresh.
"""

from collections.abc import Mapping, Sequence

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from work.digest import multihash
from work.draft import is_filler
from work.types import Claim, statement_type

Shown = Mapping[str, Json] | Mapping[str, str | tuple[str, ...]]


def about_digest(kind: str, issuer: str, claims: Shown) -> str:
    """The ``about`` of a reply to, or a dispute of, the statement of type ``kind`` that ``issuer`` (a DID) signed.

    A multihash (SHA-256) over the canonical JSON (RFC 8785) of ``{"type", "issuer", "claims"}``, where ``claims`` are
    the mandatory ones by name, without filler, sets sorted by code points. Other claims may be in ``claims`` and do
    not count.
    Raises :class:`Unsupported` for a type that is not known, :class:`Malformed` where a mandatory claim is missing.
    """
    mandatory = [claim for claim in statement_type(kind).claims.values() if claim.mandatory]
    said: dict[str, Json] = {claim.name: _spelt(claim, claims.get(claim.name)) for claim in mandatory}
    return multihash(canonicalize({"type": kind, "issuer": issuer, "claims": said}))


def _spelt(claim: Claim, value: Json | tuple[str, ...]) -> Json:
    many = isinstance(value, list | tuple)
    items: Sequence[Json] = value if isinstance(value, list | tuple) else [value]
    said = [item for item in items if not is_filler(item)]
    texts = [item for item in said if isinstance(item, str)]
    if many != claim.many or not texts or len(texts) < len(said):
        raise Malformed(claim.pointer, "is missing, or not as its type demands")
    return list[Json](sorted(texts)) if many else texts[0]
