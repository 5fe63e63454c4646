"""The names that the issuer's keys go by: a did:key each, or fragments of one did:web or did:webvh of the platform.

A did:webvh log keeps every version of the document; each entry is signed by a key that the one before has committed to
by its hash (did:webvh 1.0, Pre-Rotation).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

from vc.canon import Json, canonicalize, parse_object, to_json
from vc.did_web import did_web_url, did_webvh_urls
from vc.did_webvh import ENTRY_LIMITS, MAX_ENTRIES, MAX_LOG, entry_hash, multihash
from vc.errors import Malformed
from vc.jsonld import Contexts
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, PublicKey
from vc.model import format_date_time, parse_date_time
from vc.proof import add_proof, proof_options
from vc.suites.plain import EDDSA_JCS_2022

WEB: Final = "web"
WEBVH: Final = "webvh"
CONTEXTS: Final = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
)
# A signature says its day only, so what changes on a day has to be in force at its first second: the entries of a day
# stand in the hour before. Nothing that is signed states a time within that hour.
_AHEAD: Final = timedelta(hours=1)
_PLACEHOLDER: Final = "{SCID}"
_NO_CONTEXTS: Final = Contexts.of({})  # eddsa-jcs-2022 signs JSON, not JSON-LD


@dataclass(frozen=True, slots=True)
class Method:
    """A key as a DID document lists it."""

    fragment: str
    public: PublicKey
    as_jwk: bool  # for verifiers of JWTs, who know JSON Web Keys


@dataclass(frozen=True, slots=True)
class Identity:
    """A did:web or did:webvh that the issuer goes by from ``since`` on, until it takes another.

    With an empty ``did``, each key goes by its did:key again. ``log`` is the did:webvh log so far; ``seeds`` are of
    the key that signed its last entry and of the one that will sign the next.
    """

    did: str
    since: datetime
    log: str = ""
    seeds: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def method(self) -> str:
        """``web`` or ``webvh``; ``key`` for none of both."""
        return self.did.split(":")[1] if self.did else "key"

    @property
    def url(self) -> str:
        """Where its document, or its log, is fetched from."""
        return did_webvh_urls(self.did)[0] if self.method == WEBVH else did_web_url(self.did)

    @property
    def last_entry(self) -> datetime | None:
        """The time of the newest entry of the log."""
        if not self.log:
            return None
        newest = parse_object(self.log.splitlines()[-1].encode(), where="DID log")
        return parse_date_time(newest.get("versionTime"), where="DID log")

    def to_json(self) -> dict[str, Json]:
        """As the sealed key file has it, secrets and all."""
        seeds: list[Json] = [seed.hex() for seed in self.seeds]
        return {"did": self.did, "since": format_date_time(self.since), "log": self.log, "seeds": seeds}

    @classmethod
    def parse(cls, value: Json, where: str) -> Self:
        """What :meth:`to_json` made. Raises :class:`Malformed`."""
        match value:
            case {"did": str(did), "since": str(since), "log": str(log), "seeds": list(seeds)}:
                start = parse_date_time(since, where=where)
                return cls(did, start, log, tuple(bytes.fromhex(str(seed)) for seed in seeds))
        raise Malformed(where, "holds an identity that this version cannot read", code="BAD_KEYS")

    def document(self, methods: Sequence[Method]) -> dict[str, Json]:
        """The DID document with these keys, all of them for assertions (did-core#core-properties)."""
        return document(self.did, methods)

    def given(self, methods: Sequence[Method]) -> dict[str, Json]:
        """What a verifier's trust file holds of it (docs/trust.md)."""
        if self.method == WEBVH:
            return {"id": self.did, "log": self.log}
        return {"id": self.did, "document": to_json(self.document(methods)).decode("utf-8")}

    def updated(self, methods: Sequence[Method], *, at: datetime, rand: Callable[[int], bytes]) -> Self:
        """With one more entry in the log where the keys have changed; a did:web has none."""
        if self.method != WEBVH:
            return self
        newest = parse_object(self.log.splitlines()[-1].encode(), where="DID log")
        state = self.document(methods)
        if newest["state"] == state:
            return self
        if self.log.count("\n") >= MAX_ENTRIES or len(self.log) > MAX_LOG - ENTRY_LIMITS.size:
            raise Malformed("DID log", "full: first take another, with `keys did webvh`", code="DID_LOG_FULL")
        last = self.last_entry
        assert last is not None
        time = max(_midnight(at) - _AHEAD, last + timedelta(seconds=1))
        signer, following = Ed25519Key.from_seed(self.seeds[1]), Ed25519Key.from_seed(rand(32))
        entry: dict[str, Json] = {
            "versionId": newest["versionId"],
            "versionTime": format_date_time(time),
            "parameters": _parameters(signer, following),
            "state": state,
        }
        number = int(str(newest["versionId"]).partition("-")[0]) + 1
        line = _signed(entry, number, str(newest["versionId"]), signer, time)
        return replace(self, log=f"{self.log}{line}", seeds=(signer.seed, following.seed))


def new_identity(
    kind: str, domain: str, methods: Sequence[Method], *, at: datetime, rand: Callable[[int], bytes]
) -> Identity:
    """The did:web or did:webvh at ``domain``, which may have a port and a path. Raises :class:`Malformed`."""
    place = _place(domain)
    since = _midnight(at)
    if kind == WEB:
        did = f"did:web:{place}"
        did_web_url(did)
        return Identity(did, since)
    did_web_url(f"did:web:{place}")  # the same rules
    signer, following = Ed25519Key.from_seed(rand(32)), Ed25519Key.from_seed(rand(32))
    entry: dict[str, Json] = {
        "versionId": _PLACEHOLDER,
        "versionTime": format_date_time(since - _AHEAD),
        "parameters": {"method": "did:webvh:1.0", "scid": _PLACEHOLDER, **_parameters(signer, following)},
        "state": document(f"did:webvh:{_PLACEHOLDER}:{place}", methods),
    }
    scid = multihash(canonicalize(entry))
    filled = parse_object(to_json(entry).replace(_PLACEHOLDER.encode(), scid.encode()))
    line = _signed(filled, 1, scid, signer, since - _AHEAD)
    return Identity(f"did:webvh:{scid}:{place}", since, line, (signer.seed, following.seed))


def document(did: str, methods: Sequence[Method]) -> dict[str, Json]:
    """A DID document with keys for assertions."""
    return {
        "@context": list[Json](CONTEXTS),
        "id": did,
        "verificationMethod": [_method(did, each) for each in methods],
        "assertionMethod": [f"{did}#{each.fragment}" for each in methods],
    }


def _method(did: str, method: Method) -> dict[str, Json]:
    named: dict[str, Json] = {"id": f"{did}#{method.fragment}", "controller": did}
    if method.as_jwk:
        return {**named, "type": "JsonWebKey", "publicKeyJwk": public_jwk(method.public)}
    return {**named, "type": "Multikey", "publicKeyMultibase": method.public.multikey}


def _parameters(signer: Ed25519Key, following: Ed25519Key) -> dict[str, Json]:
    return {
        "updateKeys": [signer.public.multikey],
        "nextKeyHashes": [multihash(following.public.multikey.encode())],
    }


def _signed(entry: dict[str, Json], number: int, predecessor: str, signer: Ed25519Key, time: datetime) -> str:
    """did:webvh 1.0, Generate Entry Hash, then the proof; one line of JSON."""
    hashed: dict[str, Json] = {**entry, "versionId": f"{number}-{entry_hash(entry, predecessor)}"}
    options = proof_options(
        EDDSA_JCS_2022.name, method=signer.verification_method, purpose="assertionMethod", created=time
    )
    signed = add_proof(hashed, options, suite=EDDSA_JCS_2022, key=signer, contexts=_NO_CONTEXTS)
    return to_json({**signed, "proof": [signed["proof"]]}).decode("utf-8") + "\n"


def _place(domain: str) -> str:
    """``host[:port][/path]`` as the identifier of a did:web spells it (did-method-web#method-specific-identifier)."""
    host, *segments = domain.removesuffix("/").split("/")
    name, colon, port = host.partition(":")
    if not name or (colon and not port) or not all(segments):
        raise Malformed("--domain", "not a domain name with or without :port and /path", code="BAD_METHOD")
    return ":".join([f"{name}%3A{port}" if port else name, *segments])


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
