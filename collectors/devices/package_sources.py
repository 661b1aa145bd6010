"""Valgrind packages from elsewhere: an address with its hash, or a distribution's archive.

The archive is asked through a private apt directory, so that the packages, lists and caches
of this machine stay as they are; apt checks the archive's signature with this machine's keys.
"""

import hashlib
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from collectors.errors import InputError, ToolError, UsageError

MOST_PACKAGE_BYTES = 256 << 20
NEWEST = "newest"
_DEBIAN_ARCHITECTURES = {
    "arm64-v8a": "arm64",
    "armeabi-v7a": "armhf",
    "x86_64": "amd64",
    "x86": "i386",
}
_SILENCE_SECONDS = 60.0
_APT_SECONDS = 900.0
_CHUNK = 1 << 18
_RELEASE = re.compile(r"[a-z0-9][a-z0-9.+/-]*")
Say = Callable[[str], None]


def download(address: str, sha256: str, folder: Path, say: Say) -> Path:
    """Fetch a package whose SHA-256 is known beforehand.

    Raises `UsageError` for an address or hash that cannot be one, `InputError` when the
    package cannot be had or is another one.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"}:
        raise UsageError(f"{address}: only http and https addresses are fetched")
    if re.fullmatch(r"[0-9a-fA-F]{64}", sha256) is None:
        raise UsageError(f"--sha256 {sha256}: a SHA-256 has 64 hexadecimal digits")
    name = re.sub(r"[^\w.+~-]", "_", unquote(parts.path).rpartition("/")[2]) or "package"
    file = folder / name
    digest = hashlib.sha256()
    say(f"fetching {address}")
    try:
        with (
            urllib.request.urlopen(address, timeout=_SILENCE_SECONDS) as answer,  # noqa: S310
            file.open("wb") as out,
        ):
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
                if out.tell() > MOST_PACKAGE_BYTES:
                    raise InputError(
                        f"{address}: larger than {MOST_PACKAGE_BYTES >> 20} MiB: refused"
                    )
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise InputError(f"{address}: {getattr(error, 'reason', error)}") from error
    if digest.hexdigest() != sha256.lower():
        raise InputError(
            f"{address}: its SHA-256 is {digest.hexdigest()}, not the one given: refused"
        )
    return file


@dataclass(frozen=True, slots=True)
class AptSource:
    """One line of apt's sources: where an archive is, and who signs it."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str | None = None

    def line(self, architecture: str) -> str:
        options = [f"arch={architecture}"]
        if self.signed_by:
            options.append(f"signed-by={self.signed_by}")
        return f"deb [{' '.join(options)}] {self.uri} {self.suite} {' '.join(self.components)}"


def fetch_from_apt(
    abi: str, release: str, folder: Path, say: Say, *, etc: Path = Path("/etc/apt")
) -> tuple[Path, str]:
    """The valgrind package of a release for an ABI, and words that say where it is from.

    `release` is a name such as `trixie`, or `NEWEST`. Raises `ToolError` with apt's own words
    when it cannot be had.
    """
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise ToolError(
                f"--from-apt needs {program}: give a valgrind .deb for {abi} as SOURCE instead"
            )
    architecture = _DEBIAN_ARCHITECTURES[abi]
    source = archive_for(host_sources(etc), release, architecture)
    say(f"asking {source.uri} {source.suite} for valgrind of {architecture}")
    private = _PrivateApt(folder / f"apt-{architecture}", source, architecture)
    private.run("update")
    private.run("download", "valgrind")
    found = sorted(private.folder.glob("valgrind_*.deb"))
    if not found:
        raise ToolError(f"apt fetched no valgrind of {source.suite} for {architecture}")
    package = found[-1]
    name = unquote(package.name)
    return package, f"{name} of {source.suite} from {source.uri}"


