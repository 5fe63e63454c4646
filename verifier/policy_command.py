"""``ouvrage verifier policy``: read a policy file back in words, before anybody is asked by it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from vc.canon import Json
from vc.errors import Malformed
from vc.io.command import show
from vc.io.files import read_bounded
from vc.io.options import Json_, Lang, language
from vc.oid4vp import Request
from verifier.decision_words import policy_lines
from verifier.policy import MAX_POLICY, PolicyFile, parse_policy
from verifier.policy_request import policy_request
from work.purposes import PURPOSES

PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="A policy file: what has to be seen (docs/policy.md)."),
]


def policy_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (docs/policy.md).")],
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """What a policy asks for, in words; or what is wrong with it."""
    language_, made = language(lang), read_policy(file)
    told = [*policy_lines(made, language_)]
    show(
        {
            "policy": made.name[language_],
            "purpose": made.purpose,
            "policySha256": made.sha256,
            "requirements": told,
        },
        as_json=as_json,
        text=lambda: "\n".join(
            [f"{made.name[language_]} ({PURPOSES[made.purpose].labels[language_]})", *(f"- {one}" for one in told)]
        ),
    )


def read_policy(path: Path) -> PolicyFile:
    """The policy in a file. Raises what :func:`verifier.policy.parse_policy` does."""
    return parse_policy(read_bounded(path, limit=MAX_POLICY), where=str(path))


def request_by_policy(
    path: Path, client: str, necessity: str, retention: int | None, *, sd_jwt: bool
) -> dict[str, Json]:
    """The request that the policy in a file leads to. Raises what reading it does."""
    return policy_request(
        read_policy(path),
        client_id=client,
        necessity=necessity,
        retention_days=retention,
        sd_jwt=sd_jwt,
        rand=os.urandom,
    )


def require_purpose(policy: PolicyFile, request: Request) -> None:
    """Whether a request was made for the purpose of a policy. Raises :class:`Malformed`."""
    declared = request.extra.get("purpose")
    code = declared.get("code") if isinstance(declared, dict) else None
    if code != policy.purpose:
        raise Malformed("--policy", f"is for {policy.purpose}, and the request is not", code="OTHER_PURPOSE")
