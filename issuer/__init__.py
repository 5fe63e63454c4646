"""What a platform runs: its records become statements, its statements become credentials."""
