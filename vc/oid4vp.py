"""OpenID for Verifiable Presentations 1.0: requests, DCQL and answers, as messages. Both ends use these.

``OID4VP §…`` is a section of openid-4-verifiable-presentations-1_0.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from vc.canon import Json, parse_object
from vc.errors import Malformed, Unsupported, VcError
from vc.model import Object
from vc.multibase import decode_base64url

LDP_VC: Final = "ldp_vc"
SD_JWT_VC: Final = "dc+sd-jwt"
VERIFIABLE_CREDENTIAL: Final = "https://www.w3.org/2018/credentials#VerifiableCredential"

MAX_QUERIES: Final = 16  # as many credentials as one presentation may hold
MAX_CLAIMS: Final = 128  # claims asked of one credential; the largest statement has fewer
MAX_SETS: Final = 32  # alternatives: each is tried in turn
MAX_PATH: Final = 12
MAX_VCT: Final = 2048  # characters, as many as of a vct
MAX_AUTHORITIES: Final = 16
MAX_MULTIPLE: Final = 16  # credentials that one query may be answered with

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_NONCE: Final = re.compile(r"[A-Za-z0-9._~-]{16,256}\Z")  # of URL-safe characters, 16 can carry 96 random bits

ClaimPath: TypeAlias = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One claim that is asked for (OID4VP §6.3)."""

    id: str
    path: ClaimPath
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """Who has to vouch for the issuer, by one way of saying so: ``aki`` or a type not known here (OID4VP §6.1.1)."""

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential that is asked for (OID4VP §6.1)."""

    id: str
    format: str
    types: tuple[frozenset[str], ...]  # alternatives, each a set of expanded types; of dc+sd-jwt, one vct
    claims: tuple[ClaimQuery, ...]
    claim_sets: tuple[tuple[str, ...], ...]  # of claim ids, in the verifier's order of preference
    holder_binding: bool
    multiple: bool = False  # whether several credentials may answer it
    authorities: tuple[TrustedAuthority, ...] = ()  # one of these, where there are any


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """Alternatives of credentials (OID4VP §6.2)."""

    options: tuple[tuple[str, ...], ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request (OID4VP §5), as far as it says what is asked, by whom and why."""

    client_id: str
    nonce: str
    queries: tuple[CredentialQuery, ...]
    sets: tuple[CredentialSet, ...]
    extra: Object  # every other member, as received


def parse_request(raw: bytes, *, where: str = "request", own: bool = False) -> Request:
    """An authorization request with a DCQL query (OID4VP §5.1). Raises :class:`Malformed` or :class:`Unsupported`.

    With ``own``, who reads it has made it, and knows the transactions in it.
    """
    members = parse_object(raw, where=where)
    if members.get("response_type") != "vp_token":
        raise Unsupported("response_type", str(members.get("response_type")), code="UNSUPPORTED_RESPONSE_TYPE")
    if "transaction_data" in members and not own:
        raise _transaction(members["transaction_data"])
    if "scope" in members and "dcql_query" in members:
        raise Malformed(f"{where} /scope", "asks in two ways at once: dcql_query is enough")
    nonce = _text(members, "nonce", f"{where} ")
    if not _NONCE.match(nonce):
        raise Malformed(f"{where} /nonce", "needs 16 to 256 URL-safe characters that nobody can guess")
    dcql = members.get("dcql_query")
    if not isinstance(dcql, dict):
        raise Malformed(f"{where} /dcql_query", "missing, or not an object")
    known = {"response_type", "client_id", "nonce", "dcql_query"}
    queries = tuple(_queries(dcql, f"{where} /dcql_query"))
    return Request(
        client_id=_text(members, "client_id", f"{where} "),
        nonce=nonce,
        queries=queries,
        sets=_credential_sets(dcql, {query.id for query in queries}, f"{where} /dcql_query"),
        extra={name: value for name, value in members.items() if name not in known},
    )


