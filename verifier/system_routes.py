"""What systems ask of the service: a request, its result, the check of an answer that came another way; and health."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import Malformed
from vc.io.openapi import PROBLEM, PROBLEM_SCHEMA
from vc.io.route import Answer, Route, Schema
from vc.io.web import STOPPING, json_response, problem_response, run_step
from vc.oid4vp import parse_request
from verifier.access import Rates, find_key
from verifier.asked import MAX_RETENTION
from verifier.asking import MAX_LIFETIME, Ask, Terms
from verifier.deps import DEPS, Deps, in_thread
from verifier.flow import State
from verifier.judge import judge
from verifier.request import MAX_CLAIMS
from verifier.sessions import RESULT, Outcome, create, kept_answer, outcome
from verifier.standing import Standing
from verifier.tables import SESSION

TAG: Final = "systems"
OPERATIONS: Final = "operations"
REQUESTS: Final = "/api/requests"
CHECK: Final = "/api/check"
MAX_WAIT: Final = 60
RATES: Final = web.AppKey("rates", Rates)

_JSON: Final = "application/json"
_SEND_KEY: Final = "send Authorization: Bearer and an API key (ouvrage verifier api-key add)"
_GONE: Final = frozenset({"expired", State.ERASED})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def keyed(handler: Callable[[web.Request, str], Awaitable[web.StreamResponse]]) -> Handler:
    """A handler for those who have an API key, as often as one may call."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        deps = request.app[DEPS]
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        name = await in_thread(lambda: find_key(deps.database, secret.strip())) if secret else None
        if name is None or scheme.lower() != "bearer":
            answer = problem_response({**_problem(401, "UNAUTHORIZED"), "detail": _SEND_KEY}, 401)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        if seconds := request.app[RATES].wait(name, most=deps.rate, now=deps.seconds):
            detail = f"at most {deps.rate} calls in a minute"
            answer = problem_response({**_problem(429, "TOO_MANY_REQUESTS"), "detail": detail}, 429)
            answer.headers["Retry-After"] = str(seconds)
            return answer
        return await handler(request, name)

    return guarded


def _problem(status: int, code: str) -> dict[str, Json]:
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "code": code}


@keyed
async def post_requests(request: web.Request, owner: str) -> web.StreamResponse:
    """Make a request for a worker: its link, and where its result will be."""
    deps = request.app[DEPS]

    def step(body: Json) -> Mapping[str, Json]:
        made = create(deps, Ask.parse(body), owner=owner)
        result = deps.base + RESULT.format(secret=made.secret)
        return {"request": made.link, "result": result, "id": made.id, "expires": made.expires}

    return await run_step(request, step, status=201)


@keyed
async def post_check(request: web.Request, _owner: str) -> web.StreamResponse:
    """Check an answer that came as a file, against the request that it answers. Nothing is kept."""
    deps = request.app[DEPS]
    return await run_step(request, partial(_checked, deps))


def _checked(deps: Deps, body: Json) -> Mapping[str, Json]:
    members = body if isinstance(body, dict) else {}
    asked, answer = members.get("request"), members.get("answer")
    flags = {name: members.get(name, False) for name in ("acceptPossession", "acceptSelfAsserted")}
    if not isinstance(asked, dict) or not isinstance(answer, dict):
        raise Malformed("body", "needs a request and an answer, both as objects")
    for name in members.keys() - {"request", "answer", *flags}:
        raise Malformed(f"/{name[:60]}", "not known")
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise Malformed(f"/{name}", "neither true nor false")
    terms = Terms(bool(flags["acceptPossession"]), bool(flags["acceptSelfAsserted"]), keep_answer=False)
    request = parse_request(to_json(asked), own=True)
    report, _ = judge(to_json(answer), request, trust=deps.trust(), policy=terms.policy, at=deps.now())
    return report.to_json()


