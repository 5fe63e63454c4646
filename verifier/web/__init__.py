"""``ouvrage verifier serve`` for people without a terminal: pages in one's own browser (docs/verifier-web.md)."""