def _transaction(value: Json) -> Unsupported:
    """No type of transaction is known here, and whoever does not know one must refuse (OID4VP §5.1, §8.4)."""
    kinds = []
    for entry in value[:MAX_QUERIES] if isinstance(value, list) else ():
        try:
            kinds.append(_text(parse_object(decode_base64url(str(entry), where="transaction_data")), "type", ""))
        except VcError:
            kinds.append("unreadable")
    named = ", ".join(kind[:100] for kind in kinds) or "unreadable"
    return Unsupported(
        "request parameter",
        f"transaction_data: it wants you to agree to a transaction of a type not known here ({named})",
        code="TRANSACTION_UNKNOWN",
    )


def parse_answer(raw: bytes, request: Request, *, where: str = "answer") -> dict[str, tuple[Json, ...]]:
    """The presentations of a response by credential query (OID4VP §8.1), each still to be verified.

    Raises :class:`Malformed`.
    """
    token = parse_object(raw, where=where).get("vp_token")
    if not isinstance(token, dict) or not token:
        raise Malformed(f"{where} /vp_token", "missing, or not an object with presentations", code="NO_PRESENTATION")
    most = {query.id: MAX_MULTIPLE if query.multiple else 1 for query in request.queries}
    if token.keys() - most.keys():
        raise Malformed(f"{where} /vp_token", "answers something that was not asked", code="NOT_ASKED")
    answer: dict[str, tuple[Json, ...]] = {}
    for name, presentations in token.items():
        if not isinstance(presentations, list) or not 0 < len(presentations) <= most[name]:
            wanted = f"1 to {most[name]} presentations" if most[name] > 1 else "one presentation"
            raise Malformed(f"{where} /vp_token/{name}", f"needs {wanted} in a list", code="NO_PRESENTATION")
        answer[name] = tuple(presentations)
    return answer


def credential_query(
    identifier: str,
    types: Sequence[str],
    claims: Sequence[ClaimQuery],
    sets: Sequence[Sequence[str]] = (),
    *,
    holder_binding: bool = True,
    multiple: bool = False,
) -> dict[str, Json]:
    """A credential query for ``ldp_vc`` as JSON (OID4VP §6.1 and B.1.1); ``types`` are expanded."""
    meta: dict[str, Json] = {"type_values": [[VERIFIABLE_CREDENTIAL, *types]]}
    asked = _asked_json(claims, sets, holder_binding=holder_binding, multiple=multiple)
    return {"id": identifier, "format": LDP_VC, "meta": meta, **asked}


def sd_jwt_query(
    identifier: str,
    vcts: Sequence[str],
    claims: Sequence[ClaimQuery],
    sets: Sequence[Sequence[str]] = (),
    *,
    holder_binding: bool = True,
    multiple: bool = False,
) -> dict[str, Json]:
    """A credential query for ``dc+sd-jwt`` as JSON (OID4VP §6.1 and B.3.5)."""
    asked = _asked_json(claims, sets, holder_binding=holder_binding, multiple=multiple)
    return {"id": identifier, "format": SD_JWT_VC, "meta": {"vct_values": list(vcts)}, **asked}


def _asked_json(
    claims: Sequence[ClaimQuery], sets: Sequence[Sequence[str]], *, holder_binding: bool, multiple: bool
) -> dict[str, Json]:
    """What a query of any format asks for; what is the default is left out."""
    asked: dict[str, Json] = {}
    if claims:
        asked["claims"] = [_claim_json(claim) for claim in claims]
    if sets:
        asked["claim_sets"] = [list(claim_ids) for claim_ids in sets]
    if multiple:
        asked["multiple"] = True
    if not holder_binding:
        asked["require_cryptographic_holder_binding"] = False
    return asked


def _claim_json(claim: ClaimQuery) -> dict[str, Json]:
    members: dict[str, Json] = {"id": claim.id, "path": list(claim.path)}
    return {**members, "values": list(claim.values)} if claim.values else members


