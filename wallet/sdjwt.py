"""SD-JWT VCs in the wallet: verified when they arrive, read again from the text that was kept, shown in part."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from vc.canon import Json, parse_object
from vc.did import did_key
from vc.disclosure import Path, reveal
from vc.documents import Documents
from vc.errors import Finding, Malformed, Rejected
from vc.jose import Jws
from vc.model import Credential, Object
from vc.oid4vp import Request
from vc.sdjwt import HeldSdJwt, KeyBinding, SdJwt, holder_key, parse_sd_jwt, present
from vc.sdjwt_issuer import find_for_holder, stated_issuer
from vc.sdjwt_vc import hold_credential
from vc.suites.selective import parse_pointers
from wallet.formats import key_binding
from wallet.keys import HolderKey
from work.types import StatementType
from work.vct import BY_VCT, DOCUMENTS, REGISTERED, TERMS, as_credential, claims_pointer

# Beside its own claims, what a credential of one of our types has. Anything else would be seen with every showing.
_FRAME: Final = frozenset({"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", TERMS})


def verify_received(text: str, *, documents: Documents, at: datetime, where: str) -> HeldSdJwt:
    """An SD-JWT VC as its issuer signed it, in time, and as its type demands where the type is one of ours.

    ``documents`` are the DID documents of issuers that need one. A certificate is checked as far as its own chain goes:
    whether anybody trusts its root is for verifiers to say. Raises :class:`Malformed`, :class:`Unsupported`,
    :class:`Rejected` or :class:`Undetermined`.
    """
    parsed = parse_sd_jwt(text, where=where)
    kind = BY_VCT.get(str(_payload(parsed).get("vct")))
    types = DOCUMENTS if kind else None
    held = hold_credential(text, find_issuer=find_for_holder(documents, at), at=at, types=types)
    if kind and (findings := tuple(_check_claims(kind, held.claims, where))):
        raise Rejected(findings)
    return held


def _check_claims(kind: StatementType, claims: Object, where: str) -> Iterator[Finding]:
    named = {claim.jwt: claim for claim in kind.claims.values()}
    for name, value in claims.items():
        if name in named:
            values = value if isinstance(value, list) and named[name].many else [value]
            if not all(isinstance(one, str) and named[name].accepts(one) for one in values):
                yield Finding("CLAIM_MALFORMED", "a claim that is not spelt as its type demands", f"{where}/{name}")
        elif name not in _FRAME:
            yield Finding("CLAIM_UNKNOWN", "says something that its type has no word for", where)


def read_kept(text: str) -> HeldSdJwt:
    """The same from the vault: it was verified when it arrived."""
    parsed = parse_sd_jwt(text)
    payload = _payload(parsed)
    revealed = reveal(payload, parsed.disclosures)
    return HeldSdJwt(parsed, payload, revealed.claims, revealed.disclosed)


def _payload(parsed: SdJwt) -> dict[str, Json]:
    return parse_object(parsed.jws.unverified, where="SD-JWT payload")


def issuer_of(text: str, *, where: str) -> str:
    """Who an SD-JWT VC says has signed it: nothing is verified. Raises :class:`Malformed` or :class:`Unsupported`."""
    parsed = parse_sd_jwt(text, where=where)
    return stated_issuer(parsed.jws, _payload(parsed))


def credential_of(held: HeldSdJwt) -> Credential:
    """What it says, in the terms of the vocabulary."""
    jws: Jws = held.received.jws
    return as_credential(held.claims, issuer=stated_issuer(jws, held.payload))


def holder_of(held: HeldSdJwt) -> str | None:
    """The did:key of the key that it is bound to, as copies of other formats name it; None without one."""
    return did_key(holder_key(held.claims)) if "cnf" in held.claims else None


def shown_with(held: HeldSdJwt, pointers: Collection[str]) -> Iterator[str]:
    """Pointers to every single value that is seen where ``pointers`` are shown, but for registered claims: what cannot
    be kept back, and what stands in one disclosure with what is shown."""
    wanted = {_path(pointer, held.claims) for pointer in pointers}
    around = {path[:length] for path in wanted for length in range(len(path) + 1)}
    for path in _leaf_paths((), dict(held.claims)):
        hidden = (path[:end] for end in range(1, len(path) + 1) if path[:end] in held.disclosed)
        if path[0] not in REGISTERED and all(
            part in around or any(part[:end] in wanted for end in range(1, len(part))) for part in hidden
        ):
            yield "".join(f"/{_escaped(str(part))}" for part in path)


def _path(pointer: str, claims: Object) -> Path:
    (path,) = parse_pointers([pointer], claims, where="pointers")
    return path


def _leaf_paths(path: Path, value: Json) -> Iterator[Path]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not members and path:
        yield path
    for name, inner in members:
        yield from _leaf_paths((*path, name), inner)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def show(
    text: str,
    pointers: Sequence[str],
    *,
    kind: StatementType | None,
    request: Request,
    key: HolderKey | None,
    at: datetime,
) -> str:
    """The SD-JWT, or SD-JWT+KB where there is a ``key``, that answers a request (OID4VP §B.3.6).

    ``pointers`` are those of :func:`work.vct.document_pointer`. Raises :class:`Rejected` for another key than its own.
    """
    binding = (
        None
        if key is None
        else KeyBinding(
            key, request.nonce, request.client_id, at.astimezone(UTC), key_binding(request, key.public.kind)
        )
    )
    return present(read_kept(text), [claims_pointer(kind, one) for one in pointers], binding=binding).text


def lines_of(raw: bytes, *, where: str) -> list[str]:
    """The SD-JWTs of a text, one on a line. Raises :class:`Malformed`."""
    try:
        found = [line.strip() for line in raw.decode("ascii").splitlines()]
    except UnicodeDecodeError:
        raise Malformed(where, "is neither JSON nor a text with one SD-JWT on each line", code="BAD_SD_JWT") from None
    return [line for line in found if line]
