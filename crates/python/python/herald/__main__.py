"""Command `herald`."""

import signal
import sys

from herald._herald import run_command


def main() -> None:
    """Runs the command with the arguments of the process."""
    # The command handles interruptions itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command(["herald", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
