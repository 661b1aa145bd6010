"""droidgrind symbolize"""

import argparse

from tui.commands import options


class SymbolizeCommand:
    """Look up functions, lines and inlined calls of a recorded session, after its run.

    What ran on a device is often stripped. This finds the unstripped files by their
    build-id, resolves every unknown frame and stores the answers in the session, so that
    every other command shows them. The raw files stay as they are; run it again at will.
    """

    name = "symbolize"
    example = "droidgrind symbolize latest --symbols app/build"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        options.add_symbols(parser)
        options.add_source_map(parser)
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import InputError, UsageError
        from profiler.source_map import parse_rules
        from profiler.store import find_session, sessions_root
        from profiler.symbols.symbolize import symbolize
        from profiler.symbols.text import symbols_json
        from tui.symbols_text import symbols_lines
        from tui.text import print_json, print_line

        options.check_symbols(args.symbols)
        session = find_session(args.session, sessions_root(args.sessions))
        if not args.symbols:
            raise UsageError(
                "no directory of unstripped files: give at least one with --symbols DIR"
            )
        rules = parse_rules(args.source_map)
        entry = symbolize(session, args.symbols, source_map=rules)
        if args.json:
            print_json(symbols_json(entry))
        else:
            for line in symbols_lines(entry):
                print_line(line)
        options.count_findings(session)
        nothing_fits = bool(entry.unresolved) and not entry.files
        return InputError.exit_code if nothing_fits else 0


COMMAND = SymbolizeCommand()
