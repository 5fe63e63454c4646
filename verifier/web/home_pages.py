"""Where one begins: the purposes, the checks of late; and whom this verifier trusts."""

from datetime import UTC, datetime

from aiohttp import web

from verifier.deps import DEPS, in_thread
from verifier.web.checks import Check, recent
from verifier.web.page import language, page
from verifier.web.state import trust_state
from work.purposes import PURPOSES


async def get_home(request: web.Request) -> web.StreamResponse:
    """A new check for a purpose, and the checks of late with the day of their erasing."""
    deps, lang = request.app[DEPS], language(request)
    checks = await in_thread(lambda: recent(deps))
    return page(
        request,
        "home",
        here="home",
        trust=await in_thread(lambda: trust_state(deps)),
        purposes=[(code, purpose.labels[lang]) for code, purpose in PURPOSES.items()],
        checks=[listed(one, lang) for one in checks],
    )


async def get_trust(request: web.Request) -> web.StreamResponse:
    """Which trust list is held, from when, and whom it names."""
    deps = request.app[DEPS]
    return page(request, "trust", here="trust", trust=await in_thread(lambda: trust_state(deps)))


def listed(check: Check, lang: str) -> dict[str, str]:
    """A check in a list."""
    purpose = PURPOSES.get(check.purpose)
    return {
        "id": check.id,
        "state": check.state,
        "reference": check.reference,
        "purpose": purpose.labels[lang] if purpose else check.purpose,
        "made": day_of(check.made),
        "erase": day_of(check.erase - 1),  # the last day on which it is kept
    }


def day_of(seconds: int) -> str:
    """The day of a moment, in UTC, as in ``2026-11-24``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
