"""What may be asked for a purpose, as boxes to tick and steps to choose, from expected to out of bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from vc.io.form import Form
from work.ladders import rung
from work.purposes import Judgement, Purpose, judge, law
from work.types import TYPES, StatementType
from work.wording import explain, label, say

TICK: Final = "ask."
STEP: Final = "step."


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be asked: a box, or where there are ``steps`` (a value and what it says), one of them."""

    name: str
    label: str
    hint: str
    steps: tuple[tuple[str, str], ...]
    chosen: str  # "on" of a box; the value of a step

    @property
    def field(self) -> str:
        """Its name in the form."""
        return (STEP if self.steps else TICK) + self.name


@dataclass(frozen=True, slots=True)
class Group:
    """Choices that a purpose looks at in the same way, each under its law where the pack names one."""

    judgement: Judgement
    choices: tuple[Choice, ...]
    laws: tuple[str, ...]


def groups(purpose: Purpose, lang: str, form: Form | None = None) -> tuple[Group, ...]:
    """Everything that workers have statements on, with what was chosen in ``form``."""
    fields = form.fields if form else {}
    found: dict[Judgement, list[tuple[Choice, str]]] = {each: [] for each in Judgement}
    for kind in TYPES.values():
        if (kind.about, kind.signer) == ("worker", "issuer"):
            for claim in _claims(kind):
                one = _choice(kind, claim, lang, fields)
                found[judge(purpose, kind.name, claim)].append((one, law(purpose, kind.name, claim, lang)))
    return tuple(
        Group(judgement, tuple(one for one, _ in several), tuple(dict.fromkeys(text for _, text in several)))
        for judgement, several in found.items()
        if several
    )


def chosen(form: Form) -> tuple[str, ...]:
    """What was chosen, as ``ouvrage verifier request --claim`` spells it."""
    ticked = [name.removeprefix(TICK) for name in form.fields if name.startswith(TICK)]
    steps = [
        f"{name.removeprefix(STEP)}>={value}" for name, value in form.fields.items() if name.startswith(STEP) and value
    ]
    return (*ticked, *steps)


def _claims(kind: StatementType) -> Iterator[str]:
    """The statement as such, with what is always shown; and each claim that is shown only where it is chosen."""
    yield ""
    yield from (claim.name for claim in kind.claims.values() if not claim.mandatory)


def _choice(kind: StatementType, name: str, lang: str, fields: Mapping[str, str]) -> Choice:
    full = f"{kind.name}.{name}" if name else kind.name
    named = label(kind.name, lang, name) if name else label(kind.name, lang)
    claim = kind.claims.get(name)
    steps = tuple((str(step), say(kind.name, name, (rung(step),), lang)) for step in claim.ladder) if claim else ()
    chosen = fields.get((STEP if steps else TICK) + full, "")
    text = explain(kind.name, lang, name) if name else explain(kind.name, lang)
    return Choice(full, f"{label(kind.name, lang)} – {named}" if name else named, text, steps, chosen)
