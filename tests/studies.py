"""What the tests of the study share: small films, a server in its own process, a client of it."""

import http.client
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from mien.study.films import DESCRIPTIONS, Film, Films, Pair
from mien.study.plan import QUESTIONS, Task
from terminal import SECONDS, babble, contents, write_film

NAMES = ("calm", "furious", "joyful")


def write_study(folder, names=NAMES):
    """A folder of films: subfolders ours and theirs, and what the faces express."""
    for seed, label in enumerate(("ours", "theirs")):
        (folder / label).mkdir(parents=True)
        for number, name in enumerate(names):
            write_film(folder / label / f"{name}.mp4", babble(SECONDS, seed=10 * number + seed))
    lines = (f"{name}|quietly {name}\n" for name in names)
    (folder / DESCRIPTIONS).write_text("".join(lines))
    return folder


def planned(names=NAMES):
    """Films that are nowhere, for those who never look."""

    def film(path):
        return Film(Path(path), path)

    pairs = tuple(
        Pair(name, f"quietly {name}", film(f"t{name}"), film(f"o{name}")) for name in names
    )
    return Films("theirs", "ours", pairs)


def hasty(store):
    """The store, no longer waiting for the disk: for tests of what is kept, not of how surely."""
    store._base.execute("PRAGMA synchronous = OFF")
    return store


def judge(store, tasks, choose):
    """A participant who answers all tasks: choose(task, question) is left, equal or right."""
    token = store.begin(list(tasks))
    for place, task in enumerate(tasks):
        for question in QUESTIONS:
            store.answer(token, place, question, choose(task, question))
        store.finish(token, place)
    return token


def side_of(task: Task, system):
    return "left" if task.left == system else "right"


def contents_but_answers(folder):
    """All files of a folder but the answers, which say when they were begun."""
    return {path: content for path, content in contents(folder).items() if path.suffix != ".sqlite"}


class Study:
    """`mien study` in a process of its own, which may be killed and started again."""

    def __init__(self, folder, *options, port=0):
        self.command = [sys.executable, "-m", "mien", "study", str(folder), *options]
        self.port = port
        self.start()

    def start(self):
        """Start, at the port that it had before."""
        command = [*self.command, "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/$", line.strip())
        assert found, line or self.process.communicate()
        self.url, self.port = found[0], int(found[1])

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def stop(self):
        """Ctrl-C: status, stdout and stderr."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


class Person:
    """A participant without a browser: keeps a cookie, and nothing else."""

    def __init__(self, port):
        self.port, self.cookie = port, None

    def request(self, method, path, body=None, **headers):
        """Status, headers and body; headers are given with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            named["cookie"] = self.cookie
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            if given := response.getheader("set-cookie"):
                self.cookie = given.split(";")[0]
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def post(self, path, **sent):
        """The answer of a request that must succeed."""
        status, body = self.send(path, **sent)
        assert status == 200, body
        return body

    def send(self, path, **sent):
        status, _, body = self.request(
            "POST", path, json.dumps(sent), content_type="application/json"
        )
        return status, json.loads(body) if status == 200 else body.decode()

    def state(self):
        return json.loads(self.request("GET", "/api/state")[2])
