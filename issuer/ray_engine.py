"""Batches through a Ray cluster: the same function as the pool's, in actors. Needs the extra ``bulk``.

Only the command that started the run knows the database: actors get batches and give them back signed. One that dies
is started again, elsewhere if need be, and its batch is signed again.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from issuer.bulk import Columns
from issuer.pool import WAITING, Done, Work
from vc.errors import Malformed, Undetermined, Unsupported
from vc.io.options import LOOPBACK

PREFIX: Final = "ray"
SHARE: Final = 0.5  # of a core for each actor: whole ones would leave Ray's own work none on a small machine


def check_engine(text: str) -> str:
    """``ray://HOST:PORT``, or ``ray``: a cluster of this machine alone, for this run. Raises :class:`Malformed`."""
    if text == PREFIX or (text.startswith(f"{PREFIX}://") and re.fullmatch(r"[!-~]{7,255}", text)):
        return text
    raise Malformed("--engine", "ray, or ray://HOST:PORT", code="USAGE")


def on_ray(batches: Iterator[Columns], *, work: Work, address: str, actors: int) -> Iterator[Done]:
    """Batches as they are ready, no more than WAITING for each actor at a time.

    Raises :class:`Undetermined` where the cluster cannot be reached or is lost; what was yielded is done.
    """
    with _cluster(address, actors) as ray:
        made = ray.remote(num_cpus=SHARE, max_restarts=-1, max_task_retries=-1)(Signer)
        idle = [made.remote(work) for _ in range(actors)] * WAITING
        running: dict[Any, tuple[Any, Columns]] = {}
        for batch in batches:
            actor = idle.pop()
            running[actor.sign.remote(dict(batch))] = actor, batch
            if not idle:
                yield _next(ray, running, idle)
        while running:
            yield _next(ray, running, idle)


class Signer:
    """What an actor is: a process with the keys."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def sign(self, batch: Columns) -> Columns:
        """One batch."""
        return self._work(batch)


def _next(ray: Any, running: dict[Any, tuple[Any, Columns]], idle: list[Any]) -> Done:
    (ready,), _ = ray.wait(list(running), num_returns=1)
    actor, batch = running.pop(ready)
    idle.append(actor)
    return batch, ray.get(ready)


@contextmanager
def _cluster(address: str, actors: int) -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nobody is told that, or what, we sign
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # noqa: PLC0415  (an extra)
        from ray.exceptions import RayError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise Unsupported("engine", "Ray needs: pip install 'ouvrage[bulk]'") from None
    own: dict[str, Any] = (
        {}
        if address != PREFIX
        else {"num_cpus": max(1, actors), "include_dashboard": False, "_node_ip_address": LOOPBACK}
    )
    try:
        ray.init(address="local" if address == PREFIX else address, log_to_driver=False, configure_logging=False, **own)
    except (RayError, ConnectionError, RuntimeError, ValueError, OSError):
        raise Undetermined("the Ray cluster cannot be reached", "see that it runs", code="ENGINE_GONE") from None
    try:
        yield ray
    except RayError as error:
        raise Undetermined(
            f"the Ray cluster was lost ({type(error).__name__})", "run the command again", code="ENGINE_GONE"
        ) from None
    finally:
        ray.shutdown()
