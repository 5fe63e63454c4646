"""The one impure part of :mod:`vc`: files, the terminal, and the door to the network that verification keeps shut."""
