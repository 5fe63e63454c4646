"""Sessions: a request is made, a wallet fetches it and answers once, the answer is checked, the report is read.

Everything here blocks. A session's addresses, nonce and state are its own; an answer counts for it alone.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from vc.canon import Json, parse_object, to_json
from vc.errors import Finding, Malformed, Rejected, VcError
from vc.io.web import MAX_BODY
from vc.jwe import DecryptionKey
from vc.keys import P256Key
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal, refusing
from vc.oid4vp import parse_answer, parse_request
from vc.request_object import request_link, sign_request
from vc.sealing import seal, unseal
from vc.vp_response import Received, parse_response
from verifier.asking import Ask, Terms, build, build_file, with_code
from verifier.deps import Deps
from verifier.flow import Event, State, move
from verifier.judge import judge
from verifier.report import Report, refused
from verifier.tables import EVENT, SESSION
from work.receipt import MEMBER, Kept, Receipt, sign_receipt

ID_LENGTH: Final = 16  # bytes of randomness in a name; OpenID4VP §13.3 asks for as many
SECRET_LENGTH: Final = 32
LEFT_OPEN: Final = 86_400  # seconds for which a request that nobody answered is remembered
DECLINED_KEPT: Final = 7 * 86_400
DEFAULT_DAYS: Final = 30  # where neither the request nor a credential says how long
MAX_CODE: Final = 64  # characters of an OAuth error code

REQUEST: Final = "/request/{id}"
RESPONSE: Final = "/response/{id}"
RESULT: Final = "/results/{secret}"


@dataclass(frozen=True, slots=True)
class Created:
    """A new session. ``link`` is for the worker; whoever has ``secret`` can read the result."""

    id: str
    link: str
    secret: str
    expires: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of a session. ``error`` is the wallet's word where it declined."""

    id: str
    state: str  # of verifier.flow.State, or "expired"
    expires: int
    report: Mapping[str, Json] | None = None
    receipt: str | None = None
    error: str = ""


def create(deps: Deps, ask: Ask, *, owner: str = "", by_file: str = "") -> Created:
    """A new session for a demand; ``by_file`` is the name of who asks in a request that is handed over as a file, and
    has no link. Raises an error of ours for what cannot be asked."""
    name, secret = (encode_base64url(deps.rand(length)) for length in (ID_LENGTH, SECRET_LENGTH))
    private = P256Key.generate(deps.rand).secret if ask.encrypted and not by_file else None
    if by_file:
        request = build_file(ask, client_id=by_file, rand=deps.rand)
    else:
        response_uri = deps.base + RESPONSE.format(id=name)
        recipient = None if private is None else DecryptionKey.from_secret(private)
        request = build(ask, identity=deps.identity, response_uri=response_uri, recipient=recipient, rand=deps.rand)
    now = deps.seconds
    row = {
        "id": name,
        "state": State.OPEN,
        "made": now,
        "expires": now + ask.lifetime,
        "result": digest(secret),
        "owner": owner,
        "reference": ask.reference,
        "request": to_json(request).decode(),
        "terms": Terms.of(ask).write(),
        "sealed_key": private and seal(private, key=deps.secret, place=name.encode(), rand=deps.rand),
        "redirect": ask.redirect_uri,
        "erase": now + ask.lifetime + LEFT_OPEN,
    }
    with deps.database.write() as connection:
        connection.execute(SESSION.insert().values(**row))
    return Created(name, worker_link(deps, name, request), secret, now + ask.lifetime)


def worker_link(deps: Deps, name: str, request: dict[str, Json]) -> str:
    """The link of a session for the worker; none where the request goes by file."""
    if "response_uri" not in request:
        return ""
    if not deps.identity.signs:
        return request_link(request)
    reference = {"client_id": request["client_id"], "request_uri": deps.base + REQUEST.format(id=name)}
    return request_link({**reference, "request_uri_method": "post"})


def request_object(deps: Deps, name: str, wallet_nonce: str | None) -> str:
    """The signed request object of a session, for a wallet (OpenID4VP §5.10). Raises :class:`OAuthRefusal`."""
    if not deps.identity.signs:
        raise _unknown()
    now = deps.seconds
    with deps.database.write() as connection:
        row = move(connection, name, Event.FETCH, now=now)
    if row is None:
        raise _unknown()
    members = parse_object(row.request.encode())
    # It goes by file, or our keys have changed since.
    if "response_uri" not in members or members["client_id"] != deps.identity.client_id:
        raise _unknown()
    fresh: dict[str, Json] = {} if wallet_nonce is None else {"wallet_nonce": wallet_nonce}
    claims = {**members, "iat": now, "exp": row.expires, **fresh}
    return sign_request(claims, key=deps.identity.key, header=deps.identity.header)


