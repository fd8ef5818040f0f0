"""The command line: arguments come in, the exit code goes out."""

from __future__ import annotations

from bridge.cli import app


def main() -> None:
    """Run the command that the arguments name."""
    app(prog_name="bridge")


if __name__ == "__main__":
    main()
