"""The command line: arguments come in, the exit code goes out."""

from __future__ import annotations

import errno
import os
import sys

from bridge.cli import part


def main() -> None:
    """Run the command that the arguments name."""
    # What we write of people is its owner's alone, also in a folder that others may enter.
    os.umask(0o077)
    _open_what_is_closed()
    try:
        try:
            part(sys.argv[1:2])(prog_name="bridge")
        finally:
            sys.stdout.flush()  # what fails after this Python tells by a trace and 120
    except OSError as fault:
        if fault.errno not in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT):
            raise
        _give_up(fault)


def _open_what_is_closed() -> None:
    """A standard stream that our starter closed leads nowhere: no file of ours gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - as long as we live


def _give_up(fault: OSError) -> None:
    """End with 1, saying why unless the reader just went away; what still waits is dropped."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if fault.errno != errno.EPIPE:
        print(f"bridge: nothing more can be written ({fault.strerror})", file=sys.stderr)
        print("  → make room where the output goes, and in data_dir", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
