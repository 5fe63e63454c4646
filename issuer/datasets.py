"""Which statement a credential request is about (OpenID4VCI §3.3.4): the newest one of its dataset."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from issuer.access import Access
from issuer.formats import CONFIGURATIONS, Configuration, dataset_id
from issuer.tables import STATEMENT
from vc.canon import parse_object
from vc.oauth import OAuthRefusal
from work.statement import Statement

MAX_IDENTIFIER: Final = 256  # characters: a configuration's id and 22 more


_ABOUT: Final = (
    sa.select(STATEMENT)
    .where(STATEMENT.c.worker == sa.bindparam("of"), STATEMENT.c.type == sa.bindparam("kind"))
    .order_by(STATEMENT.c.source, STATEMENT.c.topic)
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A statement, as it is now, in a format."""

    configuration: Configuration
    id: str  # issuer.formats.dataset_id
    digest: str
    statement: Statement


def wanted(connection: sa.Connection, access: Access, *, identifier: str | None, configuration: str | None) -> Dataset:
    """What a credential request asks for, where its access token allows it.

    Raises :class:`OAuthRefusal`: what the token does not allow is not told from what does not exist.
    """
    if identifier is None and configuration is None:  # a wallet of an earlier draft: its token has to say it all
        return _only(connection, access)
    if access.identified != (identifier is not None):
        given = "credential_identifier" if access.identified else "credential_configuration_id"
        raise OAuthRefusal("invalid_credential_request", f"this token goes with {given}")
    if identifier is not None:
        return _identified(connection, access, identifier)
    return _configured(connection, access, configuration or "")


def of_configuration(connection: sa.Connection, worker: str, configuration: Configuration) -> list[Dataset]:
    """The datasets of a worker that a configuration has, in their order."""
    rows = connection.execute(_ABOUT, {"of": worker, "kind": configuration.kind.name})
    return [_dataset(row, configuration) for row in rows]


def of_id(connection: sa.Connection, worker: str, configuration: Configuration, dataset: str) -> Dataset | None:
    """A dataset of a worker by its id, with the newest statement; None where there is none any more."""
    found = (one for one in of_configuration(connection, worker, configuration) if one.id == dataset)
    return next(found, None)


def _only(connection: sa.Connection, access: Access) -> Dataset:
    if len(access.configurations) != 1:
        raise OAuthRefusal("invalid_credential_request", "this token is for several credentials: name one")
    return _configured(connection, access, access.configurations[0])


def _identified(connection: sa.Connection, access: Access, identifier: str) -> Dataset:
    name, _, dataset = identifier[:MAX_IDENTIFIER].rpartition(":")
    found = None
    if name in access.configurations and name in CONFIGURATIONS:
        found = of_id(connection, access.worker, CONFIGURATIONS[name], dataset)
    if found is None:
        raise OAuthRefusal("unknown_credential_identifier", "not one that came with this token")
    return found


def _configured(connection: sa.Connection, access: Access, name: str) -> Dataset:
    if name not in CONFIGURATIONS:
        raise OAuthRefusal("unknown_credential_configuration", "not one of credential_configurations_supported")
    if name not in access.configurations:
        # RFC 6750 §3.1, as §8.3.1.1 asks
        scope = f'Bearer error="insufficient_scope", scope="{name}"'
        raise OAuthRefusal(
            "insufficient_scope", "the token allows other credentials", status=403, headers={"WWW-Authenticate": scope}
        )
    found = of_configuration(connection, access.worker, CONFIGURATIONS[name])
    if not found:
        raise OAuthRefusal("credential_request_denied", "there is nothing of this kind to attest")
    return found[0]


def _dataset(row: Any, configuration: Configuration) -> Dataset:
    name = dataset_id(source=row.source, worker=row.worker, kind=row.type, topic=row.topic)
    return Dataset(configuration, name, row.digest, Statement.parse(parse_object(row.body.encode())))
