"""The OpenAPI 3.1 description of a service, made from the table of its routes."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from vc.canon import Json
from vc.io.route import Answer, Route, Schema

PROBLEM: Final = "application/problem+json"
PROBLEM_SCHEMA: Final[Schema] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "code"],
}
_PARAMETER: Final = re.compile(r"\{(\w+)(?::([^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}")  # {id}, or {id:[a-z]{4}}
_BEARER: Final = "accessToken"


def describe(routes: Iterable[tuple[str, Route]], *, title: str, base: str, version: str) -> dict[str, Json]:
    """The description of ``routes``, each with the path it is mounted at."""
    paths: dict[str, Any] = {}
    for path, route in routes:
        if route.public:
            paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[route.method.lower()] = _operation(path, route)
    scheme, _, rest = base.partition("://")
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": f"{scheme}://{rest.partition('/')[0]}"}],
        "paths": paths,
        "components": {"securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}}},
    }


def _operation(path: str, route: Route) -> dict[str, Any]:
    parameters = [
        *(_parameter("path", name, _path_schema(pattern)) for name, pattern in _PARAMETER.findall(path)),
        *(_parameter("query", name, schema) for name, schema in route.query.items()),
        *(_parameter("header", name, schema) for name, schema in route.headers.items() if name != "Authorization"),
    ]
    answers = dict(route.answers)
    if route.body:
        # What the server says before a handler is asked.
        answers.setdefault(413, Answer("Too large.", {PROBLEM: PROBLEM_SCHEMA}))
        answers.setdefault(400, Answer("Not to be read.", {PROBLEM: PROBLEM_SCHEMA}))
    operation: dict[str, Any] = {
        "summary": route.summary,
        "tags": [route.tag],
        "responses": {str(status): _answer(status, answer) for status, answer in sorted(answers.items())},
    }
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": _content(route.body)}
    if "Authorization" in route.headers:
        operation["security"] = [{_BEARER: []}]
    return operation


def _parameter(where: str, name: str, schema: Schema) -> dict[str, Any]:
    rest = {key: value for key, value in schema.items() if key != "required"}
    return {"name": name, "in": where, "required": where == "path" or schema.get("required") is True, "schema": rest}


def _path_schema(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"} if pattern else {"type": "string", "minLength": 1}


def _answer(status: int, answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description or HTTPStatus(status).phrase}
    if answer.content:
        described["content"] = _content(answer.content)
    if answer.headers:
        described["headers"] = {name: {"schema": {"type": "string"}} for name in answer.headers}
    return described


def _content(content: Mapping[str, Schema]) -> dict[str, Any]:
    return {media: {"schema": dict(schema)} for media, schema in content.items()}
