"""droidgrind completion"""

import argparse

SHELLS = ("bash", "zsh", "fish")


class CompletionCommand:
    """Print the completions of a shell.

    bash: add `source <(droidgrind completion bash)` to ~/.bashrc. zsh: write them to a file
    `_droidgrind` in a folder of $fpath. fish: write them to
    ~/.config/fish/completions/droidgrind.fish.
    """

    name = "completion"
    example = "droidgrind completion bash"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("shell", choices=SHELLS)

    def run(self, args: argparse.Namespace) -> int:
        from importlib.resources import files

        from tui.text import print_line

        file = files("tui") / "shell" / f"droidgrind.{args.shell}"
        print_line(file.read_text(encoding="utf-8").rstrip("\n"))
        return 0


COMMAND = CompletionCommand()
