"""What a wallet asks to be allowed to fetch: by ``scope`` or by ``authorization_details`` (OpenID4VCI §5.1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from issuer.formats import CONFIGURATIONS, dataset_id
from issuer.tables import STATEMENT
from vc.canon import Json
from vc.oauth import OAuthRefusal
from vc.oid4vci import AuthorizationDetail, parse_authorization_details

_NAMES: Final = (STATEMENT.c.source, STATEMENT.c.type, STATEMENT.c.topic)
_ABOUT: Final = (
    sa.select(*_NAMES).where(STATEMENT.c.worker == sa.bindparam("of"), STATEMENT.c.worker != "").order_by(*_NAMES)
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Ids of configurations; ``detailed`` where ``authorization_details`` named one of them."""

    configurations: tuple[str, ...]
    detailed: bool


def read_asked(form: Mapping[str, str], *, issuer: str, among: Collection[str]) -> Asked | None:
    """What the parameters of a request ask for, of ``among``; None where they ask for nothing in particular.

    Unknown scopes are ignored (OpenID4VCI §5.1.2). Raises :class:`OAuthRefusal`: ``invalid_scope``, or
    ``invalid_authorization_details``.
    """
    wanted: list[str] = []
    if text := form.get("authorization_details"):
        wanted += [one.configuration_id for one in parse_authorization_details(text, issuer=issuer)]
        if not set(wanted) <= set(among):
            raise OAuthRefusal(
                "invalid_authorization_details", "credential_configuration_id: not one that can be had here"
            )
    detailed = bool(wanted)
    scopes = [name for name in form.get("scope", "").split(" ") if name in among]
    if form.get("scope") and not scopes and not detailed:
        raise OAuthRefusal("invalid_scope", "no scope of these can be had here")
    wanted += scopes
    return Asked(tuple(dict.fromkeys(wanted)), detailed) if wanted else None


def identifiers(connection: sa.Connection, worker: str, configurations: Collection[str]) -> dict[str, list[str]]:
    """The ``credential_identifiers`` of configurations: one for each statement about this worker, and no others."""
    rows = connection.execute(_ABOUT, {"of": worker}).all()
    found: dict[str, list[str]] = {}
    for name in configurations:
        made = CONFIGURATIONS.get(name)
        for row in rows:
            if made is not None and row.type == made.kind.name:
                dataset = dataset_id(source=row.source, worker=worker, kind=row.type, topic=row.topic)
                found.setdefault(name, []).append(f"{name}:{dataset}")
    return found


def details(found: Mapping[str, list[str]]) -> list[Json]:
    """``authorization_details`` of a token response (OpenID4VCI §6.2)."""
    return [AuthorizationDetail(name, tuple(each)).to_json() for name, each in found.items()]
