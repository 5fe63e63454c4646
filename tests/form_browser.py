"""A browser as far as a login needs one: it keeps cookies, follows redirects by hand, and fills in forms."""

import html
import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientResponse, ClientSession, CookieJar


@dataclass
class Page:
    """What a browser shows: where it is, and the text."""

    url: str
    status: int
    text: str
    headers: dict[str, str]

    @property
    def form(self) -> tuple[str, dict[str, str]]:
        """Where the form goes, and the fields that are filled in."""
        inner = re.search(r"<form[^>]*action=\"([^\"]+)\"(.*?)</form>", self.text, re.DOTALL)
        assert inner is not None, self.text
        fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", inner.group(2)):
            name, value = (re.search(rf'\b{part}="([^"]*)"', tag) for part in ("name", "value"))
            if name is not None:
                fields[name.group(1)] = html.unescape(value.group(1)) if value else ""
        return urljoin(self.url, html.unescape(inner.group(1))), fields


@dataclass
class Browser:
    """One person's browser. It stops where it would leave the hosts of ``hosts``: there an app takes over."""

    session: ClientSession
    hosts: frozenset[str]
    left_for: str = ""
    seen: list[str] = field(default_factory=list)

    async def open(self, url: str, **more: str) -> Page:
        """Go to an address, and on to where it leads."""
        return await self._follow(await self.session.get(url, allow_redirects=False, headers=more))

    async def send(self, page: Page, **fields: str) -> Page:
        """Fill in the form of a page."""
        address, filled = page.form
        return await self._follow(await self.session.post(address, data={**filled, **fields}, allow_redirects=False))

    async def _follow(self, answer: ClientResponse) -> Page:
        for _ in range(20):
            self.seen.append(str(answer.url))
            if answer.status not in (301, 302, 303, 307, 308):
                break
            target = urljoin(str(answer.url), answer.headers["Location"])
            if urlsplit(target).netloc not in self.hosts:
                self.left_for = target
                break
            answer = await self.session.get(target, allow_redirects=False)
        return Page(str(answer.url), answer.status, await answer.text(), dict(answer.headers))


def new_session() -> ClientSession:
    """A session that keeps the cookies of hosts that are numbers, too."""
    return ClientSession(cookie_jar=CookieJar(unsafe=True))
