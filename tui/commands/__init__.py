"""One module a command: the docstring of its class is its help.

Each module holds an instance named COMMAND and imports what it needs when it runs, so that
the help of all commands costs nothing of it.
"""
