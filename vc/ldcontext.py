"""JSON-LD context processing (json-ld11-api#context-processing-algorithm): from contexts to term tables.

One step is left out: a scoped context is not tried out where it is defined, only where a document uses it. One that is
never used makes no quad, so its mistakes change nothing that is signed.
"""

import json
from dataclasses import replace
from functools import lru_cache
from typing import Final

from vc.canon import Json, check_depth
from vc.errors import Unsupported
from vc.iris import has_scheme, resolve
from vc.termdefinition import TEXT, Definitions, bad_context, boolean, direction, nullable_text
from vc.termtable import KEYWORDS, Coercion, Contexts, DroppedError, Table, absolute, expand_iri

MAX_CONTEXTS: Final = 32  # in one list; the longest list in use has six
MAX_CONTEXT_TEXT: Final = 1 << 16  # characters of a context inside a document; the largest published one has 10 000
MAX_CONTEXT_NESTING: Final = 8  # contexts that name contexts; two is common
MAX_TERMS: Final = 1024  # the largest context in use has some 400; a table is copied for every scope
TABLES: Final = 256  # remembered tables: some eight per kind of document, and a sender cannot make us keep more


def context_key(context: Json) -> tuple[str, ...]:
    """The value of an ``@context`` as a key for :func:`compile_contexts` and :func:`extend`: URLs and JSON texts."""
    if not isinstance(context, list):
        return (_context_text(context),)
    if len(context) > MAX_CONTEXTS:
        raise bad_context(f"more than {MAX_CONTEXTS} contexts")
    if len(context) > 1 and any(isinstance(item, dict) and "@propagate" in item for item in context):
        # The specification, PyLD and jsonld.js each read this differently.
        raise Unsupported("JSON-LD feature", "@propagate in a list of contexts")
    return tuple(map(_context_text, context))


def _context_text(context: Json) -> str:
    if isinstance(context, str):
        if not has_scheme(context):  # nothing that could be taken for the text of an object
            raise Unsupported("context", context, code="UNKNOWN_CONTEXT")
        return context
    if isinstance(context, list):
        raise bad_context("a list of contexts in a list")
    try:
        text = TEXT.encode(context)
    except (TypeError, ValueError, RecursionError):
        raise bad_context("not JSON") from None
    if len(text) > MAX_CONTEXT_TEXT:
        raise bad_context(f"longer than {MAX_CONTEXT_TEXT} characters")
    return text


@lru_cache(maxsize=TABLES)
def compile_contexts(contexts: Contexts, key: tuple[str, ...]) -> Table:
    """The table of a whole document. Raises Malformed, and Unsupported for a context that is not in the set."""
    if not key:
        return Table(contexts, {}, {})
    # By way of the shorter list: documents of many kinds begin with the same contexts.
    return _extended(compile_contexts(contexts, key[:-1]), key[-1])


def extend(table: Table, key: tuple[str, ...]) -> Table:
    """The table inside an object that has contexts of its own. Raises Malformed and Unsupported."""
    for text in key:
        table = _extended(table, text)
    return table


@lru_cache(maxsize=TABLES)
def _extended(table: Table, text: str) -> Table:
    if has_scheme(text):  # JSON text has none
        return process_context(table, text)
    try:
        local = json.loads(text)
    except RecursionError:
        raise bad_context("nested too deeply") from None
    check_depth(local)
    return process_context(table, local)


@lru_cache(maxsize=TABLES)
def scoped(table: Table, text: str) -> Table:
    """json-ld11-api#expansion-algorithm, step 8: the table for the values of a term with a context of its own."""
    return process_context(table, json.loads(text), override=True)


@lru_cache(maxsize=TABLES)
def scoped_scalar(table: Table, text: str, name: str) -> tuple[Table, Coercion]:
    """json-ld11-api#expansion-algorithm, step 4.2: the same for a scalar, with what it becomes."""
    table = scoped(table, text)
    return table, table.coercion(name)


@lru_cache(maxsize=TABLES)
def typed(table: Table, active: Table, types: tuple[str, ...]) -> tuple[Table, tuple[str, ...]]:
    """json-ld11-api#expansion-algorithm, steps 10 and 11: the table for the members of a node, and its types as terms.

    ``table`` gives the types their meaning; ``active`` has the scopes of other names for ``@type`` already. Raises
    DroppedError for a type that is not an absolute IRI.
    """
    for name in sorted(types):
        term = table.terms.get(name)
        if term is not None and term.scope is not None:
            active = process_context(active, json.loads(term.scope), propagate=False)
    terms = tuple(absolute(table, name, vocab=True) for name in types)
    if any(term.startswith("_:") for term in terms):
        raise DroppedError("a blank node is no type")
    return active, terms


