"""Work that reads files or devices, done in threads so that keys are always answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.widget import Widget
from textual.worker import Worker, get_current_worker

from collectors.errors import DroidgrindError
from profiler.store import Session
from tui.messages import Loaded, LoadFailed


def load(owner: Widget, asked: int, read: Callable[[], object]) -> Worker[None]:
    """Call `read` in a thread and post `Loaded` or `LoadFailed` to `owner`.

    A second call for the same owner makes the first one's answer be dropped.
    """

    def work() -> None:
        worker = get_current_worker()
        try:
            content = read()
        except DroidgrindError as error:
            answer: Loaded | LoadFailed = LoadFailed(asked, str(error))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            answer = LoadFailed(asked, f"{where}{error.strerror or error}")
        else:
            answer = Loaded(asked, content)
        if not worker.is_cancelled:
            owner.post_message(answer)

    return owner.run_worker(
        work, thread=True, exclusive=True, group=f"load-{id(owner)}", exit_on_error=True
    )


def write_report_beside(session: Session) -> Path:
    """The session's HTML report, in its own directory."""
    from profiler.report import write_report

    return write_report(session, session.directory / "report.html", force=True)


def run_in_thread(
    owner: Widget,
    work: Callable[[], Any],
    done: Callable[[Any], None],
    failed: Callable[[str], None],
) -> Worker[None]:
    """Call `work` in a thread, then `done` or `failed` in the application's own."""

    def run() -> None:
        try:
            result = work()
        except DroidgrindError as error:
            owner.app.call_from_thread(failed, str(error))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            owner.app.call_from_thread(failed, f"{where}{error.strerror or error}")
        else:
            owner.app.call_from_thread(done, result)

    return owner.run_worker(run, thread=True)