def select_claims(
    query: CredentialQuery, document: Object, *, is_claim: Callable[[Json], bool]
) -> tuple[str, ...] | None:
    """The JSON pointers that answer ``query`` from a credential (OID4VP §6.4.1), or None if it cannot be answered.

    ``is_claim`` tells values that say something from padding, which is treated as if it were not there.
    """
    found = {claim.id: tuple(find_claims(claim, document, is_claim=is_claim)) for claim in query.claims}
    wanted = query.claim_sets or (tuple(claim.id for claim in query.claims),)
    for claim_ids in wanted:
        if all(found[claim_id] for claim_id in claim_ids):
            return tuple(dict.fromkeys(pointer for claim_id in claim_ids for pointer in found[claim_id]))
    return None


def find_claims(claim: ClaimQuery, document: Object, *, is_claim: Callable[[Json], bool]) -> Iterator[str]:
    """JSON pointers of the values that a claim query selects (OID4VP §7.1 and the values rule of §6.4.1)."""
    for pointer, value in _process(claim.path, document):
        matches = not claim.values or any(type(value) is type(wanted) and value == wanted for wanted in claim.values)
        if matches and is_claim(value):
            yield pointer


def _process(path: ClaimPath, document: Object) -> list[tuple[str, Json]]:
    """OID4VP §7.1: each selected element with its JSON pointer; an empty list where processing would abort."""
    chosen: list[tuple[str, Json]] = [("", dict(document))]
    for part in path:
        if not all(isinstance(value, dict if isinstance(part, str) else list) for _, value in chosen):
            return []
        chosen = [step for pointer, value in chosen for step in _step(part, pointer, value)]
    return chosen