def take(deps: Deps, name: str, raw: bytes) -> dict[str, Json]:
    """Take a wallet's answer or its no, check it, and what the wallet is told (OpenID4VP §8.2).

    Once for each session. What is no answer at all is refused and changes nothing: :class:`OAuthRefusal`.
    """
    row = _open(deps, name)
    request = {} if row is None else parse_object(row.request.encode())
    if row is None or "response_uri" not in request:
        raise _unknown()
    with refusing("invalid_request"):
        received = parse_response(raw, keys=_keys(deps, row), limit=MAX_BODY)
    if not hmac.compare_digest((received.state or "").encode(), str(request["state"]).encode()):
        raise OAuthRefusal("invalid_request", "the state is not the one of the request")
    code = encode_base64url(deps.rand(ID_LENGTH))
    reply: dict[str, Json] = {} if row.redirect is None else {"redirect_uri": with_code(row.redirect, code)}
    if received.answer is None:
        _decline(deps, name, received, code)
        return reply
    with refusing("invalid_request"):
        parse_answer(received.answer, parse_request(row.request.encode(), own=True))
    if not _keep(deps, name, received.answer, code):
        raise _unknown()
    receipt = settle(deps, name)
    return {**reply, **({} if receipt is None else {MEMBER: receipt})}


def take_file(deps: Deps, name: str, raw: bytes) -> None:
    """Take the answer to a request that went by file, and check it. What is no answer to it is refused and changes
    nothing: :class:`Malformed`, ``OVER`` for a session that takes none."""
    row = _open(deps, name)
    if row is None or "response_uri" in parse_object(row.request.encode()):
        raise _over()
    parse_answer(raw, parse_request(row.request.encode(), own=True))
    if not _keep(deps, name, raw, encode_base64url(deps.rand(ID_LENGTH))):
        raise _over()
    settle(deps, name)


def _keep(deps: Deps, name: str, answer: bytes, code: str) -> bool:
    """Whether this answer is the one that counts. What is not checked in time would be lost: it stays until it is."""
    now = deps.seconds
    values = {"answer": answer, "answered": now, "sealed_key": None, "code": digest(code)}
    with deps.database.write() as connection:
        return move(connection, name, Event.ANSWER, now=now, **values, erase=now + DEFAULT_DAYS * 86_400) is not None


def _open(deps: Deps, name: str) -> Any | None:
    """The session that still takes an answer, or None."""
    with deps.database.read() as connection:
        row = connection.execute(sa.select(SESSION).where(SESSION.c.id == name)).one_or_none()
    if row is None or row.state not in (State.OPEN, State.FETCHED) or row.expires <= deps.seconds:
        return None
    return row


def _over() -> Malformed:
    return Malformed("page", "what it was about is over; begin again", code="OVER")


def _unknown() -> OAuthRefusal:
    return OAuthRefusal("invalid_request", "no request is open here: it was answered, or is too old; ask for a new one")


def _keys(deps: Deps, row: Any) -> tuple[DecryptionKey, ...]:
    if row.sealed_key is None:
        return ()
    secret = unseal(row.sealed_key, key=deps.secret, place=row.id.encode())
    if secret is None:
        raise _unknown()
    return (DecryptionKey.from_secret(secret),)


def _decline(deps: Deps, name: str, received: Received, code: str) -> None:
    now = deps.seconds
    told = _word(received.error)
    values = {"answered": now, "sealed_key": None, "code": digest(code), "report": to_json({"error": told}).decode()}
    with deps.database.write() as connection:
        row = move(connection, name, Event.DECLINE, now=now, **values, erase=now + DECLINED_KEPT)
        if row is None:
            raise _unknown()
        _announce(connection, row, now)


