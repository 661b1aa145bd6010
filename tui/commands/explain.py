"""droidgrind explain"""

import argparse


class ExplainCommand:
    """Explain a rule of the assistant: what it means, when it speaks, what to do.

    Without a rule it lists them all; with --thresholds, where they draw their lines.
    """

    name = "explain"
    example = "droidgrind explain cache-stride"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("rule", nargs="?", metavar="RULE", help="such as sched-starved")
        parser.add_argument(
            "--thresholds",
            action="store_true",
            help="list the thresholds, with those that droidgrind.toml sets",
        )

    def run(self, args: argparse.Namespace) -> int:
        from profiler.rules.catalogue import RULES, rule_page
        from tui.text import print_line, print_table

        if args.thresholds:
            from profiler.project import load_project
            from profiler.thresholds import meanings, threshold_text

            chosen = load_project().thresholds
            rows = [
                (name, threshold_text(getattr(chosen, name)), threshold_text(default), meaning)
                for name, (default, meaning) in meanings().items()
            ]
            print_table(("threshold", "value", "default", "bounds"), rows, right=(1, 2))
        elif args.rule is None:
            print_table(("rule", "speaks when"), list(RULES.items()))
        else:
            for line in rule_page(args.rule).splitlines():
                print_line(line)
        return 0


COMMAND = ExplainCommand()
