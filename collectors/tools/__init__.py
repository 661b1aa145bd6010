"""Tools: how each is started, which files it leaves, and which reader reads them."""
