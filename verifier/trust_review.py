"""What somebody is about to sign, in words: who will be trusted, for what, by which keys; and who will sign."""

from collections.abc import Iterator
from hashlib import sha256

from vc.errors import Malformed
from vc.trust import TrustedIssuer, parse_trust
from verifier.trust_roles import NAME
from verifier.trust_signing import Bundle
from work import CONTEXTS


def review(bundle: Bundle) -> list[str]:
    """The lines to read before signing. Raises :class:`Malformed` where the files are not those that are signed."""
    return [*_root(bundle), *_targets(bundle)]


def _root(bundle: Bundle) -> Iterator[str]:
    if bundle.root is not None:
        root = bundle.root.signed
        role = root.roles["root"]
        names = ", ".join(str(root.keys[each].unrecognized_fields.get(NAME, "?"))[:200] for each in role.keyids)
        yield f"The list of {str(root.unrecognized_fields.get(NAME, '?'))[:200]}, until {root.expires:%Y-%m-%d}:"
        yield f"  {role.threshold} of these sign it: {names}"


def _targets(bundle: Bundle) -> Iterator[str]:
    if bundle.targets is None:
        return
    targets = bundle.targets.signed
    yield f"Who is trusted, until {targets.expires:%Y-%m-%d}: {sum('/' in path for path in targets.targets)} issuers"
    for path, file in targets.targets.items():
        if not path.startswith("issuers/"):
            continue
        raw = bundle.files.get(path, "").encode()
        if sha256(raw).hexdigest() != file.hashes.get("sha256"):
            raise Malformed(path, "is not the file that would be signed", code="TRUST_MIXED")
        for issuer in parse_trust(raw, contexts=CONTEXTS, where=path).issuers:
            yield from _issuer(issuer)


def _issuer(issuer: TrustedIssuer) -> Iterator[str]:
    yield f"  {issuer.name} ({issuer.legal_identifier}) may attest {', '.join(sorted(issuer.may_attest))}"
    for key in issuer.keys:
        until = "" if key.valid_until is None else f" to {key.valid_until:%Y-%m-%d}"
        yield f"    {key.method}, from {key.valid_from:%Y-%m-%d}{until}"
    for one in issuer.certificates:
        yield f"    certificates under {one.certificate.subject.rfc4514_string()}"
