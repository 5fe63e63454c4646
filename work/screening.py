"""What in a free text names a person or leads to one: found before the text is signed, for what is signed cannot be
taken back.

Numbers and addresses are found by their form and, where they have one, by their checksum. Names are language: they are
found where the platform gives them, behind a title, and where the writing shows them (:mod:`work.names`). Every search
takes time in proportion to the text, whatever the text is: patterns have bounds on every repetition, or are tried only
at places that a single character marks.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

from work.names import given_names, written_names

_MASK: Final = "•"


class Kind(StrEnum):
    """What was found; the value is how it is told, behind "holds"."""

    hidden = "a character that nobody sees"
    email = "an e-mail address"
    phone = "a phone number"
    link = "a link to a person's page"
    handle = "a user name"
    account = "a bank account number"
    card = "a card number"
    identity = "a social security number"
    address = "a street address or a door code"
    name = "a person's name"


@dataclass(frozen=True, slots=True)
class Found:
    """``text[start:end]`` of a text names a person or leads to one."""

    kind: Kind
    start: int
    end: int


def findings(text: str, *, names: Iterable[str] = ()) -> tuple[Found, ...]:
    """All that is found in ``text``, in its order. ``names`` are people whom it must not name: the client, the worker.

    Whoever is among ``names`` is found whatever the case and the accents; other names only where the writing shows
    that they are some.
    """
    plain = _plain(text)
    found = [
        *_hidden(text),
        *_emails(plain),
        *_handles(plain),
        *_links(plain),
        *_phones(plain),
        *_accounts(plain),
        *_cards(plain),
        *_identities(plain),
        *_addresses(plain),
        *(Found(Kind.name, start, end) for start, end in given_names(plain, names)),
        *(Found(Kind.name, start, end) for start, end in written_names(plain)),
    ]
    return tuple(sorted(set(found), key=lambda one: (one.start, one.end, one.kind)))


def described(found: Sequence[Found]) -> str:
    """What was found, in words that repeat nothing of it: "an e-mail address and a phone number"."""
    there = {one.kind for one in found}
    *others, last = [kind.value for kind in Kind if kind in there]
    return f"{', '.join(others)} and {last}" if others else last


def masked(text: str, one: Found) -> str:
    """What was found, with its first letter or digit and all marks between, so that it can be found again."""
    shown = text[one.start : one.end]
    first = next((place for place, character in enumerate(shown) if character.isalnum()), 0)
    return shown[: first + 1] + "".join(_MASK if each.isalnum() else each for each in shown[first + 1 :])


def flat(text: str) -> str:
    """A text on one line: line breaks and rows of spaces become one space, as they are layout and not words."""
    return " ".join(text.split())


def _plain(text: str) -> str:
    """The text with every character in its plain form, and no character more or less: ＠ is @, all spaces are one."""
    return text if text.isascii() else "".join(map(_plain_character, text))


@lru_cache(maxsize=4096)
def _plain_character(character: str) -> str:
    kind = category(character)
    if kind == "Zs":
        return " "
    if kind == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    if kind == "Nd":
        return str(int(character))
    plain = normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def _hidden(text: str) -> Iterator[Found]:
    for place, character in enumerate(text):
        if category(character) in ("Cc", "Cf", "Co", "Cs") and character not in "\t\n\r":
            yield Found(Kind.hidden, place, place + 1)


# --- addresses on the net ---

_LOCAL: Final = frozenset("._%+-")
_AT: Final = re.compile(
    r"[(\[{<] {0,2}(?:at|arobase|arobas|a commercial) {0,2}[)\]}>]|(?<=\w) arobase (?=\w)", re.IGNORECASE
)
_MAIL_HOST: Final = re.compile(
    r"\b(?:gmail|hotmail|outlook|yahoo|icloud|protonmail|wanadoo|laposte|orange|free|sfr)"
    r" {0,2}(?:\.|\bdot\b|\bpoint\b) {0,2}(?:com|fr|net|co|me)\b",
    re.IGNORECASE,
)
_OWN_SITE: Final = frozenset({"orange", "free", "sfr", "yahoo", "laposte", "outlook"})  # a site of theirs is no address
_HANDLE: Final = re.compile(r"(?<![\w@.])@[A-Za-z][\w.-]{1,60}")
_NETWORK: Final = re.compile(
    r"\b(?:insta|instagram|snap|snapchat|telegram|tiktok|twitter|facebook|fb|messenger|linkedin|skype|discord|signal)"
    r" {0,2}[:=] {0,2}(?=[\w.@-]{0,60}\w)[\w.@-]{3,60}",
    re.IGNORECASE,
)
_URL: Final = re.compile(
    r"[(\[<\"'«]{0,3}(?P<scheme>https?://)?(?P<user>[^\s/@:]{1,64}(?::[^\s/@]{0,64})?@)?"
    r"(?P<host>(?:[\w-]{1,63}\.){1,6}[A-Za-z]{2,12})(?::\d{1,5})?(?P<path>/\S{0,400})?",
    re.IGNORECASE,
)
_SOCIAL: Final = frozenset(
    {
        *("facebook", "instagram", "linkedin", "twitter", "x", "tiktok", "snapchat", "t", "telegram", "wa", "whatsapp"),
        *("youtube", "github", "gitlab", "behance", "dribbble", "medium", "pinterest", "reddit", "discord", "vk"),
        "linktr",
    }
)
_PERSONAL: Final = re.compile(
    r"/(?:@|~)\w|/(?:in|u|user|users|profile|profil|people|member|membres?|pub)/\w", re.IGNORECASE
)


def _emails(text: str) -> Iterator[Found]:
    for place in _places(text, "@"):
        start, end = place, place + 1
        while start > 0 and (text[start - 1].isalnum() or text[start - 1] in _LOCAL) and place - start < 64:
            start -= 1
        while end < len(text) and (text[end].isalnum() or text[end] in "-.") and end - place < 254:
            end += 1
        host = text[place + 1 : end].rstrip(".-")
        if start < place and "." in host and host.rpartition(".")[2].isalpha():
            yield Found(Kind.email, start, place + 1 + len(host))
    for match in _AT.finditer(text):
        yield Found(Kind.email, *match.span())
    for match in _MAIL_HOST.finditer(text):
        if text[match.start() : match.end()].casefold().split(".")[0] not in _OWN_SITE:
            yield Found(Kind.email, *match.span())


def _places(text: str, character: str) -> Iterator[int]:
    place = text.find(character)
    while place >= 0:
        yield place
        place = text.find(character, place + 1)


def _handles(text: str) -> Iterator[Found]:
    for match in _HANDLE.finditer(text):
        yield Found(Kind.handle, *match.span())
    for match in _NETWORK.finditer(text):
        yield Found(Kind.handle, *match.span())


def _links(text: str) -> Iterator[Found]:
    for token in re.finditer(r"\S+", text):
        match = _URL.match(text, token.start(), token.end())
        if match and _is_personal(match):
            yield Found(Kind.link, *match.span())


def _is_personal(link: re.Match[str]) -> bool:
    path = link["path"] or ""
    if link["user"] and link["scheme"]:
        return True
    social = not _SOCIAL.isdisjoint(link["host"].casefold().split(".")[:-1]) and len(path) > 1
    return social or _PERSONAL.search(path) is not None


# --- numbers ---

_PHONE: Final = re.compile(r"(?<![\w.,+])(?:\+|00)?\(?\d(?:[ .()/-]{0,3}\d){7,16}(?!\d)")
_GROUPS: Final = frozenset(
    {
        *("4 3 3", "2 3 3 2", "2 3 2 3", "1 1 2 2 2 2", "3 3 4", "1 1 1 1 1 1 1 1 1 1", "5 5", "3 3 2 2"),
        *("11", "5 6", "5 3 3", "3 4 4", "4 3 4", "4 7", "5 2 2 2"),  # eleven digits: Great Britain
    }
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d\Z")
_AMERICAN: Final = re.compile(r"\(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}\Z")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2} ?\d{2}(?:[ .-]{0,2}[A-Za-z0-9]){11,30}")
# How long an account number is in each country (the registry of ISO 13616).
_IBAN_LENGTH: Final = {
    code: int(length)
    for length, codes in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FO GL NL",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "PT",
        "26": "IS TR",
        "27": "FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB PL SV",
        "29": "BR PS QA UA",
        "30": "JO KW MU",
        "31": "MT SC",
    }.items()
    for code in codes.split()
}
_CARD: Final = re.compile(
    r"(?<![\w.,])[2-6]\d{3}(?:[ .-]?\d{4}){2}(?:[ .-]?\d{1,7})(?!\d)|(?<!\w)3\d{3} ?\d{6} ?\d{5}(?!\d)"
)
_NIR: Final = re.compile(r"(?<!\w)[12] ?\d{2} ?\d{2} ?\d[\dABab] ?\d{3} ?\d{3} ?\d{2}(?!\d)")


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        if _is_phone(match.group()):
            yield Found(Kind.phone, *match.span())


def _is_phone(written: str) -> bool:
    """By its digits and by how they are grouped: a date with a time has as many digits as a phone number."""
    digits = re.sub(r"\D", "", written)
    if written.startswith("+"):
        return 8 <= len(digits) <= 16 and digits[0] != "0"
    if written.startswith("00"):
        return 10 <= len(digits) <= 17 and digits[2] != "0"
    if _AMERICAN.match(written):
        return True
    groups = re.findall(r"\d+", written)
    if digits[0] != "0" or digits[1] == "0" or len(digits) not in (10, 11) or "(" in written:
        return False
    in_pairs = all(len(group) % 2 == 0 for group in groups) and not any(map(_YEAR.match, groups[1:]))
    return in_pairs or " ".join(str(len(group)) for group in groups) in _GROUPS


def _accounts(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTH.get(match.group()[:2].upper(), 0)
        places = [place for place in range(*match.span()) if text[place].isalnum()][:length]
        number = "".join(text[place] for place in places).upper()
        if length and len(number) == length and _remainder(number[4:] + number[:4]) == 1:
            yield Found(Kind.account, match.start(), places[-1] + 1)


def _remainder(number: str) -> int:
    """ISO 7064, modulo 97."""
    return int("".join(str(int(character, 36)) for character in number)) % 97


def _cards(text: str) -> Iterator[Found]:
    for match in _CARD.finditer(text):
        digits = [int(digit) for digit in match.group() if digit.isdigit()]
        if 14 <= len(digits) <= 19 and _luhn(digits) % 10 == 0:
            yield Found(Kind.card, *match.span())


def _luhn(digits: Sequence[int]) -> int:
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return sum(digits[-1::-2]) + sum(doubled)


def _identities(text: str) -> Iterator[Found]:
    """French social security numbers, by their key."""
    for match in _NIR.finditer(text):
        number = match.group().replace(" ", "").upper()
        body = number[:-2].replace("2A", "19").replace("2B", "18")
        if body.isdigit() and int(body) % 97 == 97 - int(number[-2:]):
            yield Found(Kind.identity, *match.span())


# --- places ---

_NUMBER: Final = r"(?<![\w.,/:-])\d{1,4} ?(?:bis|ter|quater|[A-Da-d])? ?,? ?"
_FRENCH: Final = re.compile(
    _NUMBER + r"(?:rue|avenue|av\.?|boulevard|bd\.?|bld\.?|impasse|all[ée]e|chemin|quai|faubourg|fbg|sente)"
    r" (?!d['’]ici\b|de (?:chez|là)\b|plus\b|trop\b)(?:\w|l['’]|d['’])",
    re.IGNORECASE,
)
_FRENCH_PLACE: Final = re.compile(
    _NUMBER + r"(?:[Pp]lace|[Ss]quare|[Rr]oute|[Rr][ée]sidence|[Ee]splanade|[Pp]romenade|[Cc]ours)"
    r" (?:(?:de la|de l['’]|des|du|de|d['’]) ?)?[A-ZÀ-Þ]\w"
)
_ENGLISH: Final = re.compile(
    r"(?<![\w.,/:-])\d{1,5}[A-Za-z]?,? (?:[A-Z][\w'’.-]{1,30} ){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Court|Square|Boulevard|Blvd|Terrace|Crescent|Close|Row|Mews)\b"
)
_POSTCODE: Final = re.compile(
    r"(?<![\w.,-])(?:0[1-9]|[1-8]\d|9[0-8])\d{3} (?!(?:EUR|USD|GBP|CHF|Euros?|Dollars?)\b)[A-ZÀ-Þ][\w'’-]{2,}"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b"
)
_DOOR: Final = re.compile(
    r"\b(?:digicode|interphone|door code|gate code|entry code|code (?:de )?(?:la )?(?:porte|portail)"
    r"|code d['’]entr[ée]e)"
    r"\W{1,4}(?:(?:est|is|no|n°)\W{1,3})?(?=\w{0,8}\d)\w{2,9}",
    re.IGNORECASE,
)


def _addresses(text: str) -> Iterator[Found]:
    for pattern in (_FRENCH, _FRENCH_PLACE, _ENGLISH, _POSTCODE, _DOOR):
        for match in pattern.finditer(text):
            yield Found(Kind.address, *match.span())
