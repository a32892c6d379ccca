"""The one error that a user can cause: the command line prints it and exits with status 2."""


class MienError(ValueError):
    """Bad input. The message says what came, what was wanted and what to do."""
