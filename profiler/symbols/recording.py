"""What `record` keeps so that symbols can be looked up later."""

from pathlib import Path

from collectors.devices.device import Device
from collectors.errors import DroidgrindError
from profiler.session_writer import SessionWriter, write_atomically
from profiler.symbols.modules import (
    MODULES_FILE,
    ask_device,
    facts_document,
    modules_of,
    read_facts,
)


def keep_modules(device: Device, writer: SessionWriter, folder: Path) -> None:
    """Keep the build-ids of the files that the run in `folder` had loaded.

    A device that is gone by now costs the build-ids, not the recording.
    """
    try:
        paths = {module.path for loaded in modules_of(folder).values() for module in loaded}
        known = read_facts(writer.directory)
        fresh = ask_device(device, sorted(paths - known.keys()))
        if fresh:
            document = facts_document({**known, **fresh})
            write_atomically(writer.directory / MODULES_FILE, document)
    except (DroidgrindError, OSError) as error:
        writer.event("build-ids were not kept", why=str(error))
