"""Of the time that a thread wanted to run: how much of it it waited for a CPU."""

# Of less a share would tell nothing: a few ticks of the scheduler.
_LEAST_SECONDS = 0.02


def wait_share(run: float | None, wait: float | None) -> float | None:
    """The part of running and waiting that was waiting; None where both are next to nothing."""
    if wait is None:
        return None
    both = (run or 0.0) + wait
    return wait / both if both >= _LEAST_SECONDS else None