class _PrivateApt:
    """An apt whose state, cache and sources are in a folder of its own."""

    def __init__(self, folder: Path, source: AptSource, architecture: str) -> None:
        self.folder = folder
        for below in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d"):
            (folder / below).mkdir(parents=True, exist_ok=True)
        (folder / "state/status").touch()
        (folder / "sources.list").write_text(source.line(architecture) + "\n", encoding="utf-8")
        # The hooks of this machine's own apt (a container's clean up of /var/cache/apt, a
        # desktop's notices) are not for an apt that has nothing to do with it.
        self._settings = folder / "apt.conf"
        self._settings.write_text(
            "#clear APT::Update;\n#clear DPkg::Pre-Invoke;\n#clear DPkg::Post-Invoke;\n"
            f'Dir "{folder}";\nDir::State "{folder}/state";\nDir::Cache "{folder}/cache";\n'
            f'Dir::Etc "{folder}/etc";\nDir::Etc::sourcelist "{folder}/sources.list";\n'
            f'Dir::Etc::sourceparts "-";\nDir::State::status "{folder}/state/status";\n'
            'Dir::Etc::trusted "/etc/apt/trusted.gpg";\n'
            'Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";\n'
            f'APT::Architecture "{architecture}";\n#clear APT::Architectures;\n'
            f'APT::Architectures "{architecture}";\n'
            # A mirror's frozen copy of an old release is still signed, only no longer fresh.
            'Acquire::Check-Valid-Until "false";\nAcquire::Languages "none";\n'
            'APT::Sandbox::User "";\nAcquire::Retries "3";\n',
            encoding="utf-8",
        )

    def run(self, *words: str) -> None:
        command = ["apt-get", "-q", "-c", str(self._settings), *words]
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_APT_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"apt-get {words[0]}: no end within {_APT_SECONDS:g} s") from error
        said = [
            line for line in done.stderr.splitlines() if line.startswith(("E: ", "Err:", "W: "))
        ]
        # `update` calls a release that it could not fetch a warning.
        failed = done.returncode or any(
            line.startswith("E: ") or "Failed to fetch" in line for line in said
        )
        if failed:
            reason = next((line for line in said if "Failed to fetch" in line), None) or (
                said[0] if said else f"exit status {done.returncode}"
            )
            raise ToolError(
                f"apt-get {words[0]}: {reason.removeprefix('E: ').removeprefix('W: ')}: check "
                "the network and the release's name, or give a .deb as SOURCE"
            )


def host_sources(etc: Path) -> list[AptSource]:
    """The archives that this machine's apt knows, in both of its formats."""
    found: list[AptSource] = []
    folder = etc / "sources.list.d"
    lists = [etc / "sources.list", *sorted(folder.glob("*.list"))]
    for file in lists:
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            found += filter(None, map(_parse_line, text.splitlines()))
    for file in sorted(folder.glob("*.sources")):
        found += _parse_stanzas(file.read_text(encoding="utf-8", errors="replace"))
    return found


def _parse_line(line: str) -> AptSource | None:
    match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
    if match is None:
        return None
    options = dict(
        word.split("=", 1) for word in (match[1] or "").split() if word.count("=") == 1
    )
    return AptSource(match[2], match[3], tuple(match[4].split()), options.get("signed-by"))


def _parse_stanzas(text: str) -> list[AptSource]:
    found: list[AptSource] = []
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in {" ", "\t"} and name:
                fields[name] += line
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled") == "no":
            continue
        signed = fields.get("signed-by", "")
        components = tuple(fields.get("components", "").split())
        keys = signed if signed.startswith("/") and " " not in signed else None
        found += [
            AptSource(uri, suite, components, keys)
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return found


def archive_for(known: list[AptSource], release: str, architecture: str) -> AptSource:
    """The archive to ask: this machine's own, at the release and architecture asked for.

    Raises `ToolError` when this machine's archives hold no `main` of Debian or Ubuntu.
    """
    if release != NEWEST and _RELEASE.fullmatch(release) is None:
        raise UsageError(f"--from-apt {release}: not the name of a release, such as trixie")
    for source in known:
        plain = "-" not in source.suite and "/" not in source.suite
        if "main" not in source.components or not plain:
            continue
        if "ubuntu" in source.uri.lower():
            # Ubuntu keeps the two ARM architectures on servers of their own.
            uri = (
                "http://ports.ubuntu.com/ubuntu-ports/"
                if architecture in {"arm64", "armhf"}
                else source.uri
            )
            newest = "devel"
        elif "debian" in source.uri.lower():
            uri, newest = source.uri, "sid"
        else:
            continue
        suite = newest if release == NEWEST else release
        return replace(source, uri=uri, suite=suite, components=("main",))
    raise ToolError(
        "this machine's apt knows no archive of Debian or Ubuntu: give a .deb as SOURCE"
    )
