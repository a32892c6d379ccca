"""The study over HTTP: only what is listed is served, and nobody's answers are another's."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from mien.__main__ import main
from mien.study.films import read_films
from mien.study.plan import QUESTIONS
from mien.study.store import Store, read_answers
from studies import NAMES, Person, Study, write_study

server = pytest.importorskip("mien.study.server", reason="needs the extra study")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study") / "films")


@pytest.fixture
def port(films, tmp_path):
    """A study with one check that runs in a thread; its answers are in answers.sqlite."""
    store = Store(tmp_path / "answers.sqlite", read_films(films))
    taken = server.listen("127.0.0.1", 0)
    running = server.server(server.Site(store=store, films=read_films(films), checks=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]})
    thread.start()
    yield taken.getsockname()[1]
    running.should_exit = True
    thread.join()
    taken.close()
    store.close()


def finish(person, choice):
    """Answer everything with one choice; the last state."""
    state = person.post("/api/start")
    while state["phase"] == "judging":
        for question in QUESTIONS:
            person.post("/api/answer", place=state["place"], question=question, choice=choice)
        state = person.post("/api/finish", place=state["place"])
    return state


def test_a_participant_without_an_account(port, tmp_path):
    person = Person(port)
    assert person.state() == {"phase": "new", "total": 4}
    state = person.post("/api/start")
    assert (state["place"], state["total"], state["answers"]) == (0, 4, {})
    assert state["description"] in {f"quietly {name}" for name in NAMES}
    person.post("/api/answer", place=0, question="lips", choice="left")
    assert person.state()["answers"] == {"lips": "left"}
    assert person.post("/api/start")["answers"] == {"lips": "left"}  # a second window goes on
    assert finish(person, "equal") == {"phase": "done", "total": 4}
    assert person.state()["phase"] == "done"
    tasks = read_answers(tmp_path / "answers.sqlite").tasks
    assert [set(one.answers.values()) for one in tasks] == [{"equal"}] * 4


def test_two_at_once_do_not_mix(port, tmp_path):
    one, other = Person(port), Person(port)
    for person in (one, other):
        person.post("/api/start")
    for choice, person in (("left", one), ("right", other)):
        person.post("/api/answer", place=0, question="lips", choice=choice)
    assert one.state()["answers"] == {"lips": "left"}
    assert other.state()["answers"] == {"lips": "right"}
    assert one.send("/api/answer", place=1, question="lips", choice="left")[0] == 409
    left = threading.Thread(target=finish, args=(one, "left"))
    left.start()
    finish(other, "right")
    left.join()
    told = {}
    for judged in read_answers(tmp_path / "answers.sqlite").tasks:
        told.setdefault(judged.participant, set()).update(judged.answers.values())
    assert sorted(map(sorted, told.values())) == [["left"], ["right"]]


def test_the_next_person_at_this_browser_is_another_one(port):
    person = Person(port)
    finish(person, "left")
    assert person.post("/api/leave")["phase"] == "new"
    assert person.state()["phase"] == "new"
    assert person.post("/api/start")["place"] == 0


def test_nothing_sent_says_whose_film_it_is(port):
    person = Person(port)
    said = json.dumps(person.post("/api/start")) + str(person.request("GET", "/")[2])
    assert "ours" not in said.replace("yours", "")
    assert "theirs" not in said


def test_films_come_in_ranges(port, films):
    """Safari plays a film only from a server that answers these."""
    person = Person(port)
    address = person.post("/api/start")["left"]["film"]
    status, headers, whole = person.request("GET", address)
    assert (status, headers["content-type"]) == (200, "video/mp4")
    assert whole in {path.read_bytes() for path in films.rglob("*.mp4")}
    status, headers, part = person.request("GET", address, range="bytes=0-1")
    assert (status, part) == (206, whole[:2])
    assert headers["content-range"] == f"bytes 0-1/{len(whole)}"
    assert person.request("GET", address, range="bytes=10-")[2] == whole[10:]
    assert person.request("GET", address, range=f"bytes={len(whole)}-")[0] == 416
    assert person.request("HEAD", address)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/film/../descriptions.csv",
        "/film/..%2fdescriptions.csv",
        "/film/%2e%2e/%2e%2e/etc/passwd",
        "/film/ours/calm.mp4",
        "/film/calm.mp4",
        "/film//etc/passwd",
        "/film/",
        "/../server.py",
        "/page/../server.py",
        "/ours/calm.mp4",
        "/answers.sqlite",
        "/descriptions.csv",
        "/film/%00",
    ],
)
def test_nothing_else_is_served(port, path):
    assert Person(port).request("GET", path)[0] == 404


def test_browsers_are_told_to_do_no_more_than_the_page_needs(port):
    person = Person(port)
    for path in (
        "/",
        "/study.js",
        "/api/state",
        "/film/none",
        person.post("/api/start")["left"]["film"],
    ):
        headers = person.request("GET", path)[1]
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
    assert person.request("GET", "/api/state")[1]["cache-control"] == "no-store"


def test_the_cookie_is_out_of_reach(port):
    person = Person(port)
    cookie = person.request("POST", "/api/start", "{}", content_type="application/json")[1][
        "set-cookie"
    ]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 1000, "application/json", 400),
        (b'{"place": 0, "question": "lips"}', "application/json", 400),
        (b'{"place": "0", "question": "lips", "choice": "left"}', "application/json", 400),
        (b'{"place": true, "question": "lips", "choice": "left"}', "application/json", 400),
        (b'{"place": 0, "question": "x", "choice": "left"}', "application/json", 400),
        (b'{"place": 0, "question": "lips", "choice": "up"}', "application/json", 400),
        (b'{"place": 3000000000, "question": "lips", "choice": "left"}', "application/json", 400),
        (b'{"place": 0, "question": "lips", "choice": "left"}', "text/plain", 415),
        (b" " * 5000 + b"{}", "application/json", 413),
    ],
)  # fmt: skip
def test_bad_requests_change_nothing(port, body, kind, status):
    """Another site can send text/plain with the cookie of a careless browser, but no JSON."""
    person = Person(port)
    person.post("/api/start")
    assert person.request("POST", "/api/answer", body, content_type=kind)[0] == status
    assert person.state()["answers"] == {}
    assert Person(port).send("/api/answer", place=0, question="lips", choice="left")[0] == 409


def test_a_kill_loses_no_acknowledged_answer(films, tmp_path):
    """SIGKILL while four people answer as fast as they can; what was acknowledged is there."""
    answers = tmp_path / "answers.sqlite"
    study = Study(films, "--answers", str(answers), "--checks", "0")
    people, kept = [Person(study.port) for _ in range(4)], []

    def answer(person):
        try:
            person.post("/api/start")
            for turn in range(10_000):
                choice = ("left", "equal", "right")[turn % 3]
                person.post("/api/answer", place=0, question="lips", choice=choice)
                kept.append((person, choice))
        except (OSError, http.client.HTTPException):
            pass  # the server is gone

    threads = [threading.Thread(target=answer, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 120  # a second, unless the machine is busy
    while len({one for one, _ in kept}) < 4 or len(kept) < 20:
        assert time.monotonic() < until, kept
        time.sleep(0.01)
    study.kill()
    for thread in threads:
        thread.join()
    study.start()
    order = ("left", "equal", "right")
    for person in people:
        last = [choice for one, choice in kept if one is person][-1]
        # One more may have reached the disk, whose acknowledgement did not come back.
        after = order[(order.index(last) + 1) % 3]
        assert person.state()["answers"]["lips"] in (last, after)
    status, out, err = study.stop()
    assert (status, err) == (0, "")
    assert "Stopped. Judged so far: 0 pairs and checks, by 0 people." in out


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["gone"], "gone does not exist"),
        ([], "a folder of films is required, or --report"),
        (["films", "--ours", "x"], "no subfolder x; say which is ours"),
        (["films", "--pairs", "0"], "--pairs of 1 or more"),
        (["films", "--checks", "21"], "--checks of 0 to 20"),
        (["films", "--host", "8.8.8.8"], "cannot listen at 8.8.8.8"),
        (["films", "--port", "99999"], "cannot listen at 127.0.0.1 port 99999"),
        (["films", "--json", "a.json"], "--json belongs to --report"),
        (["films", "--against", "x.mien"], "--speech and --descriptions must be given too"),
        (["films", "--report", "a.sqlite"], "leave the folder out"),
        (["--report", "a.sqlite"], "a.sqlite is not there"),
        (["films", "--answers", "films/descriptions.csv"], "as an answers file"),
        (["films", "--answers", "no/answers.sqlite"], "as an answers file"),
    ],
)
def test_refusals(films, tmp_path, monkeypatch, capsys, options, match):
    os.symlink(films, tmp_path / "films")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(server, "serve", lambda *_: pytest.fail("it was served"))
    assert main(["study", *options, *([] if "--port" in options else ["--port", "0"])]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert match in err


def test_a_port_that_is_taken(films, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["study", str(films), "--port", str(other.getsockname()[1])]) == 2
    assert "choose --port" in capsys.readouterr().err


def test_without_the_extra_the_report_still_works(films, tmp_path):
    """Only serving needs it; and what is missing is named with its extra."""
    Store(tmp_path / "a.sqlite", read_films(films)).close()
    code = (
        "import sys; sys.modules['starlette'] = sys.modules['uvicorn'] = None\n"
        "from mien.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )

    def ran(*arguments):
        command = [sys.executable, "-c", code, "study", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    assert ran("--report", str(tmp_path / "a.sqlite")).returncode == 0
    refused = ran(str(films), "--port", "0")
    assert refused.returncode == 2
    assert "pip install 'mien[study]'" in refused.stderr
