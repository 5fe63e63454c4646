"""One module for each step. A step never changes once it was released: it holds its own copy of the tables."""
