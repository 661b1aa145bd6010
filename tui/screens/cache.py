"""What the code costs: functions, files and modules, down to the annotated source line."""

from collections.abc import Iterable, Mapping
from typing import ClassVar
from urllib.parse import parse_qs

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from collectors.records.cost import UNKNOWN
from profiler.aggregate.cost_table import CostTable, Grouping
from profiler.figures import plural
from profiler.functions import short_name
from profiler.store import Session
from tui.editor import open_in_editor
from tui.screens.cache_data import (
    NO_MODULES,
    Annotated,
    CostContent,
    annotated,
    line_costs,
    missing_source,
    read_costs,
)
from tui.screens.cache_listings import SORTED_BY, CostRun, Listing, summed_up
from tui.screens.session_screen import SessionScreen
from tui.text import as_title, printable
from tui.widgets.filter_input import FilterInput
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable
from tui.widgets.source_view import SourceView
from tui.widgets.weights_input import WeightsInput
from tui.workers import run_in_thread

_SETTLE_SECONDS = 0.08  # a file is read when the cursor rests on a row
_AHEAD_SECONDS = 0.5  # after the first paint, what a key may ask for next is made
_NAMES = {Grouping.FUNCTION: "functions", Grouping.FILE: "files", Grouping.MODULE: "modules"}


