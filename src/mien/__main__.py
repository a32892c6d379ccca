"""`python -m mien` and the command `mien`."""

import os
import sys

from mien.errors import MienError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    try:
        from mien import cli

        cli.run(arguments)
        sys.stdout.flush()
    except MienError as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        print("mien: stopped; nothing half-written was left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output closed it; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # what the system itself refuses, such as a name that is too long
        return _refused(f"{error.filename or 'the system'}: {error.strerror or error}")
    return 0


def _refused(reason: str) -> int:
    """Say why in one line, also where a library gave the reason in several."""
    print("mien:", " ".join(reason.split()), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
