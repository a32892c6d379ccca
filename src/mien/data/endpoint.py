"""Any endpoint that speaks OpenAI's protocol, as a service that sees pictures."""

import base64
import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from mien.data.vision import (
    OPENAI,
    Answer,
    Question,
    Service,
    UnansweredError,
    failure,
    struck,
    unkeyed,
    whole,
)

LARGEST_REPLY = 10_000_000
"""bytes; an answer is a few kilobytes"""


class Endpoint:
    """A service that answers POST /chat/completions as OpenAI's does; no redirect is followed."""

    def __init__(self, service: Service) -> None:
        self._service, self._key = service, service.read_key()
        self._address = (service.endpoint or "").rstrip("/") + "/chat/completions"
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, question: Question) -> Answer:
        """As `Asks.ask`."""
        body = json.dumps(self._request(question)).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "mien"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._address, body, headers)
        try:
            status, headers, text = self._send(request)
        except (http.client.HTTPException, ConnectionError) as error:  # it broke off midway
            raise UnansweredError("broken", struck(f"{error!r}", self._key)) from None
        except OSError as error:  # a URLError hides a timeout of connecting in its reason
            late = isinstance(getattr(error, "reason", error), TimeoutError)
            reason = "timeout" if late else "unreachable"
            raise UnansweredError(reason, struck(str(error), self._key)) from None
        try:
            said = json.loads(unkeyed(text, self._key))
        except ValueError:
            said = None
        if status != 200:
            raise failure(self._service, status, said, headers, self._key)
        return reply_to_answer(said)

    def _send(self, request: urllib.request.Request) -> tuple[int, Any, str]:
        """Return status, headers and body, whatever the status is."""
        try:
            reply: Any = self._opener.open(request, timeout=self._service.timeout)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            body = reply.read(LARGEST_REPLY)
        return reply.status, reply.headers, body.decode("utf-8", errors="replace")

    def _request(self, question: Question) -> dict[str, Any]:
        content: list[dict] = [{"type": "text", "text": question.text}]
        for picture in question.pictures:
            url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
            content.append({"type": "image_url", "image_url": {"url": url}})
        # OpenAI's newer models refuse the old name, other servers know only that.
        limit = "max_completion_tokens" if self._service.host == OPENAI else "max_tokens"
        message = {"role": "user", "content": content if question.pictures else question.text}
        return {
            "model": self._service.model,
            "messages": [message],
            limit: self._service.longest,
        }


def reply_to_answer(reply: Any) -> Answer:
    """Return what an OpenAI-compatible endpoint answered; UnansweredError where it is no answer."""
    try:
        choice, usage = reply["choices"][0], reply.get("usage") or {}
        message = choice["message"]
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content)
        if not isinstance(content, str):
            raise TypeError(f"content is {type(content).__name__}")
        tokens = (
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
        )
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
        raise UnansweredError("broken", f"no answer in the reply ({error})") from None
    end = choice.get("finish_reason")
    if message.get("refusal") or end == "content_filter":
        raise UnansweredError("refused", str(message.get("refusal") or end), tokens=tokens)
    return whole(content, tokens, cut=end == "length")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to a server that nobody named."""

    def redirect_request(self, *_: Any) -> None:
        return None
