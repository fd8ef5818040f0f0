"""In: a parent's pid, or `-`, and a command; out: that command, which never outlives the parent.

Run by its path with `python -I -S`, so it imports nothing of ours. `leash.py PID COMMAND …` becomes
the command, which the kernel kills with the parent (Linux, prctl(2): PR_SET_PDEATHSIG survives
execve, and fires when the *thread* that started us ends). `leash.py - COMMAND …` stays between them
and kills the command at the end of standard input, for systems without that call.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def tie(parent: int, command: list[str]) -> None:
    """Become `command`, to be killed when `parent` is gone; return only if it already is."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # A parent that ended before the call above sends no signal any more.
    if os.getppid() == parent:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def watch(command: list[str]) -> int:
    """Run `command` until it ends or standard input does; its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own server

    def hold() -> None:
        sys.stdin.buffer.read()
        child.kill()

    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=hold, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    if sys.argv[1] != "-":
        tie(int(sys.argv[1]), sys.argv[2:])
        sys.exit(1)
    # Not sys.exit: the thread still reads standard input, which the interpreter would wait for.
    os._exit(watch(sys.argv[2:]) & 0xFF)
