"""Benchmarks: what we promise about speed, against its floor."""
