"""IRIs as JSON-LD uses them: telling an absolute one, and resolving a relative one (RFC 3986 §5.2)."""

import re
from typing import Final

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:")
# RFC 3986 appendix B: scheme, authority, path, query, fragment. It matches every string.
_PARTS: Final = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)


def has_scheme(text: str) -> bool:
    """RFC 3986 §3.1: whether ``text`` begins like an absolute IRI; its characters are checked where it is written."""
    return _SCHEME.match(text) is not None


def resolve(reference: str, base: str) -> str:
    """RFC 3986 §5.2.2: ``reference`` as seen from the absolute IRI ``base``; nothing is normalised but dot segments."""
    scheme, authority, path, query, fragment = _split(reference)
    base_scheme, base_authority, base_path, base_query, _ = _split(base)
    if scheme is not None or authority is not None:
        path = _remove_dot_segments(path)
    elif path:
        authority = base_authority
        path = _remove_dot_segments(path if path.startswith("/") else _merge(base_authority, base_path, path))
    else:
        authority, path = base_authority, base_path
        query = base_query if query is None else query
    return _join(base_scheme if scheme is None else scheme, authority, path, query, fragment)


def _split(text: str) -> tuple[str | None, str | None, str, str | None, str | None]:
    match = _PARTS.fullmatch(text)
    assert match is not None  # every part may be empty
    scheme, authority, path, query, fragment = match.groups()
    return scheme, authority, path or "", query, fragment


def _merge(authority: str | None, base_path: str, path: str) -> str:
    """RFC 3986 §5.2.3"""
    if authority is not None and not base_path:
        return f"/{path}"
    return base_path[: base_path.rfind("/") + 1] + path


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4, told on segments."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1 or (kept and kept[0]):
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)


def _join(scheme: str | None, authority: str | None, path: str, query: str | None, fragment: str | None) -> str:
    """RFC 3986 §5.3"""
    return "".join(
        (
            "" if scheme is None else f"{scheme}:",
            "" if authority is None else f"//{authority}",
            path,
            "" if query is None else f"?{query}",
            "" if fragment is None else f"#{fragment}",
        )
    )
