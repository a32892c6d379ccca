"""A service on this machine that answers like OpenAI's or Google's, or misbehaves as it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = "\n".join(["cheerful", "glad", "joyful", "merry", "beaming", "elated"])
SENTENCES = "\n".join(f"{n}. The corners of the mouth rise, version {n}." for n in range(1, 7))


def openai(text, *, end="stop", refusal=None, tokens=(4000, 20)):
    """A reply of an OpenAI-compatible endpoint."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return {"choices": [{"message": message, "finish_reason": end}], "usage": usage}


def gemini(text, *, end="STOP", tokens=(4000, 20), thoughts=0):
    """A reply of Google's generateContent."""
    usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1]}
    usage["thoughtsTokenCount"] = thoughts
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "finishReason": end}], "usageMetadata": usage}


def usual(prompt):
    """What a model that behaves says to a prompt."""
    if prompt.startswith("List"):
        return WORDS
    if prompt.startswith("Write"):
        return SENTENCES
    return "Seething anger." if "the emotion" in prompt else "The brows are pulled down."


class Listener:
    """Answers POST; `answer(request, number)` returns what to send, see `_Handler._send`."""

    def __init__(self):
        self.requests = []
        """what came: path, headers, body, and its text and pictures (base64)"""
        self.answer = lambda request, number: openai(usual(request["text"]))
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.listener = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def heard(self, request):
        with self._lock:
            self.requests.append(request)
            return len(self.requests) - 1


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text, pictures = _google(body) if "contents" in body else _openai(body)
        request = {"path": self.path, "headers": dict(self.headers), "body": body}
        request |= {"text": text, "pictures": pictures, "at": time.monotonic()}
        listener = self.server.listener  # type: ignore[attr-defined]
        number = listener.heard(request)
        self._send(listener.answer(request, number))

    def _send(self, reply):
        """A dict is JSON; (status, headers, dict) an error; bytes are sent as they are, a tuple
        (bytes, length) claims another length; None says nothing at all for two seconds."""
        if reply is None:
            time.sleep(2)
            return
        status, headers, claimed = 200, {}, None
        if isinstance(reply, tuple) and isinstance(reply[0], int):
            status, headers, reply = reply
        elif isinstance(reply, tuple):
            reply, claimed = reply
        body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(claimed or len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _openai(body):
    content = body["messages"][0]["content"]
    if isinstance(content, str):
        return content, []
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    return content[0]["text"], [url.removeprefix("data:image/jpeg;base64,") for url in urls]


def _google(body):
    parts = body["contents"][0]["parts"]
    text = "".join(part.get("text", "") for part in parts)
    return text, [part["inlineData"]["data"] for part in parts if "inlineData" in part]
