"""``python -m metademo``: start the command line."""

import os
import signal
import sys


def _leave(number: int, frame: object) -> None:
    """Ctrl-C while the program still loads: there is nothing to save, and nothing to explain."""
    os.write(2, b"metademo: interrupted\n")
    os._exit(130)  # command_line.INTERRUPTED, which is not loaded yet


if __name__ == "__main__":
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # unless the shell has it ignored
        signal.signal(signal.SIGINT, _leave)
    from metademo.command_line import main  # takes seconds

    signal.signal(signal.SIGINT, before)
    sys.exit(main())
