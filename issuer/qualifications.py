"""From the qualifications of workers to statements: one for each worker and achievement, by its newest row."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from issuer.engine import Engine
from issuer.frame import Frame, make, month_of
from issuer.profile import Constants
from issuer.records import rows
from work.statement import Statement


def qualifications(engine: Engine, at: Frame) -> Iterator[Statement]:
    """The Qualification statements of a run, by worker and then by achievement."""
    constants = at.profile.statements["Qualification"]
    for worker, achievement, level, until in rows(engine, _QUALIFICATIONS):
        claims = {
            **at.common(),
            "achievementName": achievement,
            "achievementDescription": achievement,  # Open Badges needs one; a profile may say more
            **_always(constants),
            **_reached(constants, level),
            **_until(constants, until),
        }
        yield make("Qualification", worker, claims)


def _always(constants: Constants) -> Constants:
    """What a profile says of everybody, but for the scale, which says nothing without a level on it."""
    return {name: value for name, value in constants.items() if not name.startswith("expertise")}


def _reached(constants: Constants, level: str | None) -> Constants:
    """The level: on the scale of expertise that the profile names, or else in the platform's words."""
    if level is None:
        return {}
    if "expertiseScheme" not in constants:
        return {"level": level}
    return {name: constants[name] for name in constants if name.startswith("expertise")} | {"expertiseLevel": level}


def _until(constants: Constants, until: date | None) -> Constants:
    if until is None:
        return {}
    return {"schoolLabelValidUntil" if "schoolLabelledBy" in constants else "heldUntil": month_of(until)}


# Of rows of one day, the one that says most and lasts longest: the order of rows in a file decides nothing.
_QUALIFICATIONS: Final = """
    SELECT worker, achievement, level, "until"
    FROM qualifications
    QUALIFY row_number() OVER (
        PARTITION BY worker, achievement ORDER BY day DESC, "until" DESC NULLS LAST, level DESC NULLS LAST) = 1
    ORDER BY worker, achievement"""