async def get_result(request: web.Request) -> web.StreamResponse:
    """The report, once there is one; with ``wait``, after so many seconds at the most."""
    deps, secret, code = request.app[DEPS], request.match_info["secret"], request.query.get("response_code")
    left = float(_wait(request))
    read = partial(outcome, deps, secret, code=code)
    found = await in_thread(read)
    while found is not None and _pending(found) and left > 0 and not request.app[STOPPING].is_set():
        step = min(left, 1.0)  # so that a stop, an end of the request and a lost word are noticed
        await deps.arrivals.wait(found.id, step)
        left -= step
        found = await in_thread(read)
    if found is None:
        raise web.HTTPNotFound(text="no result here")
    return _result(found)


def _pending(found: Outcome) -> bool:
    return found.state in (State.OPEN, State.FETCHED, State.ANSWERED)


def _result(found: Outcome) -> web.Response:
    if found.state in _GONE:
        why = "nobody answered in time" if found.state == "expired" else "it was erased, as the request promised"
        return problem_response({**_problem(410, found.state.upper()), "detail": why}, 410)
    if found.report is not None:
        answer = json_response(found.report)
        if found.receipt:
            answer.headers["Ouvrage-Retention-Receipt"] = found.receipt
        return answer
    told: dict[str, Json] = {"type": "OuvrageOutcome", "state": str(found.state), "expires": found.expires}
    if found.state == State.DECLINED:
        return json_response({**told, "error": found.error})
    return json_response(told, 202)


def _wait(request: web.Request) -> int:
    text = request.query.get("wait", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= MAX_WAIT):
        raise web.HTTPBadRequest(text=f"wait is a number of seconds, {MAX_WAIT} at most")
    return int(text)


async def get_answer(request: web.Request) -> web.StreamResponse:
    """The answer itself, where the request said that it is kept."""
    deps, secret, code = request.app[DEPS], request.match_info["secret"], request.query.get("response_code")
    raw = await in_thread(lambda: kept_answer(deps, secret, code=code))
    if raw is None:
        raise web.HTTPNotFound(text="no answer is kept here")
    return web.Response(body=raw, content_type=_JSON)


async def get_health(_request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return json_response({"status": "ok"})


async def get_ready(request: web.Request) -> web.StreamResponse:
    """It may be sent requests: the database answers, and it was not told to end."""
    deps = request.app[DEPS]
    if request.app[STOPPING].is_set():
        raise web.HTTPServiceUnavailable(text="it was told to end")

    def step() -> None:
        with deps.database.read() as connection:
            connection.execute(sa.select(sa.func.count()).select_from(SESSION).where(SESSION.c.id == "")).scalar_one()

    await in_thread(step)
    return json_response({"status": "ready"})


# ---- the description -------------------------------------------------------------------------------------------------

_KEYED: Final[Mapping[str, Schema]] = MappingProxyType({"Authorization": {"type": "string"}})
_PROBLEM: Final = MappingProxyType({PROBLEM: PROBLEM_SCHEMA})
_TEXT: Final[Schema] = MappingProxyType({"type": "string"})
_FLAG: Final[Schema] = MappingProxyType({"type": "boolean"})
_MISSING_KEY: Final = Answer("No API key, or one that does not work.", _PROBLEM, ("WWW-Authenticate",))
_TOO_OFTEN: Final = Answer("Too many calls in this minute.", _PROBLEM, ("Retry-After",))
_BAD: Final = Answer("Not to be read, or not to be asked.", _PROBLEM)
_NO: Final = Answer("Refused: what the purpose must never ask for needs askAnyway.", _PROBLEM)
_BUSY: Final = Answer("Not now: the trust file cannot be read, or the database is busy.", _PROBLEM)

ASK_SCHEMA: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["purpose", "claims"],
        "properties": {
            "purpose": dict(_TEXT),
            "claims": {"type": "array", "minItems": 1, "maxItems": MAX_CLAIMS, "items": dict(_TEXT)},
            "necessity": dict(_TEXT),
            "retentionDays": {"type": "integer", "minimum": 0, "maximum": MAX_RETENTION},
            "format": {"enum": ["bbs-2023", "sd-jwt"]},
            "askAnyway": dict(_FLAG),
            "acceptPossession": dict(_FLAG),
            "acceptSelfAsserted": dict(_FLAG),
            "keepAnswer": dict(_FLAG),
            "encrypted": dict(_FLAG),
            "redirectUri": dict(_TEXT),
            "lifetime": {"type": "integer", "minimum": 1, "maximum": MAX_LIFETIME},
            "reference": dict(_TEXT),
            "transactionData": {"type": "array", "items": {"type": "object"}},
        },
    }
)
CREATED_SCHEMA: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "required": ["request", "result", "id", "expires"],
        "properties": {
            "request": dict(_TEXT), "result": dict(_TEXT), "id": dict(_TEXT), "expires": {"type": "integer"},
        },
    }
)  # fmt: skip
REPORT_SCHEMA: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "required": ["type", "version", "verdict", "at", "proven", "notShown", "notChecked", "reasons", "eraseBy"],
        "properties": {
            "type": {"const": "OuvrageReport"},
            "verdict": {"enum": ["valid", "refused", "undetermined"]},
            "standing": {"enum": list(Standing)},
        },
    }
)
OUTCOME_SCHEMA: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "required": ["type", "state", "expires"],
        "properties": {"type": {"const": "OuvrageOutcome"}, "state": dict(_TEXT), "error": dict(_TEXT)},
    }
)
_CHECK_SCHEMA: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["request", "answer"],
        "properties": {
            "request": {"type": "object"}, "answer": {"type": "object"},
            "acceptPossession": dict(_FLAG), "acceptSelfAsserted": dict(_FLAG),
        },
    }
)  # fmt: skip
_EITHER: Final[Schema] = MappingProxyType({"oneOf": [dict(REPORT_SCHEMA), dict(OUTCOME_SCHEMA)]})
_CODE: Final[Mapping[str, Schema]] = MappingProxyType({"response_code": _TEXT})
_WAIT: Final[Schema] = MappingProxyType({"type": "integer", "minimum": 0, "maximum": MAX_WAIT})
_REFUSALS: Final = MappingProxyType({400: _BAD, 401: _MISSING_KEY, 415: _BAD, 422: _NO, 429: _TOO_OFTEN, 503: _BUSY})


