"""Guardians: people who each keep one share, so that enough of them together open the wallet and fewer learn nothing.

SLIP-39 (:mod:`shamir_mnemonic`) over 256 random bits. The library takes its chance from the system by itself.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics  # type: ignore[import-untyped]
from shamir_mnemonic.wordlist import WORDLIST  # type: ignore[import-untyped]

from vc.errors import Finding, Malformed, Rejected

MAX_GUARDIANS: Final = 16  # what SLIP-39 counts to
MAX_SHARE: Final = 1 << 14  # bytes of a share's file
WORDS_IN_A_SHARE: Final = 33
RULE: Final = "-" * 20  # stands before and after the words in a share's file


def split(secret: bytes, *, of: int, need: int) -> tuple[str, ...]:
    """``of`` shares of a secret of 32 bytes, of which any ``need`` say it. Raises :class:`Malformed`."""
    if not 2 <= need <= of <= MAX_GUARDIANS:
        why = f"--need is at least 2, because one share alone must open nothing; --of is at most {MAX_GUARDIANS}"
        raise Malformed("--of, --need", why, code="BAD_COUNT")
    (shares,) = generate_mnemonics(1, [(need, of)], secret)
    return tuple(shares)


def combine(texts: Mapping[str, str]) -> bytes:
    """The secret that shares say, given as the text of each by the name of its file.

    Raises :class:`Rejected`: ``SHARE_MISSPELT``, ``SHARE_CHANGED``, ``SHARES_OF_TWO_SETS``, ``SHARE_TWICE``,
    ``TOO_FEW_SHARES``.
    """
    if not texts:
        raise _refused("TOO_FEW_SHARES", "no share was given")
    shares = {name: _parse(name, share_words(text)) for name, text in texts.items()}
    (first_name, first), *others = shares.items()
    seen = {first.index: first_name}
    for name, share in others:
        if share.group_parameters() != first.group_parameters():
            why = f"{name} and {first_name} do not belong together: they are of two wallets, or one set ended the other"
            raise _refused("SHARES_OF_TWO_SETS", why)
        if share.index in seen:
            raise _refused("SHARE_TWICE", f"{name} and {seen[share.index]} are the same share; each has another")
        seen[share.index] = name
    need = first.member_threshold
    if len(shares) < need:
        raise _refused("TOO_FEW_SHARES", f"{need} shares are needed, and these are {len(shares)}; ask more guardians")
    try:
        return bytes(combine_mnemonics([share.mnemonic() for share in list(shares.values())[:need]]))
    except MnemonicError:
        raise _refused("SHARES_OF_TWO_SETS", "these shares say nothing together; one is not of this set") from None


def share_words(text: str) -> list[str]:
    """The words of a share: those between the two rules in its file, or all, where somebody typed them."""
    lines = [line.strip() for line in text.splitlines()]
    rules = [number for number, line in enumerate(lines) if len(line) >= 5 and not line.strip("-")]
    within = lines[rules[0] + 1 : rules[1]] if len(rules) > 1 else lines
    return " ".join(within).lower().split()


def typed_shares(text: str) -> list[str]:
    """Shares that were typed or pasted one after the other: what stands between rules, or 33 words each."""
    lines = [line.strip() for line in text.splitlines()]
    rules = [number for number, line in enumerate(lines) if len(line) >= 5 and not line.strip("-")]
    if rules:
        pairs = zip(rules[::2], rules[1::2], strict=False)
        return [" ".join(lines[start + 1 : end]) for start, end in pairs]
    words = text.split()
    return [" ".join(words[at : at + WORDS_IN_A_SHARE]) for at in range(0, len(words), WORDS_IN_A_SHARE)]


def misspelt(words: Sequence[str]) -> tuple[tuple[int, str, str], ...]:
    """The words of a share that are not in the list: the place of each from 1, the word, and the nearest."""
    known = set(WORDLIST)
    wrong = [(at, word) for at, word in enumerate(words[:WORDS_IN_A_SHARE], 1) if word not in known]
    return tuple((at, word[:20], get_close_matches(word, WORDLIST, n=1, cutoff=0)[0]) for at, word in wrong)


def share_lines(share: str) -> list[str]:
    """A share as lines of four words, easy to copy by hand."""
    words = share.split()
    return [" ".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def _parse(name: str, words: Sequence[str]) -> Share:
    if len(words) != WORDS_IN_A_SHARE:
        raise _refused("SHARE_CHANGED", f"{name}: a share has {WORDS_IN_A_SHARE} words; here are {len(words)}")
    if wrong := misspelt(words):
        raise Rejected(tuple(Finding("SHARE_MISSPELT", f"{name}: {_told(*one)}") for one in wrong))
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        why = f"{name}: each of these is a word of the list, but one was read as another, or two have changed places"
        raise _refused("SHARE_CHANGED", why) from None
    if share.group_count != 1:
        raise _refused("SHARE_CHANGED", f"{name}: is a share of another program")
    return share


def _told(at: int, word: str, near: str) -> str:
    return f"word {at}, “{word}”, is not in the list of words; the nearest is “{near}”"


def _refused(code: str, message: str) -> Rejected:
    return Rejected((Finding(code, message),))
