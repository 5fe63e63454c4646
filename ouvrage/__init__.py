"""The one command, ``ouvrage``, and the demo that tells the whole story."""
