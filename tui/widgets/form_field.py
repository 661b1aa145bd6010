"""The parts of a form: texts with what is wrong in them below, and choices."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Checkbox, Input, RadioButton, Static

from tui.widgets.frame_lines import TextLine


class FormField(Vertical):
    """One text to be typed. The line below it appears only where something is wrong."""

    DEFAULT_CSS = """
    FormField { height: auto; }
    FormField Horizontal { height: 1; }
    FormField .label { width: 20; color: $dg-dim; }
    FormField Input { width: 1fr; }
    FormField Input:focus { background: $panel; }
    FormField TextLine { display: none; margin-left: 19; }
    FormField.-wrong TextLine { display: block; }
    """

    def __init__(self, name: str, label: str, value: str, hint: str = "") -> None:
        super().__init__(id=f"field-{name}")
        self._label = label
        self._input = Input(value, placeholder=hint, id=name, compact=True)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, markup=False, classes="label")
            yield self._input
        yield TextLine()

    @property
    def value(self) -> str:
        return self._input.value

    def ask(self, label: str, hint: str) -> None:
        """Ask for something else."""
        self.query_one(".label", Static).update(label)
        self._input.placeholder = hint

    def suggest(self, words: list[str]) -> None:
        """Complete what is typed to one of these; the right arrow takes it."""
        self._input.suggester = SuggestFromList(words, case_sensitive=False)

    def blame(self, problem: str | None, severity: str = "error") -> None:
        """Say what is wrong, or that nothing is."""
        self.set_class(problem is not None, "-wrong")
        self.query_one(TextLine).say(problem or "", severity if problem else "")


class Tick(Checkbox):
    """A choice that reads without colours: `[x]` or `[ ]`."""

    BUTTON_LEFT = BUTTON_RIGHT = ""
    BUTTON_INNER = "[ ]"

    def render(self) -> Content:
        return _marked(self, "[x]" if self.value else self.BUTTON_INNER)


class OneOf(RadioButton):
    """One choice of several: `(*)` or `( )`."""

    BUTTON_LEFT = BUTTON_RIGHT = ""
    BUTTON_INNER = "( )"

    def render(self) -> Content:
        return _marked(self, "(*)" if self.value else self.BUTTON_INNER)


def _marked(button: Checkbox | RadioButton, mark: str) -> Content:
    style = button.get_visual_style("toggle--label")
    return Content.assemble(mark, button.label.pad(1, 1).stylize_before(style))
