"""What protocol tests share: any JSON at all, and what a call answers to it."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from vc.oauth import OAuthRefusal

VALUE: Final = "value"
ANY_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def outcome(call: Callable[[], object]) -> str:
    """The code of the OAuth error that a call ends with, or VALUE. Any other exception leaves as it is."""
    try:
        call()
    except OAuthRefusal as refusal:
        return refusal.error
    return VALUE
