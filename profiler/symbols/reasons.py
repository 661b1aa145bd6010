"""Why an address stays without a name, and what to do about it: two halves of a sentence."""

from profiler.symbols.index import Candidate, SymbolIndex
from profiler.symbols.maps import is_archive
from profiler.symbols.modules import Module, ModuleFacts

RECORD_UNSTRIPPED = "record it again with the unstripped file itself"
_OTHER_BUILD = "give the unstripped files of the build that ran, or record this build"


def why_no_module(name: str, *, imported: bool) -> tuple[str, str]:
    if not name:
        return (
            "no file is mapped there: generated code (JIT), or a stack that was walked too far",
            "nothing can name it",
        )
    if is_archive(name):
        return (
            "loaded from inside an archive, of which no copy was given or no map was kept",
            "give the very APK with --symbols, or set useLegacyPackaging = true, record again",
        )
    if imported:
        return (
            "no log was imported that says where it was loaded",
            "run Valgrind with -v -v --log-file=FILE, and import FILE beside its output",
        )
    return (
        "the run's log does not say where it was loaded",
        "record with this droidgrind, whose log says it",
    )


def why_no_match(
    module: Module, fact: ModuleFacts | None, index: SymbolIndex
) -> tuple[str, str]:
    other = index.namesake(module.path)
    if fact is None or fact.build_id is None:
        return _why_no_name(module, other, index)
    if other is not None and other.facts.build_id is not None:
        return (
            f"{other.name} is another build: its build-id is {other.facts.build_id}, that of "
            f"what ran {fact.build_id}",
            _OTHER_BUILD,
        )
    return (
        f"stripped, and no file with build-id {fact.build_id} was given",
        "give the directory of its unstripped build with --symbols",
    )


def _why_no_name(
    module: Module, other: Candidate | None, index: SymbolIndex
) -> tuple[str, str]:
    """Why no file fits by name and layout, which is what is left without a build-id."""
    if other is not None:
        return (
            f"{other.name} is another build: its code does not stand where that of what ran "
            "did",
            _OTHER_BUILD,
        )
    name = module.path.rpartition("/")[2]
    alike = index.of_layout(module.svma)
    hint = "" if alike is None else f" ({alike.name} has its layout: copy it to {name})"
    return (
        f"stripped, its build-id is not known, and no file named {name} was given",
        f"give its unstripped file under that name{hint}",
    )
