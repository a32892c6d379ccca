"""`python -m mien` and the command `mien`."""

import os
import sys

from mien.errors import MienError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    from mien import cli

    try:
        cli.run(arguments)
    except MienError as error:
        print(f"mien: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mien: stopped; nothing half-written was left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output closed it; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
