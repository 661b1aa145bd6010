"""Numbers in text, very many at once, by numpy: for the readers of large files.

The n-th last byte of every number is picked for all numbers of a text at once; few numbers
are longer than a digit or two.
"""

from typing import Any

import numpy as np

MOST_DIGITS = 18  # what surely fits int64
_INT32_DIGITS = 9
_ZERO = ord("0")

Array = Any  # numpy's arrays: their element types are in the names' documentation


def numbers(text: Array, separators: Array, chosen: Array) -> tuple[Array, Array | None]:
    """The numbers before the chosen separators, and which of them are numbers (None: all).

    `text` are bytes (uint8), `separators` the places of all separators in it (int32),
    `chosen` a bool for each. Signs, and more than `MOST_DIGITS` digits, make no number.
    """
    lengths = np.empty_like(separators)
    lengths[0] = separators[0]
    np.subtract(separators[1:], separators[:-1], out=lengths[1:])
    lengths[1:] -= 1
    lengths = lengths[chosen]
    ends = separators[chosen] - 1
    digits = text[ends] - np.uint8(_ZERO)
    few = int(lengths.max(initial=0)) <= _INT32_DIGITS
    values = digits.astype(np.int32 if few else np.int64)
    wrong = [np.flatnonzero((digits > 9) | (lengths == 0) | (lengths > MOST_DIGITS))]
    longer = np.flatnonzero(lengths > 1)
    ends = ends[longer]
    lengths = lengths[longer]
    for place in range(1, MOST_DIGITS):
        if not len(longer):
            break
        digits = text[ends - place] - np.uint8(_ZERO)
        values[longer] += digits.astype(values.dtype) * values.dtype.type(10**place)
        if digits.max() > 9:
            wrong.append(longer[digits > 9])
        more = lengths > place + 1
        longer, ends, lengths = longer[more], ends[more], lengths[more]
    if not any(map(len, wrong)):
        return values, None
    usable = np.ones(len(values), dtype=bool)
    for places in wrong:
        usable[places] = False
    return values, usable