def process_context(
    active: Table, local: Json, *, override: bool = False, propagate: bool = True, remote: tuple[str, ...] = ()
) -> Table:
    """json-ld11-api#context-processing-algorithm. Raises Malformed, and Unsupported for an unknown context.

    ``remote`` are the URLs that led here. A context behind a URL inherits ``override``, as in PyLD and jsonld.js.
    """
    if isinstance(local, dict) and "@propagate" in local:
        propagate = boolean(local, "@propagate")
    result = active
    if not propagate and active.previous is None:
        result = replace(active, previous=active)
    for context in local if isinstance(local, list) else [local]:
        if context is None:
            result = _nullified(result, override=override, propagate=propagate)
        elif isinstance(context, str):
            result = _remote(result, context, override=override, remote=remote)
        elif isinstance(context, dict):
            result = _defined(result, _unwrapped(context), override=override, remote=bool(remote))
        else:
            raise bad_context("a context is a URL, an object or null")
    return result


def _unwrapped(context: dict[str, Json]) -> dict[str, Json]:
    """A context in an object of its own is that context: credentials in use have it so, because jsonld.js reads it so.
    It would drop what stood beside it, so nothing may."""
    inner = context.get("@context")
    return inner if len(context) == 1 and isinstance(inner, dict) else context


def _nullified(table: Table, *, override: bool, propagate: bool) -> Table:
    if not override and any(term.protected for term in table.terms.values()):
        raise bad_context("null would undo protected terms")
    return Table(table.contexts, {}, {}, previous=None if propagate else table.previous, cost=table.cost + 10)


def _remote(table: Table, url: str, *, override: bool, remote: tuple[str, ...]) -> Table:
    loaded = table.contexts.context(url)
    if url in remote or len(remote) >= MAX_CONTEXT_NESTING:
        raise bad_context(f"{url} includes itself, or nests too deeply")
    return process_context(table, loaded, override=override, remote=(*remote, url))


def _defined(table: Table, local: dict[str, Json], *, override: bool, remote: bool) -> Table:
    """json-ld11-api#context-processing-algorithm, steps 5.4 to 5.13: a context definition."""
    if "@version" in local and (local["@version"] != 1.1 or isinstance(local["@version"], bool)):
        raise bad_context("@version is 1.1")
    if "@import" in local:
        local = _imported(table.contexts, local)
    # A context that was fetched cannot move the document that it describes.
    base = _base(table, local["@base"]) if "@base" in local and not remote else table.base
    vocab = _vocab(table, base, local["@vocab"]) if "@vocab" in local else table.vocab
    protected = "@protected" in local and boolean(local, "@protected")
    made = Definitions(local, dict(table.terms), base, vocab, override, protected)
    made.define_all()
    if len(made.terms) > MAX_TERMS:
        raise bad_context(f"more than {MAX_TERMS} terms")
    return Table(
        table.contexts,
        made.terms,
        _aliases(table, made),
        base,
        vocab,
        nullable_text(local, "@language") if "@language" in local else table.language,
        direction(local) if "@direction" in local else table.direction,
        table.previous,
        table.cost + _cost(made),
    )


def _aliases(table: Table, made: Definitions) -> dict[str, str]:
    aliases = {name: keyword for name, keyword in table.aliases.items() if name not in made.defined}
    for name in made.defined:
        term = made.terms.get(name)
        if term is not None and term.iri is not None and term.iri in KEYWORDS:
            aliases[name] = term.iri
    return aliases


def _cost(made: Definitions) -> int:
    """A unit for each term, and for each hundred characters of the contexts that terms have; ten for the table."""
    scopes = (made.terms[name].scope for name in made.defined if name in made.terms)
    return 10 + len(made.defined) + sum(len(scope) for scope in scopes if scope) // 100


def _imported(contexts: Contexts, local: dict[str, Json]) -> dict[str, Json]:
    url = local["@import"]
    if not isinstance(url, str):
        raise bad_context("@import is a URL")
    loaded = contexts.context(url)
    if not isinstance(loaded, dict) or "@import" in loaded:
        raise bad_context(f"{url} is not one context definition")
    return {**loaded, **{name: value for name, value in local.items() if name != "@import"}}


def _base(table: Table, value: Json) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and has_scheme(value):
        return value
    if isinstance(value, str) and table.base is not None:
        return resolve(value, table.base)
    raise bad_context("@base is an absolute IRI or null")


def _vocab(table: Table, base: str | None, value: Json) -> str | None:
    if value is None:
        return None
    expanded = None
    if isinstance(value, str):
        expanded = expand_iri(replace(table, base=base), value, vocab=True, relative=True)
    if expanded is None:
        raise bad_context("@vocab is a string or null")
    return expanded
