"""The worker's own: credentials that only they can read, and the choice of what to show."""
