"""Google's Gemini, through google-genai, as a service that sees pictures."""

from typing import Any

from mien.data.vision import (
    Answer,
    Question,
    Service,
    UnansweredError,
    failure,
    struck,
    unkeyed,
    whole,
)
from mien.errors import MienError


class Gemini:
    """Google's Gemini, through google-genai."""

    def __init__(self, service: Service, *, address: str | None = None) -> None:
        """`address`: another server of the same protocol."""
        try:
            from google import genai
            from google.genai import errors, types
        except ModuleNotFoundError as error:
            raise MienError(
                f"{error.name} is not installed; install it with: pip install 'mien[paper]'"
            ) from error
        self._service, self._key = service, service.read_key()
        self._types, self._errors = types, errors
        self._client = genai.Client(
            vertexai=False,
            api_key=self._key,
            http_options=types.HttpOptions(
                base_url=address,
                timeout=round(service.timeout * 1000),
                retry_options=types.HttpRetryOptions(attempts=1),  # `Line` asks again
            ),
        )

    def ask(self, question: Question) -> Answer:
        """As `Asks.ask`."""
        part = self._types.Part
        pictures = [part.from_bytes(data=one, mime_type="image/jpeg") for one in question.pictures]
        try:
            reply = self._client.models.generate_content(
                model=self._service.model,
                contents=[*pictures, part.from_text(text=question.text)],
                config=self._types.GenerateContentConfig(max_output_tokens=self._service.longest),
            )
        except self._errors.APIError as error:
            headers = getattr(error.response, "headers", None) or {}
            said = error.details
            raise failure(self._service, error.code or 500, said, headers, self._key) from None
        except ValueError as error:  # no JSON, or JSON of another form
            raise UnansweredError("broken", struck(str(error), self._key)) from None
        except Exception as error:
            # Of its transport (httpx, httpx2 or requests) only the names of errors are common.
            name = type(error).__name__
            kinds = {"Timeout": "timeout", "Protocol": "broken", "Decod": "broken"}
            reasons = [reason for part, reason in kinds.items() if part in name]
            reason = reasons[0] if reasons else "unreachable"
            raise UnansweredError(reason, struck(f"{name}: {error}", self._key)) from None
        return _reply_to_answer(reply, self._key)


def _reply_to_answer(reply: Any, key: str | None) -> Answer:
    usage = reply.usage_metadata
    written = usage and (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    tokens = ((usage and usage.prompt_token_count) or 0, written or 0)
    blocked = reply.prompt_feedback and reply.prompt_feedback.block_reason
    if blocked or not reply.candidates:
        reason = "refused" if blocked else "broken"
        raise UnansweredError(reason, getattr(blocked, "value", "no candidate"), tokens=tokens)
    first = reply.candidates[0]
    end = getattr(first.finish_reason, "value", "STOP")
    parts = (first.content.parts if first.content else None) or []
    text = unkeyed("".join(part.text or "" for part in parts if not part.thought), key)
    if end in ("STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"):
        return whole(text, tokens, cut=end == "MAX_TOKENS")
    raise UnansweredError("refused", end, tokens=tokens)
