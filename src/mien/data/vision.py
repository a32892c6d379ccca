"""Models that look at pictures and answer: how they are named, asked, and heard to fail.

A key comes from an environment variable, is read only where a service is connected, travels in a
header, and is struck out of whatever the service says, so that no file and no message holds it.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol
from urllib.parse import urlsplit

from mien.errors import MienError

LASTING = ("refused", "empty", "cut")
"""Reasons for which a question is not asked again by a later run."""

GEMINI_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
OPENAI = "api.openai.com"
DETAIL = 300
"""characters kept of what a service says of an error"""
SECRET = 8
"""characters; servers that need no key are often given a word such as none"""
FILTERED = ("content_filter", "content_policy_violation", "moderation_blocked")
"""Codes by which endpoints say that a filter, not the request's form, is in the way."""


@dataclass(frozen=True)
class Question:
    """What is asked at once."""

    text: str
    pictures: tuple[bytes, ...] = ()
    """JPEG, in order"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    text: str
    tokens: tuple[int, int] = (0, 0)
    """read (pictures counted) and written (thinking counted), as the service counts them"""


class UnansweredError(Exception):
    """A question got no answer, this time or for good."""

    def __init__(
        self, reason: str, detail: str = "", *, wait: float | None = None, tokens: Any = (0, 0)
    ) -> None:
        """`reason`: refused, empty, cut (LASTING); rejected (a status that blames the request);
        timeout, overloaded, unreachable, broken. `wait`: seconds that the service asks for.
        """
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.wait, self.tokens = reason, detail, wait, tokens


class Asks(Protocol):
    """A connected service."""

    def ask(self, question: Question) -> Answer:
        """Ask once; UnansweredError, or MienError where asking on is of no use.

        Several threads may.
        """
        ...


@dataclass(frozen=True)
class Service:
    """Which model is asked, and how; without the key, so it may travel to other machines."""

    model: str
    endpoint: str | None = None
    """address of an OpenAI-compatible service, up to and with its /v1; None: Google's Gemini"""
    key: str | None = None
    """name of the environment variable that holds the key; None: the usual one of the service"""
    timeout: float = 60.0
    """seconds without a sign of life from the service"""
    longest: int = 4096
    """tokens of an answer, a model's thinking counted"""

    @property
    def host(self) -> str:
        """Where questions go, for messages."""
        return urlsplit(self.endpoint).netloc if self.endpoint else "Google"

    def check(self) -> None:
        """Raise MienError where this cannot be asked: the address, the variable or its key."""
        if self.key is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.key):
            # Who typed the key itself must not find it in a log: it is not repeated.
            raise MienError(
                "the key's option takes the name of an environment variable, such as "
                "GEMINI_API_KEY, never the key itself"
            )
        if self.endpoint is None and not self.model.startswith("gemini-"):
            raise MienError(
                f"the model is {self.model!r}: without an endpoint only a gemini-… can be asked; "
                "give --endpoint and the address of an OpenAI-compatible service"
            )
        if self.endpoint is not None:
            _check_address(self.endpoint)
        self.read_key()

    def read_key(self) -> str | None:
        """Return the key, None for an endpoint that needs none; MienError where it is missing."""
        if self.key is not None:
            names: tuple[str, ...] = (self.key,)
        elif self.endpoint is None:
            names = GEMINI_KEYS
        else:  # never the key of one company to the server of another
            names = ("OPENAI_API_KEY",) if self.host == OPENAI else ()
        keys = [os.environ[name].strip() for name in names if os.environ.get(name, "").strip()]
        if names and not keys:
            raise MienError(
                f"{' and '.join(names)} hold no key for {self.host}; export one of them"
                if len(names) > 1
                else f"the environment variable {names[0]} holds no key for {self.host}; export it"
            )
        if keys and not (keys[0].isascii() and keys[0].isprintable()):
            raise MienError(f"the key for {self.host} has letters that no key has; export it again")
        return keys[0] if keys else None

    def connect(self) -> Asks:
        """Return the service, ready to be asked; MienError as `check` does."""
        from mien.data.endpoint import Endpoint
        from mien.data.gemini import Gemini

        self.check()
        return Gemini(self) if self.endpoint is None else Endpoint(self)


def whole(text: str, tokens: tuple[int, int], *, cut: bool) -> Answer:
    """The answer without the thoughts that servers leave in it; UnansweredError if cut short."""
    text = re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.DOTALL).strip()
    if cut:
        raise UnansweredError("cut", text[-DETAIL:], tokens=tokens)
    if not text:
        raise UnansweredError("empty", tokens=tokens)
    return Answer(text, tokens)


def failure(
    service: Service, status: int, said: Any, headers: Mapping[str, str] | Any, key: str | None
) -> UnansweredError | MienError:
    """Return what a reply of an error status means; `said` is its JSON, or None."""
    said = said[0] if isinstance(said, list) and said else said
    error = said.get("error", said) if isinstance(said, dict) else {}
    error = error if isinstance(error, dict) else {"message": str(error)}
    detail = struck(f"status {status}: {error.get('message') or 'no reason given'}", key)
    code = str(error.get("code") or "")
    if code in FILTERED:
        return UnansweredError("refused", detail)
    if status in (408, 409, 425, 429) or status >= 500:
        if code != "insufficient_quota":
            return UnansweredError("overloaded", detail, wait=_wait(headers, error))
    elif status in (400, 413, 422) and "api key" not in detail.lower():  # Google's 400 for a key
        return UnansweredError("rejected", detail)
    return MienError(
        f"{service.host} does not let {service.model!r} be asked: {detail}; see to the model's "
        "name, the key in its environment variable and the account, then start again"
    )


def struck(text: str, key: str | None) -> str:
    """Return text in one line of at most DETAIL characters, with the key struck out."""
    return " ".join(unkeyed(text, key).split())[:DETAIL]


def unkeyed(text: str, key: str | None) -> str:
    """Return text with the key struck out; what is too short to be a secret stays."""
    return text.replace(key, "[key]") if key and len(key) >= SECRET else text


def _wait(headers: Any, error: dict) -> float | None:
    """Seconds that a reply asks to wait: Retry-After, or Google's RetryInfo in the body."""
    after = headers.get("Retry-After") if headers else None
    if after and re.fullmatch(r"\d+(\.\d+)?", after.strip()):
        return float(after)
    if after:
        try:
            return max(parsedate_to_datetime(after).timestamp() - time(), 0.0)
        except (TypeError, ValueError):
            return None
    for detail in error.get("details") or []:
        delay = detail.get("retryDelay", "") if isinstance(detail, dict) else ""
        if re.fullmatch(r"\d+(\.\d+)?s", str(delay)):
            return float(delay[:-1])
    return None


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        good = good and address.isascii() and address.isprintable() and " " not in address
    except ValueError:
        good = False
    if not good:
        raise MienError("the endpoint is no address; https://…/v1 is wanted")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise MienError(
            "the endpoint's address holds a name, a password or a query; give the plain address, "
            "and the key in an environment variable"
        )
