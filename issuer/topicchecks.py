"""What a row about a review, an insurance policy, training or a dispute has to hold to be understood, as SQL.

Rows that fail are rejected one by one, with the reason; statements are refused as a whole.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from issuer.canonical import COLUMNS, RELATIONS
from issuer.profile import FileKind

# One line, with nothing in it that moves the cursor or hides; as the schemas have it for words of a platform.
_HIDDEN: Final = r"\x00-\x1f\x7f-\x9f\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}"
_DIGEST: Final = "uEi[A-Za-z0-9_-]{44}"


def _line(most: int, apart: str = "") -> str:
    """The pattern of a line; ``apart`` is what may not be in it."""
    return rf"[^ !~\x{{a0}}{apart}{_HIDDEN}][^{apart}{_HIDDEN}]{{0,{most - 1}}}"


def _plain(column: str, most: int) -> tuple[str, str]:
    why = f"{column} is not one line of at most {most} characters, or begins with a space, ! or ~"
    return why, f"NOT regexp_full_match({column}, '{_line(most)}')"


def _not_below_zero(column: str) -> tuple[str, str]:
    return f"{column} is below zero", f"{column} < 0"


def _in_this_age(column: str) -> tuple[str, str]:
    return f"{column} is before 1990 or after 2099", f"year({column}) NOT BETWEEN 1990 AND 2099"


def _is_digest(column: str) -> tuple[str, str]:
    return f"{column} is not the fingerprint of a statement", f"NOT regexp_full_match({column}, '{_DIGEST}')"


# For each relation: the reasons for rejecting a row, and when; columns that a file does not have are NULL.
_CHECKS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "reviews": (
            (
                "language is not a tag such as fr or en-GB",
                "NOT regexp_full_match(language, '[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}')",
            ),
        ),
        "insurances": (
            ("the cover ends before it begins", "cover_from > cover_to"),
            ("the cover of one mission only, without the mission", "scope = 'missionOnly' AND job IS NULL"),
            (
                "territory is not country codes of two letters",
                "NOT regexp_full_match(territory, '[A-Z]{2}( [A-Z]{2})*')",
            ),
            (
                "kind is not activities of at most 200 characters each",
                f"NOT regexp_full_match(kind, '{_line(200, ';')}(;[ ]?{_line(200, ';')})*')",
            ),
            *map(_in_this_age, ("cover_from", "cover_to")),
            *map(_not_below_zero, ("ceiling_claim", "ceiling_year", "deductible", "jobs_up_to")),
            *(_plain(column, 200) for column in ("insurer", "tier", "achievement")),
            *(_plain(column, 64) for column in ("legal_id", "policy", "level")),
        ),
        "training": (
            (
                "a contribution without its amount, or without currency",
                "kind IN ('cfp', 'cpf') AND (amount IS NULL OR currency IS NULL)",
            ),
            ("training without its title", "kind IN ('vae', 'training') AND title IS NULL"),
            _plain("title", 200),
        ),
        "outcomes": (
            *map(_is_digest, ("about", "replaces")),
            (
                "a statement in the place of one that was not corrected",
                "replaces IS NOT NULL AND ended <> 'corrected'",
            ),
            ("a statement in its own place", "replaces = about"),
        ),
    }
)


def topic_checks(kind: FileKind, relation: str) -> Iterator[tuple[str, str]]:
    """The reasons why rows of a file are not understood as rows of ``relation``, each with its SQL condition."""
    lacking = [name for name in RELATIONS[relation].columns if name not in kind.columns]
    for reason, when in (*_CHECKS.get(relation, ()), *_empty_review(kind, relation)):
        for name in lacking:
            when = re.sub(rf"(?<!')\b{name}\b(?!')", f"CAST(NULL AS {COLUMNS[name]})", when)  # noqa: PLW2901
        yield reason, f"({kind.feeds[relation]}) AND ({when})"


def _empty_review(kind: FileKind, relation: str) -> Iterator[tuple[str, str]]:
    if relation == "reviews":
        columns = ("value", "body", *(f"aspect_{name}" for name in kind.aspects))
        yield "a review without rating and without text", " AND ".join(f"{column} IS NULL" for column in columns)
