"""Telling another system what happened: a signed POST to an address that is guarded, and when to try again."""

import hmac
from typing import Final

from vc.errors import Undetermined
from vc.io.fetch import fetch

SIGNATURE: Final = "Ouvrage-Signature"
LONGEST_WAIT: Final = 3600  # seconds
TIMEOUT: Final = 10.0
MAX_ANSWER: Final = 1 << 16  # of which nothing is read


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The value of the header SIGNATURE: the moment of sending, and HMAC-SHA-256 over it and the body."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, 'sha256').hexdigest()}"


def wait(attempts: int) -> int:
    """Seconds until the next try: doubling, up to an hour."""
    return int(min(LONGEST_WAIT, 5 * 2 ** min(attempts, 16)))


async def send(url: str, body: bytes, *, secret: str, at: int, private: bool) -> None:
    """Send a signed body of JSON. Raises an error of ours where it was not taken."""
    headers = {"Content-Type": "application/json", SIGNATURE: signature(secret, body, at=at)}
    answer = await fetch(
        url, limit=MAX_ANSWER, private=private, method="POST", body=body, headers=headers, timeout=TIMEOUT
    )
    if not 200 <= answer.status < 300:
        raise Undetermined("the webhook", f"it answered {answer.status}", code=f"HTTP_{answer.status}")
