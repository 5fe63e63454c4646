"""``ouvrage jose``: secures or verifies one credential or presentation, with one key, by JOSE, SD-JWT or COSE.

Files in, files out, no state: for trying our formats against those of others (docs/enveloped.md). The key in the file
is the only one there is, so the credentials inside a presentation are looked at, and not verified.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, NoReturn

import typer

from vc.canon import Json, parse_json, parse_object, to_json
from vc.contexts import W3C
from vc.did import VerificationMethod
from vc.envelope import FORMS, MAX_ENVELOPE, Content, Form, Securing, parse_text
from vc.enveloped import OpenedCredential, check_dates, open_credential, open_presentation, secure, secure_selectively
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.io.command import new_app, run, show
from vc.io.files import read_bounded, write_atomic
from vc.io.options import At, Json_, moment
from vc.jwk import SECRET_MEMBERS, parse_jwk
from vc.keys import EcdsaKey, Ed25519Key, P256Key, P384Key, P521Key, Signer
from vc.model import CREDENTIALS_V2, Object
from vc.multibase import decode_base64url

MAX_KEY: Final = 1 << 16  # bytes; a key file has under 1 KB

FEATURES: Final[Mapping[str, Form]] = MappingProxyType(
    {
        f"{name}_{suffix}": FORMS[f"application/{content}+{securing}"]
        for name, content in (("credential", Content.CREDENTIAL), ("presentation", Content.PRESENTATION))
        for suffix, securing in (("jose", Securing.JWT), ("sdjwt", Securing.SD_JWT), ("cose", Securing.COSE))
    }
)
_CURVES: Final[Mapping[str, type[EcdsaKey]]] = MappingProxyType({"P-256": P256Key, "P-384": P384Key, "P-521": P521Key})
_SCOPES: Final[Mapping[Content, str]] = MappingProxyType(
    {Content.CREDENTIAL: "VerifiableCredential", Content.PRESENTATION: "VerifiablePresentation"}
)
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")  # of credentialSubject.phoneNumbers[0]

app = new_app("Secure or verify a credential or a presentation by JOSE, SD-JWT or COSE, with the key in a file.")

Input = Annotated[Path, typer.Option("--input", metavar="FILE", help="What to secure or to verify.")]
Key = Annotated[Path, typer.Option("--key", metavar="FILE", help="A JsonWebKey verification method.")]
Feature = Annotated[str, typer.Option("--feature", help=f"One of {', '.join(FEATURES)}.")]
Output = Annotated[Path, typer.Option("--output", metavar="FILE", help="Where to write the result.")]
Hidden = Annotated[str, typer.Option("--sd", help='What its holder may keep back: ["credentialSubject.name"].')]
Structure = Annotated[bool, typer.Option("--structure-only", help="Check signature and structure, and no dates.")]


@app.command("issue")
def issue_command(
    source: Input, key: Key, feature: Feature, output: Output, sd: Hidden = "[]", as_json: Json_ = False
) -> None:
    """Secure a document with the secret key of a key file."""
    _finish(lambda: _issue(source, key, feature, sd), output, as_json=as_json)


@app.command("verify")
def verify_command(
    source: Input,
    key: Key,
    feature: Feature,
    output: Output,
    structure_only: Structure = False,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Verify a secured document with the public key of a key file: signature, structure and dates."""
    as_of = None if structure_only else moment(at)
    _finish(lambda: _verify(source, key, feature, as_of), output, as_json=as_json)


def _finish(task: Callable[[], str], output: Path, *, as_json: bool) -> NoReturn:
    """Write how the task ended: ``result`` is success, failure or indeterminate, ``data`` the outcome or the reason."""
    code = 0
    try:
        result, data = "success", task()
    except VcError as error:
        result = "indeterminate" if isinstance(error, Undetermined) else "failure"
        code, data = error.exit_code, f"{error} [{error.code}]"
    document: dict[str, Json] = {"result": result, "data": data}
    write_atomic(output, to_json(document), mode=0o644)
    show(document, as_json=as_json, text=lambda: result if code == 0 else f"{result}: {data}")
    raise typer.Exit(code)


