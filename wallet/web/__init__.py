"""``ouvrage wallet serve``: the wallet as pages in the worker's own browser, on the worker's own machine."""