def _json(schema: Schema) -> Mapping[str, Any]:
    return {_JSON: schema}


ROUTES: Final = (
    Route(
        "POST", REQUESTS, post_requests, "Ask a worker",
        {201: Answer("The link for the worker, and where the result will be.", _json(CREATED_SCHEMA)), **_REFUSALS},
        TAG, body=_json(ASK_SCHEMA), headers=_KEYED,
    ),
    Route(
        "POST", CHECK, post_check, "Check an answer that came as a file; nothing is kept",
        {200: Answer("The report.", _json(REPORT_SCHEMA)), **_REFUSALS},
        TAG, body=_json(_CHECK_SCHEMA), headers=_KEYED,
    ),
    Route(
        "GET", RESULT, get_result, "What came of a request; whoever has the address reads it",
        {
            200: Answer("The report, or that the worker declined.", _json(_EITHER), ("Ouvrage-Retention-Receipt",)),
            202: Answer("Nothing yet.", _json(OUTCOME_SCHEMA)),
            400: _BAD,
            404: Answer("No such result.", _PROBLEM),
            410: Answer("Nobody answered in time, or it was erased.", _PROBLEM),
            422: Answer("Only with the response_code of the worker's browser.", _PROBLEM),
        },
        TAG, query={"wait": _WAIT, **_CODE},
    ),
    Route(
        "GET", f"{RESULT}/answer", get_answer, "The answer itself, with keepAnswer",
        {
            200: Answer("As it came, decrypted.", _json({"type": "object"})),
            404: Answer("None is kept.", _PROBLEM),
            422: Answer("Only with the response_code of the worker's browser.", _PROBLEM),
        },
        TAG, query=_CODE,
    ),
    Route(
        "GET", "/healthz", get_health, "The process answers", {200: Answer("It does.", _json({"type": "object"}))},
        OPERATIONS,
    ),
    Route(
        "GET", "/readyz", get_ready, "It may be sent requests",
        {200: Answer("It may.", _json({"type": "object"})), 503: Answer("Not now.", _PROBLEM)}, OPERATIONS,
    ),
)  # fmt: skip
