"""The platform's own login: an OpenID Provider, asked by the code flow with PKCE, ``state`` and ``nonce``
(OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4, RFC 9700 §2.1)."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, cast
from urllib.parse import quote, quote_plus, urlencode

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from issuer.config import Login
from vc.canon import Json, parse_object
from vc.errors import Finding, Malformed, Rejected, VcError
from vc.io.fetch import Fetched, fetch
from vc.multibase import decode_base64url
from work.statement import MAX_WORKER

MAX_DOCUMENT: Final = 1 << 18  # bytes of what a provider answers
MAX_ID_TOKEN: Final = 1 << 15  # characters
MAX_KEYS: Final = 64
SKEW: Final = 60  # seconds that two clocks may differ
MAX_AGE: Final = 600  # seconds since an ID token was made: it comes straight from the provider
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")  # no shared secret, no "none"


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself, as far as a login needs it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic: bool  # how the secret is sent: in the header, or in the form

    def to_json(self) -> dict[str, Any]:
        """As a ticket keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """From a ticket of ours."""
        return cls(**kept)


async def discover(login: Login) -> Provider:
    """What the provider says of itself. Raises :class:`Malformed` or :class:`Undetermined`."""
    url = f"{login.issuer.rstrip('/')}/.well-known/openid-configuration"
    document = _object(await fetch(url, limit=MAX_DOCUMENT, private=login.private_address), "discovery document")
    if document.get("issuer") != login.issuer:
        raise Malformed("login: issuer", "the provider calls itself something else", code="BAD_LOGIN")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    found = [document.get(name) for name in names]
    if not all(isinstance(one, str) for one in found) or not isinstance(methods, list):
        raise Malformed("login: discovery document", f"needs {', '.join(names)}", code="BAD_LOGIN")
    authorization, token, keys = map(str, found)
    if not authorization.startswith("https://" if not login.private_address else ("https://", "http://")):
        raise Malformed("login: authorization_endpoint", "not https", code="BAD_LOGIN")
    return Provider(login.issuer, authorization, token, keys, "client_secret_basic" in methods)


def login_url(provider: Provider, login: Login, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
    """Where the browser goes to log in."""
    query = {
        "response_type": "code",
        "client_id": login.client_id,
        "redirect_uri": redirect_uri,
        "scope": login.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{joint}{urlencode(query, quote_via=quote)}"


async def ask_who(
    provider: Provider, login: Login, *, code: str, verifier: str, redirect_uri: str, nonce: str, now: int
) -> str:
    """The platform's id of the person who logged in. Raises :class:`VcError`: it is not known who it is."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if login.client_secret and provider.basic:
        pair = f"{quote_plus(login.client_id)}:{quote_plus(login.client_secret)}"  # RFC 6749 §2.3.1
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": login.client_id}
        form |= {"client_secret": login.client_secret} if login.client_secret else {}
    answer = await fetch(
        provider.token_endpoint,
        limit=MAX_DOCUMENT,
        private=login.private_address,
        method="POST",
        body=urlencode(form).encode(),
        headers=headers,
    )
    token = _object(answer, "token response").get("id_token")
    keys = _object(await fetch(provider.jwks_uri, limit=MAX_DOCUMENT, private=login.private_address), "keys")
    if not isinstance(token, str):
        raise Malformed("login: token response", "has no id_token: is openid in the scope?", code="BAD_LOGIN")
    return verify_id_token(token, keys, login=login, nonce=nonce, now=now)


def verify_id_token(text: str, keys: Mapping[str, Json], *, login: Login, nonce: str, now: int) -> str:
    """The worker that an ID token names (OpenID Connect Core §3.1.3.7). Raises :class:`Malformed` or
    :class:`Rejected`."""
    claims = _signed_claims(text, keys)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires, made = claims.get("exp"), claims.get("iat")
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (expires, made))
    right = {
        "iss": claims.get("iss") == login.issuer,
        "aud": login.client_id in audiences,
        "azp": claims.get("azp", login.client_id) == login.client_id and (len(audiences) == 1 or "azp" in claims),
        "exp": numbers and now < expires + SKEW,  # type: ignore[operator]
        "iat": numbers and -SKEW <= now - made <= MAX_AGE,  # type: ignore[operator]
        "nonce": claims.get("nonce") == nonce,
    }
    if wrong := [name for name, holds in right.items() if not holds]:
        raise Rejected(tuple(Finding("BAD_ID_TOKEN", f"ID token: {name} is not right", name) for name in wrong))
    worker = claims.get(login.worker_claim)
    if isinstance(worker, int) and not isinstance(worker, bool):
        worker = str(worker)
    if not isinstance(worker, str) or not 0 < len(worker) <= MAX_WORKER or not worker.isprintable():
        raise Malformed("ID token", f"the claim {login.worker_claim} names no worker", code="BAD_LOGIN")
    return worker


def _signed_claims(text: str, keys: Mapping[str, Json]) -> dict[str, Json]:
    if len(text) > MAX_ID_TOKEN or text.count(".") != 2:
        raise Malformed("ID token", "not a signed JWT", code="BAD_ID_TOKEN")
    header = parse_object(decode_base64url(text.partition(".")[0], where="ID token"), where="ID token header")
    listed = keys.get("keys")
    if header.get("alg") not in ALGORITHMS or "crit" in header or not isinstance(listed, list):
        raise Malformed("ID token", f"alg has to be one of {', '.join(ALGORITHMS)}", code="BAD_ID_TOKEN")
    for jwk in listed[:MAX_KEYS]:
        if isinstance(jwk, dict) and _fits(jwk, header):
            try:
                key = JWKRegistry.import_key(cast("dict[str, Any]", jwk))
                opened = jws.deserialize_compact(text, key, algorithms=list(ALGORITHMS))
                return parse_object(opened.payload, where="ID token")
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    raise Rejected((Finding("BAD_ID_TOKEN", "ID token: no key of the provider has signed it"),))


def _fits(jwk: Mapping[str, Json], header: Mapping[str, Json]) -> bool:
    """Whether a key may be the one of a token: by its id, its use, its algorithm and its kind."""
    kinds = {"R": "RSA", "P": "RSA", "E": "EC"}
    alg = str(header["alg"])
    kind = "OKP" if alg.startswith("Ed") else kinds[alg[0]]
    return (
        jwk.get("kty") == kind
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", alg) == alg
        and header.get("kid") in (None, jwk.get("kid"))
    )


def _object(answer: Fetched, what: str) -> dict[str, Json]:
    if answer.status != 200:
        raise Malformed(f"login: {what}", f"the provider answered with status {answer.status}", code="BAD_LOGIN")
    try:
        return parse_object(answer.body, where=what)
    except VcError:
        raise Malformed(f"login: {what}", "not a JSON object", code="BAD_LOGIN") from None
