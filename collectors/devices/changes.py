"""What droidgrind changes on a device, as plain data, and how each change is undone.

A change is written down on the host before it is made (`ChangeLog`), so that it can be
undone by another process on another day. Undoing is safe to repeat, and safe where the
change itself was never made.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Protocol

from collectors.devices.device import Change, CommandResult
from collectors.errors import DeviceError

# The places where droidgrind makes folders: nothing else is ever removed.
_OWN_PLACES = ("/data/local/tmp/", "/data/data/")


class ChangedDevice(Protocol):
    """What undoing needs of a device."""

    @property
    def serial(self) -> str: ...

    def shell(self, line: str, *, stdin: bytes | None = None) -> CommandResult: ...

    def script(self, text: str) -> CommandResult: ...

    def as_root(self, line: str) -> CommandResult:
        """Run a line of mksh as root. Raises `DeviceError` where there is no root."""
        ...

    def drop_root(self) -> None:
        """Undo `adb root`."""
        ...


# Signals a job and all that descends from it: children by parent, orphans by session. A
# process counts only if it began after the job did: a number used again means nobody else.
END_JOB = """\
end_job() {
  runner= began= first=
  read -r runner began rest <"$1/runner" || return 0
  read -r first rest <"$1/pid"
  all=" ${first:--} "; grown=1
  while [ -n "$grown" ]; do
    grown=
    for f in /proc/[0-9]*/stat; do
      read -r line 2>/dev/null <$f || continue
      pid=${line%% *}; set -- "$1" "$2" ${line##*) }
      case $all in *" $pid "*) continue;; esac
      [ $pid = $runner ] && continue
      case $all in *" $4 "*) all="$all$pid "; grown=1; continue;; esac
      [ $6 = $runner ] && [ ${22} -ge $began ] && { all="$all$pid "; grown=1; }
    done
  done
  for pid in $all; do
    read -r line 2>/dev/null </proc/$pid/stat || continue
    set -- "$1" "$2" ${line##*) }
    [ ${22} -ge $began ] && kill -$2 $pid 2>/dev/null
  done
  return 0
}
"""
# The runner writes its marker once the job is dead; only then can its folder be removed.
_REMOVE = """\
for job in {path}/*.job; do
  [ -f "$job/runner" ] || continue
  end_job "$job" 9
  read -r runner rest <"$job/runner"
  n=0
  while [ -f "$job/runner" ] && [ ! -f "$job/done" ] && [ -d /proc/$runner ] && [ $n -lt 40 ]
  do sleep 0.05; n=$((n+1)); done
done 2>/dev/null
rm -rf {path} || {{ sleep 0.5; rm -rf {path}; }}
"""


def undo(device: ChangedDevice, change: Change) -> None:
    """Undo one change. Raises `DeviceError` when the device refuses."""
    step = UNDO.get(change.kind)
    if step is None:
        raise DeviceError(f"{change.kind}: a change that this droidgrind does not know: update")
    step(device, change.details)


def _checked(answer: CommandResult, what: str) -> None:
    if answer.status:
        said = answer.stderr.decode("utf-8", "replace").strip() or answer.text
        last = said.rsplit("\n", 1)[-1] or f"exit status {answer.status}"
        raise DeviceError(f"{what}: {last}")


def _own(path: str) -> str:
    if not path.startswith(_OWN_PLACES) or ".." in path.split("/") or path.count("/") < 4:
        raise DeviceError(f"{path}: not a folder that droidgrind may remove")
    return shlex.quote(path)


def _remove_folder(device: ChangedDevice, details: Mapping[str, str]) -> None:
    script = END_JOB + _REMOVE.format(path=_own(details["path"]))
    if "parent" in details:  # made for it; others may use it by now
        script += f"status=$?\nrmdir {shlex.quote(details['parent'])} 2>/dev/null\n"
        script += "exit $status\n"
    _checked(device.script(script), details["path"])


def _remove_file(device: ChangedDevice, details: Mapping[str, str]) -> None:
    path = shlex.quote(details["path"])
    _checked(device.shell(f"rm -f {path}"), details["path"])
    made = details.get("made")  # the topmost folder that was made for it
    folder = details["path"].rpartition("/")[0]
    while made and (folder == made or folder.startswith(f"{made}/")):
        if device.shell(f"rmdir {shlex.quote(folder)} 2>/dev/null").status:
            return
        folder = folder.rpartition("/")[0]


def _set_property(device: ChangedDevice, details: Mapping[str, str]) -> None:
    name, value = shlex.quote(details["name"]), shlex.quote(details["value"])
    _checked(device.as_root(f"setprop {name} {value}"), f"setprop {details['name']}")


def _set_selinux(device: ChangedDevice, details: Mapping[str, str]) -> None:
    _checked(device.as_root(f"setenforce {shlex.quote(details['mode'])}"), "setenforce")


def _set_setting(device: ChangedDevice, details: Mapping[str, str]) -> None:
    space, name = shlex.quote(details["space"]), shlex.quote(details["name"])
    value = details.get("value")
    if value is None:
        line = f"settings delete {space} {name}"
    else:
        line = f"settings put {space} {name} {shlex.quote(value)}"
    _checked(device.shell(line), line)


def _stop_app(device: ChangedDevice, details: Mapping[str, str]) -> None:
    device.shell(f"am force-stop {shlex.quote(details['package'])}")


def _clear_debug_app(device: ChangedDevice, details: Mapping[str, str]) -> None:
    _checked(device.shell("am clear-debug-app"), "am clear-debug-app")


def _remove_app_folder(device: ChangedDevice, details: Mapping[str, str]) -> None:
    path, package = _own(details["path"]), shlex.quote(details["package"])
    if details.get("root"):
        answer = device.as_root(f"rm -rf {path}")
    else:
        answer = device.shell(f"run-as {package} rm -rf {path}")
    _checked(answer, details["path"])


def _drop_root(device: ChangedDevice, details: Mapping[str, str]) -> None:
    device.drop_root()


# Others are undone by the rights that these gave: they come last.
UNDONE_LAST = frozenset({"adb-root"})
UNDO: Mapping[str, Callable[[ChangedDevice, Mapping[str, str]], None]] = {
    "folder": _remove_folder,
    "file": _remove_file,
    "property": _set_property,
    "selinux": _set_selinux,
    "setting": _set_setting,
    "app-started": _stop_app,
    "debug-app": _clear_debug_app,
    "app-folder": _remove_app_folder,
    "adb-root": _drop_root,
}
