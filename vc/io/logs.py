"""Logs: one line of JSON for each request, on stderr, with nothing about anybody in it.

A line names the route by its template, never the address that was asked for: an address can hold an offer, a code, a
worker. What other libraries log is told by its kind only, for their messages quote what was sent.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, TextIO

from aiohttp import web

from vc.io.web import Handler

REQUEST_ID: Final = "X-Request-Id"
UNKNOWN: Final = "(none)"  # the route of what we do not serve
OURS: Final = "ouvrage"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LOG: Final = logging.getLogger(f"{OURS}.request")


class JsonLines(logging.Formatter):
    """A record as one line of JSON: ours with their message and fields, others' without."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "log": record.name,
        }
        if record.name.partition(".")[0] == OURS:
            line |= {"message": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


def start(stream: TextIO = sys.stderr) -> None:
    """Log to ``stream`` from now on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(OURS).setLevel(logging.INFO)


def say(event: str, fields: Mapping[str, Any], *, level: int = logging.INFO) -> None:
    """A line about the service itself. ``fields`` name nobody."""
    logging.getLogger(f"{OURS}.service").log(level, event, extra={"fields": dict(fields)})


def route_of(request: web.Request) -> str:
    """The template of the route that a request took."""
    resource = request.match_info.route.resource
    return UNKNOWN if resource is None else resource.canonical


def method_of(request: web.Request) -> str:
    """The method, where it is one that everybody knows: another could be any text."""
    return request.method if request.method in _METHODS else "other"


@web.middleware
async def log_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line for each request; its id is told to the client, who can tell us."""
    began, name = time.perf_counter(), os.urandom(8).hex()
    status = 499  # the client left before it was answered
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as answer:
        status = answer.status
        answer.headers[REQUEST_ID] = name
        raise
    else:
        if not response.prepared:
            response.headers[REQUEST_ID] = name
        return response
    finally:
        fields = {
            "method": method_of(request),
            "route": route_of(request),
            "status": status,
            "milliseconds": round((time.perf_counter() - began) * 1000, 1),
            "request": name,
        }
        _LOG.info("request", extra={"fields": fields})