def _step(part: str | int | None, pointer: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(part, str):
        if isinstance(value, dict) and part in value:
            yield f"{pointer}/{part.replace('~', '~0').replace('/', '~1')}", value[part]
    elif isinstance(value, list):
        for index in range(len(value)) if part is None else (part,):
            if index < len(value):
                yield f"{pointer}/{index}", value[index]


def _queries(dcql: Object, where: str) -> Iterator[CredentialQuery]:
    queries = _list(dcql, "credentials", MAX_QUERIES, where)
    if not queries:
        raise Malformed(f"{where}/credentials", "asks for nothing")
    seen: set[str] = set()
    for index, query in enumerate(queries):
        pointer = f"{where}/credentials/{index}"
        if not isinstance(query, dict):
            raise Malformed(pointer, "not an object")
        parsed = _credential_query(query, pointer)
        if parsed.id in seen:
            raise Malformed(f"{pointer}/id", "occurs twice")
        seen.add(parsed.id)
        yield parsed


def _credential_query(query: Object, where: str) -> CredentialQuery:
    claims = tuple(
        _claim(claim, f"{where}/claims/{index}", index)
        for index, claim in enumerate(_list(query, "claims", MAX_CLAIMS, where))
    )
    ids = {claim.id for claim in claims}
    if len(ids) != len(claims):
        raise Malformed(f"{where}/claims", "two claims have the same id")
    if "claim_sets" in query and not all(map(_ID.match, ids)):
        raise Malformed(f"{where}/claims", "claim_sets need an id of each claim")
    form = _text(query, "format", where)
    return CredentialQuery(
        id=_identifier(query.get("id"), f"{where}/id"),
        format=form,
        types=(_vct_values if form == SD_JWT_VC else _type_values)(query.get("meta"), f"{where}/meta"),
        claims=claims,
        claim_sets=_sets(_list(query, "claim_sets", MAX_SETS, where), ids, f"{where}/claim_sets"),
        holder_binding=_flag(query, "require_cryptographic_holder_binding", where, default=True),
        multiple=_flag(query, "multiple", where, default=False),
        authorities=tuple(_authorities(query, where)),
    )


def _flag(members: Object, name: str, where: str, *, default: bool) -> bool:
    value = members.get(name, default)
    if not isinstance(value, bool):
        raise Malformed(f"{where}/{name}", "neither true nor false")
    return value


def _authorities(query: Object, where: str) -> Iterator[TrustedAuthority]:
    for index, entry in enumerate(_list(query, "trusted_authorities", MAX_AUTHORITIES, where)):
        pointer = f"{where}/trusted_authorities/{index}"
        if not isinstance(entry, dict):
            raise Malformed(pointer, "not an object")
        values = _list(entry, "values", MAX_CLAIMS, pointer)
        texts = tuple(value for value in values if isinstance(value, str))
        if not values or len(texts) != len(values):
            raise Malformed(f"{pointer}/values", "not a list of texts")
        yield TrustedAuthority(_text(entry, "type", pointer), texts)


def _type_values(meta: Json, where: str) -> tuple[frozenset[str], ...]:
    if not isinstance(meta, dict):
        raise Malformed(where, "missing, or not an object")
    types = []
    for index, alternative in enumerate(_list(meta, "type_values", MAX_SETS, where)):
        names = alternative if isinstance(alternative, list) else []
        if not names or not all(isinstance(name, str) for name in names):
            raise Malformed(f"{where}/type_values/{index}", "not a list of types")
        types.append(frozenset(map(str, names)))
    return tuple(types)


def _vct_values(meta: Json, where: str) -> tuple[frozenset[str], ...]:
    """OID4VP §B.3.5: one of these types, or what extends it."""
    if not isinstance(meta, dict):
        raise Malformed(where, "missing, or not an object")
    names = _list(meta, "vct_values", MAX_SETS, where)
    if not names or not all(isinstance(name, str) and 0 < len(name) <= MAX_VCT for name in names):
        raise Malformed(f"{where}/vct_values", f"missing, or not a list of texts of at most {MAX_VCT} characters")
    return tuple(frozenset((str(name),)) for name in names)


def _claim(claim: Json, where: str, index: int) -> ClaimQuery:
    if not isinstance(claim, dict):
        raise Malformed(where, "not an object")
    path = _list(claim, "path", MAX_PATH, where)
    parts = [part for part in path if part is None or isinstance(part, str) or (type(part) is int and part >= 0)]
    if not path or len(parts) != len(path):
        raise Malformed(f"{where}/path", "not a claims path")
    listed = _list(claim, "values", MAX_CLAIMS, where)
    values = tuple(value for value in listed if isinstance(value, str | int))
    if len(values) != len(listed):  # what is left out would widen what the claim may be
        raise Malformed(f"{where}/values", "not texts, integers, true or false")
    # A claim without an id gets one that no claim can have, so that it never passes for another.
    identifier = _identifier(claim["id"], f"{where}/id") if "id" in claim else f"#{index}"
    return ClaimQuery(identifier, tuple(parts), values)


def _credential_sets(dcql: Object, ids: set[str], where: str) -> tuple[CredentialSet, ...]:
    sets = []
    for index, entry in enumerate(_list(dcql, "credential_sets", MAX_SETS, where)):
        pointer = f"{where}/credential_sets/{index}"
        if not isinstance(entry, dict):
            raise Malformed(pointer, "not an object")
        required = entry.get("required", True)
        options = _sets(_list(entry, "options", MAX_SETS, pointer), ids, f"{pointer}/options")
        if not isinstance(required, bool) or not options:
            raise Malformed(pointer, "needs options, and required as true or false")
        sets.append(CredentialSet(options, required))
    return tuple(sets)


def _sets(entries: list[Json], ids: set[str], where: str) -> tuple[tuple[str, ...], ...]:
    sets = []
    for index, entry in enumerate(entries):
        names = entry if isinstance(entry, list) else []
        if not names or not all(isinstance(name, str) and name in ids for name in names):
            raise Malformed(f"{where}/{index}", "not a list of ids that the query has")
        sets.append(tuple(map(str, names)))
    return tuple(sets)


def _list(members: Object, name: str, most: int, where: str) -> list[Json]:
    """A list that may be absent, but not empty."""
    if name not in members:
        return []
    value = members[name]
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise Malformed(f"{where}/{name}", f"not a list of 1 to {most}")
    return value


def _text(members: Object, name: str, where: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 2048:
        raise Malformed(f"{where}/{name}", "missing, or not a text of at most 2048 characters")
    return value


def _identifier(value: Json, where: str) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        raise Malformed(where, "needs 1 to 64 letters, digits, - or _")
    return value