def _issue(source: Path, key: Path, feature: str, sd: str) -> str:
    form, signer = _form(feature), _signer(_key_file(key))
    document = parse_object(read_bounded(source, limit=MAX_ENVELOPE), where="--input")
    _check_members(document, form)
    if form.securing is Securing.SD_JWT:
        pointers = tuple(_pointers(sd))
        return secure_selectively(document, form, key=signer, selective=pointers, rand=os.urandom).text
    return secure(document, form, key=signer).text


def _verify(source: Path, key: Path, feature: str, as_of: datetime | None) -> str:
    form, members = _form(feature), _key_file(key)
    method = VerificationMethod(
        _text(members, "id"), _text(members, "controller"), parse_jwk(members.get("publicKeyJwk"))
    )
    raw = read_bounded(source, limit=MAX_ENVELOPE).decode("utf-8", "replace").strip()
    open_ = open_credential if form.content is Content.CREDENTIAL else open_presentation
    opened = open_(parse_text(raw, form, where="--input"), find=lambda _: method)
    if as_of is not None and (findings := tuple(check_dates(opened, as_of))):
        raise Rejected(findings)
    document = opened.credential.document if isinstance(opened, OpenedCredential) else opened.presentation.document
    return to_json(dict(document)).decode()


def _form(feature: str) -> Form:
    if feature not in FEATURES:
        raise Unsupported("feature", feature)
    return FEATURES[feature]


def _check_members(document: Object, form: Form) -> None:
    """The documents of other contexts are not here, so only what the data model itself defines has a meaning for sure;
    a vocabulary for anything else, such as that of the examples' context, is no definition."""
    context = W3C.context(CREDENTIALS_V2)
    scope = context.get(_SCOPES[form.content]) if isinstance(context, dict) else None
    defined = scope.get("@context") if isinstance(scope, dict) else None
    assert isinstance(context, dict)
    assert isinstance(defined, dict)
    for name in document:
        if name != "@context" and name not in context and name not in defined:
            raise Malformed(f"/{name}", "not a member that the data model defines", code="DATA_LOSS")


def _key_file(path: Path) -> dict[str, Json]:
    return parse_object(read_bounded(path, limit=MAX_KEY), where="--key")


def _signer(members: Object) -> Signer:
    """The key of a verification method that carries its secret (cid#JsonWebKey). Raises :class:`Malformed`."""
    secret, method = members.get("secretKeyJwk"), _text(members, "id")
    if not isinstance(secret, dict):
        raise Malformed("--key", "has no secret key", code="BAD_KEY")
    public = parse_jwk({name: value for name, value in secret.items() if name not in SECRET_MEMBERS}, where="--key")
    raw, curve = decode_base64url(_text(secret, "d"), where="--key"), _CURVES.get(public.kind.name)
    key = curve.from_secret(raw, method) if curve else Ed25519Key.from_seed(raw, method)
    if key.public != public:
        raise Malformed("--key", "its secret key and its public key do not belong together", code="BAD_KEY")
    return key


def _text(members: Object, name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise Malformed(f"--key/{name}", "missing, or not a text", code="BAD_KEY")
    return value


def _pointers(sd: str) -> Iterator[str]:
    """JSON pointers of paths such as ``credentialSubject.phoneNumbers[0]``."""
    paths = parse_json(sd.encode(), where="--sd")
    if not isinstance(paths, list):
        raise Malformed("--sd", "not a list of paths", code="BAD_POINTER")
    for path in paths:
        steps = [name or index for name, index in _STEP.findall(str(path))]
        yield "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def main(arguments: list[str]) -> NoReturn:
    """Run the command."""
    run(app, arguments, name="ouvrage jose")
