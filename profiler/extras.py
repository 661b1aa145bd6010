"""Packages that only some commands need, and that droidgrind does not install by itself."""

import shlex
import sys

from collectors.errors import UsageError


def not_installed(name: str, package: str) -> UsageError:
    """What to say of a package that is missing.

    The package itself is named, not an extra of droidgrind: that works from a checkout, a
    wheel and an installed version alike.
    """
    python = shlex.quote(sys.executable)
    return UsageError(
        f"this needs {name}, which is not installed with droidgrind: "
        f"`{python} -m pip install {package}` adds it"
    )
