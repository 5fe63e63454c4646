"""Cryptosuites: one file or one row each."""
