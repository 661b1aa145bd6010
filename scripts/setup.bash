# Steps that quickstart and test share; sourced by both from the repository's root.

run() {
  echo "+ $*"
  "$@"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Install the named Debian packages that are missing. Prints those that cannot be had, and
# returns 1 then: the caller decides whether it can go on.
need_packages() {
  local package missing=() failed=()
  command -v dpkg-query >/dev/null || { echo "not a Debian system: please install $*"; return 1; }
  for package in "$@"; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  run as_root apt-get update -q || true
  if run as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends "${missing[@]}"; then
    return 0
  fi
  for package in "${missing[@]}"; do # one that cannot be had must not keep the others away
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qy --no-install-recommends "$package" || failed+=("$package")
  done
  [ "${#failed[@]}" -eq 0 ] && return 0
  echo "could not install: ${failed[*]}"
  return 1
}

# The virtual environment in .venv, with a Python that droidgrind runs on.
need_venv() {
  local python
  if [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    return 0
  fi
  python="${PYTHON:-python3}"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "droidgrind needs Python 3.11 or later; $python is $("$python" --version)"
    exit 1
  }
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    need_packages python3-venv
  fi
  run "$python" -m venv --clear .venv
}
