"""A function before and after."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LineDelta:
    """Estimated cycles of a source line before and after; a line of None is not there."""

    file: str
    was_line: int | None
    line: int | None
    before: int
    after: int

    @property
    def delta(self) -> int:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Moved:
    """Costs whose source lines stayed, but that another function is charged with.

    `outward` is True where they left this function for `function`.
    """

    function: str
    file: str
    outward: bool
    counts: tuple[int, ...]
    cycles: int


@dataclass(slots=True)
class FunctionDelta:
    """A function before and after, one count an event; None: it is not there.

    `was_file` is the baseline's file where that is another. `moved` are costs that came from
    other functions or went to them by inlining alone, and no change of the program.
    """

    function: str
    file: str
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None
    cycles: tuple[int, int]
    was_file: str | None = None
    moved: list[Moved] = field(default_factory=list[Moved])
    lines: list[LineDelta] = field(default_factory=list[LineDelta])

    @property
    def delta(self) -> int:
        """Change of estimated cycles."""
        return self.cycles[1] - self.cycles[0]

    @property
    def own_delta(self) -> int:
        """Change of estimated cycles without what only moved between functions."""
        return self.delta - sum(m.cycles * (-1 if m.outward else 1) for m in self.moved)

    def change(self, event: int) -> int:
        before = 0 if self.before is None else self.before[event]
        after = 0 if self.after is None else self.after[event]
        return after - before
