"""Apps on the stand-in phone: am, pm, run-as, su, setprop, SELinux, as Android documents them.

What is emulated: an app has its own uid and data directory; only root sets `wrap.`
properties, whose names (before Android 8) and values are limited; under SELinux enforcing an
app cannot execute what lies in /data/local/tmp; wrap.sh runs in debuggable apps; force-stop
is SIGKILL.
"""

import os
import shutil
import subprocess
from pathlib import Path

HELPER = Path(__file__).with_name("privileged.c")
SERVICES = {
    "setprop": r"""
old=$(getprop ro.build.version.sdk)
if [ "$old" -lt 26 ] && [ ${#1} -gt 31 ] || [ ${#2} -gt 91 ]; then
  echo "Failed to set property '$1' to '$2'." >&2; exit 1
fi
case $1 in wrap.*) if [ $CALLER != 0 ]; then
  echo "Failed to set property '$1' to '$2'. See dmesg for error reason." >&2; exit 1
fi;; esac
if [ -n "$2" ]; then echo "$2" >/data/property/$1; else rm -f /data/property/$1; fi
""",
    "getenforce": "cat /data/misc/selinux",
    "setenforce": r"""
if [ $CALLER != 0 ]; then
  echo "setenforce: Couldn't set enforcing status to '$1': Permission denied" >&2; exit 1
fi
case $1 in 0|Permissive) echo Permissive;; *) echo Enforcing;; esac >/data/misc/selinux
""",
    "settings": r"""
file=/data/system/$2.$3
case $1 in
  get) if [ -f $file ]; then cat $file; else echo null; fi;;
  put) echo "$4" >$file;;
  delete) rm -f $file;;
esac
""",
    "svc": r"""
[ "$1 $2" = "power stayon" ] || exit 1
case $3 in true) v=15;; usb) v=2;; *) v=0;; esac
echo $v >/data/system/global.stay_on_while_plugged_in
""",
    "pm": r"""
[ "$1" = path ] || exit 1
[ -d /data/app/$2 ] || exit 1
echo "package:/data/app/$2/base.apk"
""",
    "cmd": r"""
for package; do :; done
echo "priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=false"
if [ -f /data/app/$package/activity ]; then
  echo "$package/$(cat /data/app/$package/activity)"
else
  echo "No activity found"
fi
""",
    "dumpsys": r"""
if [ "$1" = thermalservice ] && [ -f /data/misc/thermal ]; then cat /data/misc/thermal; exit; fi
if [ "$1" != package ]; then echo "Can't find service: $1" >&2; exit 20; fi
echo "    userId=$(cat /data/app/$2/uid)"
echo "    primaryCpuAbi=x86_64"
echo "    legacyNativeLibraryDir=/data/app/$2/lib"
""",
    "am": r"""
what=$1; shift
case $what in
set-debug-app) echo "$1" >/data/system/debug_app;;
clear-debug-app) rm -f /data/system/debug_app;;
force-stop)
  [ -f /data/system/running.$1 ] || exit 0
  read leader </data/system/running.$1
  for f in /proc/[0-9]*/stat; do
    read -r line <$f || continue
    pid=${line%% *}; set -- "$1" ${line##*) }
    [ "$5" = "$leader" ] && kill -9 $pid
  done 2>/dev/null
  rm -f /data/system/running.$1;;
start)
  component=$2; package=${component%%/*}; name=${component#*/}
  echo "Starting: Intent { cmp=$component }"
  if [ "$name" != "$(cat /data/app/$package/activity 2>/dev/null)" ]; then
    echo "Error type 3"
    echo "Error: Activity class {$component} does not exist."
    exit 1
  fi
  folder=/data/app/$package
  read uid <$folder/uid
  wrap=$(getprop wrap.$package)
  if [ -n "$wrap" ]; then
    [ "$(getenforce)" = Enforcing ] && exit 0  # denied: the process never comes
  elif [ -f $folder/debuggable ] && [ -x $folder/lib/x86_64/wrap.sh ]; then
    wrap="/system/bin/logwrapper $folder/lib/x86_64/wrap.sh"
  fi
  setsid sh -c "echo \$\$ >/data/system/running.$package
    exec /system/bin/as-uid $uid sh -c 'exec $wrap $folder/app $package'" \
    </dev/null >/dev/null 2>&1 &
  sleep 0.2;;
esac
""",
}
LOGWRAPPER = '#!/system/bin/sh\nexec "$@"\n'
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char package[200]; strcpy(package, argv[1]);
  memset(argv[0], 0, argv[1] + strlen(argv[1]) - argv[0]);
  strcpy(argv[0], package);  /* as zygote's children do */
  volatile char *lost = malloc(1234); lost[0] = 1; lost = 0;
  printf("app %s\n", package); fflush(stdout);
  for (;;) { for (volatile int i = 0; i < 1000; i++) {} usleep(20000); }
}
"""


def add_app_support(root: Path, folder: Path) -> None:
    """Android's programs for apps; needs musl-gcc."""
    helper = folder / "privileged"
    command = ["musl-gcc", "-static", "-O1", "-o", str(helper), str(HELPER)]
    subprocess.run(command, check=True, timeout=60)
    programs = root / "system/bin"
    framework = root / "system/framework"
    framework.mkdir()
    for name, script in SERVICES.items():
        (framework / f"{name}.sh").write_text(script, encoding="utf-8")
    for name in (*SERVICES, "run-as", "as-uid"):
        _install(helper, programs / name)
    (programs / "logwrapper").write_text(LOGWRAPPER, encoding="utf-8")
    (programs / "logwrapper").chmod(0o755)
    for name in ("data/system", "data/misc", "data/property"):
        (root / name).mkdir(exist_ok=True)
    (root / "data/misc/selinux").write_text("Enforcing\n", encoding="ascii")


