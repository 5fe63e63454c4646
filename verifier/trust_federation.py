"""An OpenID Federation 1.0 trust chain, verified offline against an anchor that is configured here.

A chain is the leaf's own configuration, then one statement of each superior about the one below, up to the anchor
(§4, §10.2). Nothing is fetched. What a metadata policy would change is not applied: a chain with a policy about
issuers of credentials is refused, and so are constraints that are not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from vc.canon import Json, parse_object
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jose import Jws, check_times, numeric_date, parse_jws, verify_jws
from vc.keys import PublicKey
from vc.model import Object
from vc.sdjwt_issuer import parse_jwk_set

MAX_CHAIN: Final = 8  # statements
TYP: Final = "entity-statement+jwt"
ISSUER: Final = "openid_credential_issuer"
CONSTRAINTS: Final = frozenset({"max_path_length", "naming_constraints", "allowed_entity_types"})


@dataclass(frozen=True, slots=True)
class Anchor:
    """An entity that is trusted to say who belongs to its federation."""

    id: str
    keys: Mapping[str, PublicKey]


@dataclass(frozen=True, slots=True)
class Leaf:
    """An issuer of credentials on the word of an anchor, and its keys, until the chain ends."""

    id: str
    name: str
    jwks: Object
    keys: Mapping[str, PublicKey]
    issued: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class _Statement:
    jws: Jws
    claims: Object
    issuer: str
    subject: str
    keys: Mapping[str, PublicKey]
    issued: datetime
    expires: datetime


def read_anchor(raw: bytes) -> Anchor:
    """An anchor: JSON with ``id`` (or ``iss``) and ``jwks``. Raises :class:`Malformed`."""
    document = parse_object(raw, where="anchor")
    name = document.get("id", document.get("iss"))
    keys = parse_jwk_set(document.get("jwks"))
    if not isinstance(name, str) or not keys:
        raise Malformed("anchor", "needs an id and jwks", code="BAD_TRUST_CHAIN")
    return Anchor(name, keys)


def verify_trust_chain(chain: Sequence[str], *, anchor: Anchor, at: datetime) -> Leaf:
    """The issuer that a chain leads to (§10.2).

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected`, or :class:`Undetermined` where its keys are
    elsewhere.
    """
    statements = [_read(text, index, at) for index, text in enumerate(chain)]
    leaf, above = statements[0], statements[1:]
    if leaf.issuer != leaf.subject:
        raise _refused("does not begin with what the issuer says of itself")
    for lower, upper in zip(statements, above, strict=False):
        if lower.issuer != upper.subject:
            raise _refused("has a statement about somebody else in it")
        _verify(lower, upper.keys)
    _verify(leaf, leaf.keys)
    if statements[-1].issuer != anchor.id:
        raise _refused("does not end at the anchor")
    _verify(statements[-1], anchor.keys)
    hints = leaf.claims.get("authority_hints")
    if not isinstance(hints, list) or above[0].issuer not in hints:
        raise _refused("names a superior that the issuer does not name")
    own = above[:-1] if above[-1].issuer == above[-1].subject else above  # the anchor about itself bounds nobody
    if not own:
        raise _refused("has no statement about the issuer by somebody else")
    for place, statement in enumerate(own):
        _check_rules(statement, place, statements)
    return _leaf(leaf, own[0], statements)


def _read(text: str, index: int, at: datetime) -> _Statement:
    where = f"trust chain/{index}"
    jws = parse_jws(text, where=where)
    if jws.header.get("typ") != TYP:
        raise Malformed(where, "not an entity statement", code="BAD_TRUST_CHAIN")
    claims = parse_object(jws.unverified, where=where)
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not isinstance(issuer, str) or not isinstance(subject, str):
        raise Malformed(where, "needs iss and sub", code="BAD_TRUST_CHAIN")
    for name in ("crit", "metadata_policy_crit"):
        if name in claims:
            raise Unsupported("trust chain", name, code="UNSUPPORTED_TRUST_CHAIN")
    issued, expires = (numeric_date(claims, name, where=where) for name in ("iat", "exp"))
    if issued is None or expires is None:
        raise Malformed(where, "needs iat and exp", code="BAD_TRUST_CHAIN")
    faults = tuple(check_times({**claims, "nbf": issued}, at, where=where))
    if faults:
        raise Rejected(faults)
    moments = datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)
    return _Statement(jws, claims, issuer, subject, parse_jwk_set(claims.get("jwks")), *moments)


def _verify(statement: _Statement, keys: Mapping[str, PublicKey]) -> None:
    key = keys.get(str(statement.jws.header.get("kid")))
    if key is None:
        raise _refused("is signed by a key that nobody above vouches for")
    try:
        verify_jws(statement.jws, key, typ=TYP, where="trust chain")
    except VcError:
        raise _refused("has a signature that does not hold") from None


def _check_rules(statement: _Statement, place: int, statements: Sequence[_Statement]) -> None:
    """§6.1 and §6.2, for the statement of a superior with ``place`` intermediates between it and the leaf."""
    policy = statement.claims.get("metadata_policy")
    if isinstance(policy, dict) and ISSUER in policy:
        raise Unsupported("trust chain", "a metadata policy about issuers", code="UNSUPPORTED_TRUST_CHAIN")
    constraints = statement.claims.get("constraints", {})
    if not isinstance(constraints, dict) or not constraints.keys() <= CONSTRAINTS:
        raise Unsupported("trust chain", "a constraint that is not known", code="UNSUPPORTED_TRUST_CHAIN")
    longest = constraints.get("max_path_length")
    if longest is not None and (not isinstance(longest, int) or place > longest):
        raise _refused("is longer than a superior allows")
    types = constraints.get("allowed_entity_types")
    if types is not None and (not isinstance(types, list) or ISSUER not in types):
        raise _refused("may not lead to an issuer of credentials")
    names = constraints.get("naming_constraints")
    if names is not None:
        below = [each.subject for each in statements[1 : place + 2]]
        if not isinstance(names, dict) or not all(_is_allowed(each, names) for each in below):
            raise _refused("leads to a name that a superior excludes")


def _is_allowed(name: str, rules: Mapping[str, Json]) -> bool:
    """RFC 5280 §4.2.1.10, for URIs: a host, or with a dot before it everything below that."""
    host = urlsplit(name).hostname or ""
    permitted, excluded = rules.get("permitted"), rules.get("excluded", [])
    if not isinstance(excluded, list) or not (permitted is None or isinstance(permitted, list)):
        return False
    return not any(_matches(host, each) for each in excluded) and (
        permitted is None or any(_matches(host, each) for each in permitted)
    )


def _matches(host: str, rule: Json) -> bool:
    return isinstance(rule, str) and (host == rule.lower() or (rule.startswith(".") and host.endswith(rule.lower())))


def _leaf(leaf: _Statement, about: _Statement, statements: Sequence[_Statement]) -> Leaf:
    """§6.1.4.2: what the superior says of the leaf's metadata takes the place of what the leaf says."""
    metadata = {name: _metadata(leaf, name) | _metadata(about, name) for name in (ISSUER, "federation_entity")}
    jwks = metadata[ISSUER].get("jwks")
    if not isinstance(jwks, dict):
        raise Undetermined(
            "the chain does not hold the issuer's keys for credentials",
            "ask for a chain with its jwks",
            code="KEYS_UNKNOWN",
        )
    keys = parse_jwk_set(jwks)
    if not keys or "" in keys:
        raise Malformed("trust chain", "the issuer has no key with a kid that can verify", code="BAD_TRUST_CHAIN")
    name = metadata["federation_entity"].get("organization_name")
    return Leaf(
        leaf.subject,
        name[:200] if isinstance(name, str) else "",
        jwks,
        keys,
        min(each.issued for each in statements),
        min(each.expires for each in statements),
    )


def _metadata(statement: _Statement, name: str) -> dict[str, Json]:
    held = statement.claims.get("metadata")
    found = held.get(name) if isinstance(held, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _refused(why: str) -> Rejected:
    return Rejected((Finding("TRUST_CHAIN_INVALID", f"the trust chain {why}"),))
