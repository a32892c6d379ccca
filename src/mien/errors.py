"""The one error that a user can cause; the command line prints it as a sentence and exits with 2."""


class MienError(ValueError):
    """Bad input. The message says what came, what was wanted and what to do."""