def _install(helper: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    shutil.copyfile(helper, place)
    place.chmod(0o4755 if os.getuid() == 0 else 0o755)


def set_rooted(root: Path, folder: Path, *, rooted: bool, kind: str = "magisk") -> None:
    """`kind` of su: `magisk` (su -c COMMAND), `aosp` (su UID COMMAND) or `denies`."""
    su = root / "system/bin/su"
    su.unlink(missing_ok=True)
    for other in ("aosp", "denies"):
        (root / f"data/misc/su-{other}").unlink(missing_ok=True)
    if rooted:
        _install(folder / "privileged", su)
        if kind != "magisk":
            (root / f"data/misc/su-{kind}").touch()


def set_engineering(root: Path, *, debuggable: bool) -> None:
    """Make it a userdebug build, where `adb root` works, or a user build."""
    file = root / "system/build.prop"
    text = file.read_text(encoding="utf-8")
    now, other = f"ro.debuggable={debuggable:d}", f"ro.debuggable={not debuggable:d}"
    file.write_text(text.replace(other, now), encoding="utf-8")


def install_app(
    root: Path, package: str, program: Path, *, debuggable: bool, uid: int = 10123
) -> Path:
    """An app whose code is `program`; its folder for native libraries."""
    folder = root / "data/app" / package
    libraries = folder / "lib/x86_64"
    libraries.mkdir(parents=True, exist_ok=True)
    shutil.copy2(program, folder / "app")
    (folder / "uid").write_text(f"{uid}\n", encoding="ascii")
    (folder / "activity").write_text(".MainActivity\n", encoding="ascii")
    if debuggable:
        (folder / "debuggable").touch()
    data = root / "data/data" / package
    data.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        os.chown(data, uid, uid)
    data.chmod(0o700)
    return libraries


def uninstall_app(root: Path, package: str) -> None:
    for top in ("data/app", "data/data"):
        shutil.rmtree(root / top / package)
