"""Undo what recordings that were cut off left on devices."""

from dataclasses import dataclass
from pathlib import Path

from collectors.devices.device import Device
from collectors.devices.discover import choose_device
from collectors.errors import DeviceError
from profiler.recording.journal import Journal, journals


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One recording's changes. `left` says what is still to be undone, and why."""

    serial: str
    run: str
    session: str
    undone: tuple[str, ...]
    left: tuple[str, ...]
    in_use: bool = False


def cleanup(serial: str | None = None, *, pretend: bool = False) -> list[Cleaned]:
    """Undo what the journals hold, of one device or of all that can be reached.

    With `pretend` nothing is undone: `left` is then what would be.
    """
    devices: dict[str, Device | DeviceError] = {}
    return [_clean(journal, devices, pretend=pretend) for journal in list(journals(serial))]


def _clean(
    journal: Journal, devices: dict[str, Device | DeviceError], *, pretend: bool
) -> Cleaned:
    owner = journal.owner
    before = [str(journal.pending[number]) for number in sorted(journal.pending)]
    if journal.in_use or pretend:
        return Cleaned(
            owner.serial, owner.run, owner.session, (), tuple(before), journal.in_use
        )
    if owner.serial not in devices:
        try:
            devices[owner.serial] = choose_device(owner.serial)
        except DeviceError as error:
            devices[owner.serial] = error
    device = devices[owner.serial]
    if isinstance(device, DeviceError):
        failures = [str(device)]
    else:
        try:
            failures = journal.undo_all(device)
        except DeviceError as error:
            failures = [str(error)]
    if not journal.pending:
        Path(journal.file).unlink(missing_ok=True)
    left = {str(change) for change in journal.pending.values()}
    return Cleaned(
        owner.serial,
        owner.run,
        owner.session,
        tuple(change for change in before if change not in left),
        tuple(failures),
    )