def _word(error: str | None) -> str:
    """An OAuth error code, in the characters that one has (RFC 6749 §4.1.2.1)."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "_-.") else "?" for one in error or "")[:MAX_CODE]


def settle(deps: Deps, name: str) -> str | None:
    """Check the answer of a session that has one; the receipt for it. Of several who try, one writes the report."""
    with deps.database.read() as connection:
        row = connection.execute(
            sa.select(SESSION).where(SESSION.c.id == name, SESSION.c.state == State.ANSWERED)
        ).one_or_none()
    if row is None:
        return None
    terms, at = Terms.read(row.terms), datetime.fromtimestamp(row.answered, UTC)
    report = _report(deps, row, terms, at)
    receipt = _receipt(deps, row, report, terms, at)
    values: dict[str, Any] = {
        "report": to_json(report.to_json()).decode(),
        "receipt": receipt,
        "erase": _end(report.erase_by or (at.date() + timedelta(days=DEFAULT_DAYS))),
    }
    if not terms.keep_answer:
        values["answer"] = None
    with deps.database.write() as connection:
        moved = move(connection, name, Event.REPORT, now=deps.seconds, **values)
        if moved is not None:
            _announce(connection, moved, deps.seconds)
    return receipt


def settle_left(deps: Deps) -> list[str]:
    """Check the answers that were taken and not checked, because the service ended in between."""
    long_ago = deps.seconds - 60
    with deps.database.read() as connection:
        left = sa.select(SESSION.c.id).where(SESSION.c.state == State.ANSWERED, SESSION.c.answered < long_ago)
        names = [str(name) for name in connection.execute(left).scalars()]
    for name in names:
        settle(deps, name)
    return names


def _report(deps: Deps, row: Any, terms: Terms, at: datetime) -> Report:
    request = parse_request(row.request.encode(), own=True)
    try:
        trust = deps.trust()
    except VcError as error:  # a trust list that cannot be read trusts nobody
        return refused(request, error, trust=None, at=at, answer=row.answer)
    return judge(row.answer, request, trust=trust, policy=terms.policy, at=at)[0]


def _receipt(deps: Deps, row: Any, report: Report, terms: Terms, at: datetime) -> str | None:
    """Signed as the request was; where nobody has signed that, there is nobody to sign this. Nor for an answer that
    came as a file: nobody is there to be told."""
    request = parse_object(row.request.encode())
    if not deps.identity.signs or report.answer_sha256 is None or "response_uri" not in request:
        return None
    made = Receipt(
        verifier=str(request["client_id"]),
        nonce=str(request["nonce"]),
        purpose=report.asked.purpose if report.asked else "",
        received=at,
        kept=(Kept.REPORT, Kept.ANSWER) if terms.keep_answer else (Kept.REPORT,),
        erase_by=report.erase_by,
        answer_sha256=report.answer_sha256,
    )
    return sign_receipt(made, key=deps.identity.key, header=deps.identity.header)


def _end(day: date) -> int:
    """The moment at which a day has ended."""
    last = min(day, date(9998, 12, 31))
    return int(datetime.combine(last + timedelta(days=1), time(), UTC).timestamp())


def _announce(connection: sa.Connection, row: Any, now: int) -> None:
    """Note for the webhook that there is a result. What is in it, whoever may read it fetches."""
    told = {"type": "result", "id": row.id, "state": row.state, "reference": row.reference, "at": now}
    values = {"at": now, "body": to_json(told).decode(), "attempts": 0, "next_attempt": now}
    connection.execute(EVENT.insert().values(**values))


def outcome(deps: Deps, secret: str, *, code: str | None = None) -> Outcome | None:
    """What has become of the session whose result this secret opens; None for no secret of ours.

    A session on the same device tells its result only to whoever brings the response code: the browser that the
    worker's wallet has sent on, and not the one of somebody who only made the request (OpenID4VP §13.3, §14.2). Raises
    :class:`Rejected`.
    """
    row = _by_secret(deps, secret)
    if row is None:
        return None
    if row.state in (State.OPEN, State.FETCHED) and row.expires <= deps.seconds:
        return Outcome(row.id, "expired", row.expires)
    if row.state not in (State.CHECKED, State.DECLINED):
        return Outcome(row.id, row.state, row.expires)
    _check_code(row, code)
    told = parse_object(row.report.encode())
    if row.state == State.DECLINED:
        return Outcome(row.id, row.state, row.expires, error=str(told["error"]))
    return Outcome(row.id, row.state, row.expires, told, row.receipt)


def kept_answer(deps: Deps, secret: str, *, code: str | None = None) -> bytes | None:
    """The bytes of an answer that is kept beside its report; None where there is none. Raises as :func:`outcome`."""
    row = _by_secret(deps, secret)
    if row is None or row.state != State.CHECKED or row.answer is None:
        return None
    _check_code(row, code)
    return bytes(row.answer)


def asked(deps: Deps, secret: str) -> bytes | None:
    """The request of a session, as JSON: to be kept beside an answer that is kept."""
    row = _by_secret(deps, secret)
    return None if row is None or row.request is None else str(row.request).encode()


def _by_secret(deps: Deps, secret: str) -> Any | None:
    with deps.database.read() as connection:
        return connection.execute(sa.select(SESSION).where(SESSION.c.result == digest(secret))).one_or_none()


def _check_code(row: Any, code: str | None) -> None:
    if row.redirect is not None and not hmac.compare_digest(digest(code or ""), row.code or ""):
        why = "this result is for the browser that the worker was sent on to: bring its response_code"
        raise Rejected((Finding("RESPONSE_CODE", why, "response_code"),))


def digest(secret: str) -> str:
    """How a secret that is random and long stands in the store."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