class CacheScreen(SessionScreen[CostContent]):
    """The table on the left, the source of the row under the cursor on the right."""

    mode_name = "cache"
    empty = "No cache data: record with -t cachegrind."
    help_text = (
        "What the code costs. Counts are exact, but cache misses are simulated: they are not "
        "those of the device's own caches. Estimated cycles weigh the events (w changes the "
        "weights): a rule of thumb to rank by, not a time. Rates are misses for each access. "
        "Enter shows the source over the whole screen with every event, Esc goes back; n goes "
        "to the next hot line. The gutter is by the share of the file's hottest line: "
        "██ from 50 %, ▓▓ from 20 %, ▒▒ from 5 %, ░░ less."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("g", "group", "Functions/files/modules"),
        Binding("o", "edit", "Editor"),
        Binding("w", "weights", "Weights"),
        Binding("t", "tool", "Next tool", show=False),
        Binding("escape", "back", "Back", key_display="Esc", show=False),
    ]
    DEFAULT_CSS = """
    CacheScreen #cache-costs { width: 11fr; }
    CacheScreen #cache-lines { width: 9fr; }
    CacheScreen.-narrow #cache-lines { display: none; }
    CacheScreen #cache-costs.-away { display: none; }
    CacheScreen #cache-lines.-alone { display: block; }
    CacheScreen LineTable { height: 1fr; scrollbar-size-vertical: 1; }
    CacheScreen #cache-name { height: 2; color: $dg-dim; }
    CacheScreen #cache-note { height: auto; max-height: 3; color: $dg-dim; }
    CacheScreen.-low #cache-name { display: none; }
    CacheScreen.-low #cache-note { max-height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]
        self.place = 0
        self.listing: Listing | None = None
        self.file: Annotated | None = None
        self._zoomed = False
        self._beside = 0  # how wide the source is beside the table
        self._line: int | None = None
        self._present: object = None  # what the source view shows
        self._files_asked = 0

    def compose_content(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="cache-costs", classes="box"):
                yield LineTable(
                    (),
                    frozen=1,
                    empty="nothing matches the filter",
                    leads=True,
                    widget_id="cache-table",
                )
                yield FilterInput(widget_id="cache-filter")
                yield WeightsInput(widget_id="cache-weights")
                yield Static("", markup=False, id="cache-name")
                yield Static("", markup=False, id="cache-note")
            with Vertical(id="cache-lines", classes="box"):
                yield Notice(id="cache-missing")
                yield SourceView(widget_id="cache-source")

    def read(self, session: Session) -> CostContent | None:
        return read_costs(session)

    def show(self, content: CostContent) -> None:
        self.place = 0
        self._list(Grouping.FUNCTION)
        self._table.focus()
        self.set_timer(_AHEAD_SECONDS, self._prepare)

    def _prepare(self) -> None:
        """What `g` and the filter would take long for is made before they are asked for."""
        if (content := self.content) is None:
            return
        listings, place = content.listings, self.place

        def work() -> None:
            for grouping in Grouping:
                for names in listings.make(place, grouping).names:
                    names.folded()

        run_in_thread(self, work, lambda _: None, self._say_failure)

    def _say_failure(self, reason: str) -> None:
        self.notify(reason, severity="error", markup=False)

    # The table.

    @property
    def _table(self) -> LineTable:
        return self.query_one("#cache-table", LineTable)

    @property
    def _view(self) -> SourceView:
        return self.query_one(SourceView)

    @property
    def _run(self) -> CostRun | None:
        return self.content.runs[self.place] if self.content is not None else None

    @property
    def table(self) -> CostTable | None:
        return self.listing.table if self.listing is not None else None

    @property
    def weights(self) -> Mapping[str, int]:
        return self.content.listings.weights if self.content is not None else {}

    def _list(self, grouping: Grouping) -> None:
        """Show the costs of the present run, by the present weights."""
        if self.content is None or self._run is None:
            return
        self.listing = shown = self.content.listings.make(self.place, grouping)
        widget = self._table
        row = widget.row
        same = len(widget.columns) == len(shown.columns) and widget.rows
        if not same or [c.title for c in widget.columns] != [c.title for c in shown.columns]:
            widget.set_columns(shown.columns, sort=SORTED_BY)
            row = None
        widget.set_rows(shown.rows)
        if row is not None:
            widget.show_row(row)
        runs = self.content.runs
        several = f", tool {self.place + 1} of {len(runs)} (t: next)" if len(runs) > 1 else ""
        box = self.query_one("#cache-costs")
        box.border_title = f"Which {_NAMES[grouping]} cost most?"
        processes = len(self._run.profiles)
        summed = (
            f", sum of {plural(processes, 'process', 'processes')}" if processes > 1 else ""
        )
        number = plural(len(shown.table), grouping.value)
        if shown.table.tells_modules:
            number += " told apart by module"
        box.border_subtitle = f"{self._run.tool}: {number}{summed}{several}"
        self.query_one("#cache-note", Static).update(summed_up(shown, self.weights))

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if message.table is not self._table or self.table is None:
            return
        if message.row < len(self.table):
            self._say_name(message.row)
            self._files_asked += 1
            asked = self._files_asked
            self.set_timer(_SETTLE_SECONDS, lambda: self._load_file(asked, message.row))

    def _say_name(self, row: int) -> None:
        names = self.listing.names if self.listing is not None else ()
        texts = dict.fromkeys(printable(name[row]) for name in names)
        known = [text for text in texts if text != UNKNOWN]
        self.query_one("#cache-name", Static).update(
            "  ·  ".join(known) or UNKNOWN, layout=False
        )

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        if message.table is not self._table or self.listing is None:
            return
        if self.listing.table.grouping is Grouping.MODULE:
            name = self.listing.names[0][message.row]
            self._regroup(Grouping.FUNCTION, filtered="" if name == UNKNOWN else name)
            return
        self._zoom(alone=True)
        self._show_file()
        self._view.focus()

    # The source.

    def _file_of(self, row: int) -> str | None:
        listing = self.listing
        if listing is None or listing.table.grouping is Grouping.MODULE:
            return None
        column = 1 if listing.table.grouping is Grouping.FUNCTION else 0
        return listing.names[column][row]

    def _load_file(self, asked: int, row: int) -> None:
        """Read the file of a row in a thread, unless the cursor went on."""
        if asked != self._files_asked or self._run is None or self.content is None:
            return
        path = self._file_of(row)
        if path is None or (self.file is not None and self.file.path == path):
            self._show_file()
            return
        run, sources = self._run, self.content.sources

        def done(file: Annotated) -> None:
            if asked == self._files_asked:
                self.file = file
                self._show_file()

        run_in_thread(
            self,
            lambda: annotated(run.profiles, path, sources),
            done,
            self._say_failure,
        )

    def _show_file(self) -> None:
        """The lines by the figure that the table is sorted by."""
        table, notice = self._table, self.query_one("#cache-missing", Notice)
        box = self.query_one("#cache-lines")
        grouping = self.table.grouping if self.table is not None else Grouping.MODULE
        file = self.file if grouping is not Grouping.MODULE else None
        self._view.display = file is not None
        notice.display = file is None or file.source is None
        if file is None:
            box.border_title = "Which lines?"
            notice.text, notice.severity = "Enter lists the functions of the module.", ""
            return
        column = table.sort_column if table.sort_column is not None else 1
        title, costs = line_costs(file, table.columns[column].title, self.weights)
        box.border_title = f"Which lines of {as_title(file.path.rpartition('/')[2])}?"
        box.border_subtitle = as_title(file.path)
        if file.source is None:
            notice.text = missing_source(file.path)
            notice.severity = "warning"
        elif file.source.newer:
            notice.text = "The file was changed after the recording: lines may be others now."
            notice.severity = "warning"
            notice.display = True
        events = file.events if self._zoomed else ()
        present = (file, title, events, dict(self.weights))
        if present == self._present and self._line is None:
            return
        self._present = present
        self._view.set_source(
            file.source.lines if file.source is not None else None,
            costs,
            title=title,
            whole=sum(cost.chosen for cost in costs.values()),
            events=events,
        )
        self.call_after_refresh(self._view.show_line, self._line)
        self._line = None

    # Keys.

    def action_group(self) -> None:
        if self.table is not None:
            order = list(Grouping)
            if not self._tells_modules:
                order.remove(Grouping.MODULE)
                if self.table.grouping is order[-1]:
                    self.notify(NO_MODULES, markup=False)
            self._regroup(order[(order.index(self.table.grouping) + 1) % len(order)])

    @property
    def _tells_modules(self) -> bool:
        """Whether the present tool said of any function which module it is in."""
        if self.content is None:
            return False
        return self.content.listings.make(self.place, Grouping.FUNCTION).table.tells_modules

    def _regroup(self, grouping: Grouping, *, filtered: str = "") -> None:
        """By functions, files or modules: summed in a thread, unless they were before."""
        if (content := self.content) is None:
            return
        self.action_back()
        place = self.place

        def done(_: object) -> None:
            line = self.query_one("#cache-filter", FilterInput)
            line.reset()
            self._list(grouping)
            if filtered:
                line.value, line.display = filtered, True
            self._table.focus()

        if content.listings.ready(place, grouping):
            done(None)
            return
        run_in_thread(
            self, lambda: content.listings.make(place, grouping), done, self._say_failure
        )

    def action_tool(self) -> None:
        if self.content is not None and len(self.content.runs) > 1:
            self.place = (self.place + 1) % len(self.content.runs)
            self.file = None
            self._regroup(Grouping.FUNCTION)

    def action_filter(self) -> None:
        self.action_back()
        self.query_one("#cache-filter", FilterInput).open(self._table)

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self._table.set_filter(message.text)

    def _zoom(self, *, alone: bool) -> None:
        """The source alone, or beside the table (on a narrow screen: the table alone)."""
        self._zoomed = alone
        if alone:
            self._beside = self._view.room.width
        # Not a class of the screen: all that is on it would be styled anew.
        self.query_one("#cache-costs").set_class(alone, "-away")
        self.query_one("#cache-lines").set_class(alone, "-alone")

    def action_back(self) -> None:
        """From the source to the table."""
        if self._zoomed:
            self._zoom(alone=False)
            self._show_file()
            self._view.fit(self._beside)
        self.query_one(WeightsInput).drop()
        self.set_focus(self._table)  # now: `focus` would have the table drawn twice

    def action_edit(self) -> None:
        if self.file is not None and self.content is not None:
            here = self.content.sources.place(self.file.path)
            open_in_editor(self.app, here, self._view.line)

    def action_weights(self) -> None:
        """Type other weights for the estimate."""
        if self.table is None:
            return
        self.query_one(WeightsInput).open(self.weights, self.table.events, self._table)

    def on_weights_input_weighed(self, message: WeightsInput.Weighed) -> None:
        if self.content is not None and self.table is not None:
            self.content.listings.weigh(message.weights)
            self._list(self.table.grouping)

    def on_weights_input_refused(self, message: WeightsInput.Refused) -> None:
        self.query_one("#cache-note", Static).update(message.reason)

    def reveal(self, key: str) -> None:
        """`function=NAME&file=PATH&line=N`: the last part of a name is enough."""
        wanted = {name: values[0] for name, values in parse_qs(key).items()}
        listing = self.listing
        if listing is None or listing.table.grouping is not Grouping.FUNCTION:
            return
        function, file = wanted.get("function"), wanted.get("file")
        line = wanted.get("line", "")
        for row in self._table.shown:
            name = short_name(listing.names[0][row])
            if (
                function is not None
                and name != function
                and name.rpartition("::")[2] != function
            ):
                continue
            if file is not None and not listing.names[1][row].endswith(file):
                continue
            self._line = int(line) if line.isdecimal() else None
            self._table.show_row(row)
            return


SCREEN = CacheScreen
