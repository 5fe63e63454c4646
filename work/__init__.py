"""The vocabulary of platform work: what is attested, and nothing about how it is signed."""

from work.contexts import CONTEXTS

__all__ = ["CONTEXTS"]
