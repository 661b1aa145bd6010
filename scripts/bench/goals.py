"""A line for each figure of a bench: what was measured, its goal, and whether it is met."""


class Goals:
    """Prints figures, and remembers which missed their goal (more is worse)."""

    def __init__(self) -> None:
        self._given = 0
        self._missed: list[str] = []

    def line(
        self,
        what: str,
        figure: float,
        unit: str = "s",
        *,
        goal: float | None = None,
        peer: str = "",
    ) -> None:
        verdict = ""
        if goal is not None:
            self._given += 1
            met = figure <= goal
            verdict = f"  goal {goal:g} {unit}: {'met' if met else 'MISSED'}"
            if not met:
                self._missed.append(what)
        print(f"  {what:<46} {figure:9.3f} {unit}{verdict}{peer}", flush=True)

    def summary(self) -> int:
        """Print how many goals were met; the exit status."""
        if self._missed:
            print(
                f"{len(self._missed)} of {self._given} goals missed: {', '.join(self._missed)}"
            )
        else:
            print(f"all {self._given} goals met")
        return 1 if self._missed else 0
