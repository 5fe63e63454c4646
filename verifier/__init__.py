"""Landlords, lenders, employers, other platforms: ask for what a purpose needs, check the answer offline."""
