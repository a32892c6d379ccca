"""mien describe against a service on this machine that answers, and one that misbehaves."""

import base64
import dataclasses
import io
import json
import pickle
import threading
import time

import av
import numpy as np
import pytest

from listener import Listener, gemini, openai, usual
from mien.__main__ import main
from mien.data import asked, describe, described, line, pictures, questions
from mien.data.clips import Corpus, CorpusWriter
from mien.data.gemini import Gemini
from mien.data.vision import Question, Service, UnansweredError
from mien.errors import MienError
from test_clips import make_clip

KEY = "sk-very-secret-0123456789"
BRISK = line.Manners(attempts=4, patience=0.01)
FEW = asked.Asked(pieces=2, pictures=1)


@pytest.fixture
def listener(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MY_KEY", KEY)
    with Listener() as listening:
        yield listening


@pytest.fixture
def service(listener):
    return Service("seer-1", f"{listener.address}/v1", "MY_KEY", timeout=20)


@pytest.fixture(autouse=True)
def quick(monkeypatch, face):
    """Faces are not drawn but where a test is about that."""
    monkeypatch.setattr(describe, "_drawing", lambda folder: (face, None))
    monkeypatch.setattr(pictures, "of_face", lambda *arguments: [b"x" for _ in arguments[-1]])


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus", "ab")


def write_corpus(folder, names, **changes):
    writer = CorpusWriter(folder)
    for name in names:
        writer.add(make_clip(name, frames=60, **changes))
    return Corpus(folder)


def run(corpus, service, *, wanted=FEW, manners=BRISK, **options):
    work = asked.plan(corpus, service, wanted)
    return describe.describe(corpus, service, wanted, work, manners=manners, **options)


def lines(corpus, name=described.DESCRIPTIONS):
    path = corpus.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def about_clips(listener):
    return [request for request in listener.requests if request["pictures"]]


# What is asked, and what comes of it


def test_each_clip_and_label_is_described_and_read_back(corpus, service, listener):
    report = run(corpus, service)
    assert (report.answers, report.lost) == (2 * 2 * 2 + 2, {})
    assert report.tokens == (4000 * 10, 20 * 10)
    said = lines(corpus)
    assert {(one["clip"], one["question"]) for one in said} == {
        (clip, question) for clip in "ab" for question in ("expression", "emotion")
    }
    assert {(one["question"], one["text"]) for one in said} == {
        ("expression", "The brows are pulled down."),
        ("emotion", "Seething anger."),
    }
    assert {one["model"] for one in said} == {"seer-1"}
    for record in Corpus(corpus.folder).records:
        assert sorted(record.descriptions) == ["Seething anger.", "The brows are pulled down."]
    label = described.read_labels(corpus.folder)["happy"]
    assert label.words[:3] == ("happy", "cheerful", "glad")
    assert label.sentences[0] == "The corners of the mouth rise, version 1."


def test_the_prompt_is_about_the_pieces_pictures(corpus, service, listener):
    run(corpus, service, wanted=asked.Asked(pieces=1))
    for request in about_clips(listener):
        assert len(request["pictures"]) == 15
        assert request["text"].startswith("These 15 pictures, in order, show 0.5 seconds")
        assert request["body"]["model"] == "seer-1"
        assert request["path"] == "/v1/chat/completions"
        assert request["headers"]["Authorization"] == f"Bearer {KEY}"
    for asked_for in ("Describe the facial expression", "Describe the emotion"):
        assert sum(asked_for in request["text"] for request in listener.requests) == 2


def test_pieces_are_15_steady_frames_drawn_at_random_and_the_same_again():
    record = make_clip("a", frames=200, steady=(50, 150)).record
    found = asked.pieces(record, asked.Asked())
    assert len(set(found)) == 5
    assert all(stop - start == 15 and start >= 50 and stop <= 150 for start, stop in found)
    assert found == asked.pieces(record, asked.Asked())
    assert found != asked.pieces(record, asked.Asked(seed=1))
    assert found != asked.pieces(make_clip("b", frames=200, steady=(50, 150)).record, asked.Asked())
    starts = {
        start for seed in range(300) for start, _ in asked.pieces(record, asked.Asked(seed=seed))
    }
    assert (min(starts), max(starts)) == (50, 135)


def test_short_clips_have_fewer_pieces():
    assert asked.pieces(make_clip(frames=9, steady=(0, 9)).record, asked.Asked()) == [(0, 9)]
    three = asked.pieces(make_clip(frames=17, steady=(0, 17)).record, asked.Asked())
    assert three == [(0, 15), (1, 16), (2, 17)]
    hardly_steady = asked.pieces(make_clip(frames=60, steady=(50, 60)).record, asked.Asked())
    assert len(hardly_steady) == 5


def test_composed_clips_have_no_label_and_labels_have_all_their_names(tmp_path, service, listener):
    writer = CorpusWriter(tmp_path)
    writer.add(make_clip("a", emotion="composed", descriptions=["a raised brow"]))
    writer.add(make_clip("b", emotion="afraid", provenance={"label": "fear"}))
    corpus = Corpus(tmp_path)
    run(corpus, service)
    labels = described.read_labels(tmp_path)
    assert set(labels) == {"afraid"}
    assert labels["afraid"].words[:2] == ("afraid", "fear")
    assert Corpus(tmp_path).records[0].descriptions[0] == "a raised brow"
    assert len(Corpus(tmp_path).records[0].descriptions) == 3


# Resuming


def test_what_was_answered_is_not_asked_again(corpus, service, listener):
    run(corpus, service)
    sent = len(listener.requests)
    assert asked.plan(corpus, service, FEW).questions == 0
    assert run(corpus, service).answers == 0
    assert len(listener.requests) == sent
    more = asked.plan(corpus, service, asked.Asked(pieces=2, pictures=1, seed=9))
    assert more.questions == 8


def test_answers_are_saved_as_they_come_and_a_cut_line_is_asked_again(corpus, service, listener):
    def dies(request, number):
        saved.append(len(lines(corpus)))
        return openai(usual(request["text"])) if number < 5 else (401, {}, {"error": {}})

    saved = []
    listener.answer = dies
    with pytest.raises(MienError, match="does not let 'seer-1' be asked: status 401"):
        run(corpus, service, at_once=1)
    assert saved == [0, 0, 0, 1, 2, 3]
    path = corpus.folder / described.DESCRIPTIONS
    path.write_bytes(path.read_bytes()[:-9])
    assert len(described.read_said(corpus.folder)) == 2  # a cut line says nothing
    listener.answer = lambda request, number: openai(usual(request["text"]))
    assert run(corpus, service).answers == 6
    assert len(described.read_said(corpus.folder)) == 8
    assert len(set(map(str, lines(corpus)))) == 8


def test_a_full_disk_leaves_whole_lines(corpus, service, listener, monkeypatch):
    written = []
    notes = described.Notes(corpus.folder)
    said = described.Said("a", "emotion", (0, 15), "Calm.", "seer-1")
    notes.add(said)

    class Full(io.FileIO):
        def write(self, data):
            written.append(super().write(bytes(data)[:10]))
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.open", lambda path, mode: Full(path, mode))
        with pytest.raises(MienError, match="No space left on device; make room and start again"):
            notes.add(said)
    assert written == [10]
    assert described.read_said(corpus.folder) == [said]


# A service that misbehaves


def test_too_many_requests_make_all_wait_as_long_as_is_asked(corpus, service, listener):
    def busy(request, number):
        return (429, {"Retry-After": "1"}, {"error": {"message": "slow down"}}) if number == 3 \
            else openai(usual(request["text"]))  # fmt: skip

    listener.answer = busy
    report = run(corpus, service, at_once=2)
    assert (report.answers, report.lost) == (10, {})
    at = sorted(request["at"] for request in listener.requests)
    assert max(np.diff(at)) > 0.7
    assert len(listener.requests) == 11


@pytest.mark.parametrize(
    ("headers", "body", "least"),
    [
        ({"Retry-After": "0.3"}, {}, 0.3),
        ({}, {"error": {"details": [{"@type": "…RetryInfo", "retryDelay": "0.3s"}]}}, 0.3),
        ({"Retry-After": "Mon, 23 Nov 2020 03:17:46 GMT"}, {}, 0.0),
        ({"Retry-After": "soon"}, b"<html>", 0.0),
    ],
)
def test_ways_to_say_how_long_to_wait(service, listener, headers, body, least):
    listener.answer = lambda request, number: (503, headers, body) if not number else openai("Yes.")
    asking = line.Line(service.connect(), BRISK)
    assert asking.ask(Question("?"), str)[0] == "Yes."
    first, second = (request["at"] for request in listener.requests)
    assert least <= second - first < least + 5


def test_a_wait_of_hours_ends_the_run(corpus, service, listener):
    listener.answer = lambda *_: (429, {"Retry-After": "7200"}, {"error": {"message": "quota"}})
    with pytest.raises(MienError, match=r"asks to wait 120 minutes \(status 429: quota\)"):
        run(corpus, service)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "timeout"),
        (b'{"choices": [{"message": {"cont', "broken"),
        (b"<html>Bad gateway</html>", "broken"),
        ({"choices": []}, "broken"),
        ({"choices": [{"message": {"content": 7}}]}, "broken"),
        ({"choices": [{"message": {}}], "usage": {"prompt_tokens": "x"}}, "broken"),
        ((b'{"choices"', 500), "broken"),
        ((500, {}, {"error": "oops"}), "overloaded"),
        ((429, {}, b"[]"), "overloaded"),
    ],
)  # fmt: skip
def test_passing_faults_are_tried_again(service, listener, reply, reason):
    glad = openai("Glad.", tokens=(5, 6))
    listener.answer = lambda request, number: reply if number < 2 else glad
    service = dataclasses.replace(service, timeout=20 if reply else 0.5)
    asking = line.Line(service.connect(), BRISK)
    assert asking.ask(Question("?"), questions.read_sentence) == ("Glad.", (5, 6))
    listener.requests.clear()
    listener.answer = lambda *_: reply
    if reply is not None:
        with pytest.raises(UnansweredError, match=reason):
            asking.ask(Question("?"), questions.read_sentence)
        assert len(listener.requests) == 4


def test_faults_that_stay_are_counted_and_asked_again_later(corpus, service, listener):
    def broken(request, number):
        return b"{" if "the emotion that" in request["text"] else openai(usual(request["text"]))

    listener.answer = broken
    report = run(corpus, service)
    assert (report.answers, report.lost) == (6, {"broken": 4})
    assert lines(corpus, described.UNANSWERED) == []
    assert asked.plan(corpus, service, FEW).questions == 4


def test_a_service_that_is_gone_ends_the_run_soon(tmp_path, service, listener):
    corpus = write_corpus(tmp_path, "abcdefgh")
    listener.answer = lambda *_: b"{"
    manners = line.Manners(attempts=2, patience=0.001)
    with pytest.raises(MienError, match="the last 8 questions got no answer"):
        run(corpus, service, manners=manners, at_once=1)
    assert len(listener.requests) == 16
    nobody = Service("seer-1", "http://127.0.0.1:9/v1", timeout=0.5)
    with pytest.raises(UnansweredError, match="unreachable"):
        nobody.connect().ask(Question("?"))


@pytest.mark.parametrize(
    ("reply", "reason", "sent"),
    [
        (openai("", refusal="I can't describe people."), "refused", 1),
        (openai("I’m sorry, but I can't help with that."), "refused", 1),
        (openai(None, end="content_filter"), "refused", 1),
        ((400, {}, {"error": {"code": "content_filter", "message": "no"}}), "refused", 1),
        (openai(""), "empty", 2),
        (openai(" ... \n"), "empty", 2),
        (openai("<think>The brows"), "empty", 2),
        (openai("The brows are", end="length"), "cut", 2),
    ],
)
def test_refused_empty_and_cut_answers_are_recorded_and_not_asked_again(
    corpus, service, listener, reply, reason, sent
):
    def awkward(request, number):
        odd = "the emotion that" in request["text"]
        return reply if odd else openai(usual(request["text"]))

    listener.answer = awkward
    report = run(corpus, service)
    assert (report.answers, report.lost) == (6, {reason: 4})
    assert len(listener.requests) == 6 + 4 * sent
    lost = lines(corpus, described.UNANSWERED)
    assert {(one["clip"], one["question"], one["reason"], one["model"]) for one in lost} == {
        (clip, "emotion", reason, "seer-1") for clip in "ab"
    }
    plan = asked.plan(corpus, service, FEW)
    assert (plan.questions, plan.answered, plan.given_up) == (0, 6, 4)
    other = Service("seer-2", service.endpoint)
    assert asked.plan(corpus, other, FEW).questions == 4
    paid = 0 if isinstance(reply, tuple) else 4 * sent
    assert report.tokens == (4000 * (6 + paid), 20 * (6 + paid))


def test_a_refused_label_is_recorded_as_a_label(corpus, service, listener):
    listener.answer = lambda request, number: openai(
        "I cannot do that." if request["text"].startswith("List") else usual(request["text"])
    )
    report = run(corpus, service)
    assert report.lost == {"refused": 1}
    (lost,) = lines(corpus, described.UNANSWERED)
    assert (lost["label"], lost["question"], lost["clip"]) == ("happy", "words", "")
    assert described.read_labels(corpus.folder)["happy"].words == ()
    assert asked.plan(corpus, service, FEW).questions == 0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, {"message": f"Incorrect API key provided: {KEY}"}),
        (404, {"message": "no such model"}),
        (429, {"code": "insufficient_quota", "message": "pay first"}),
        (302, {"message": "elsewhere"}),
    ],
)
def test_what_no_patience_mends_ends_the_run_at_once(corpus, service, listener, status, error):
    listener.answer = lambda *_: (
        status, {"Location": "http://127.0.0.1:1/"}, {"error": error}
    )  # fmt: skip
    with pytest.raises(MienError, match=f"status {status}: ") as caught:
        run(corpus, service, at_once=1)
    assert len(listener.requests) == 1
    assert KEY not in str(caught.value)


def test_no_more_than_so_many_a_minute(corpus, service, listener):
    run(corpus, service, manners=line.Manners(per_minute=600))
    at = sorted(request["at"] for request in listener.requests)
    assert at[-1] - at[0] > 0.7 * 0.1 * (len(at) - 1)


def test_closing_the_line_wakes_those_that_wait(service, listener):
    listener.answer = lambda *_: (503, {"Retry-After": "300"}, {})
    asking, ended = line.Line(service.connect(), BRISK), []

    def wait():
        try:
            asking.ask(Question("?"), str)
        except line.StoppedError:
            ended.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    while not listener.requests:
        time.sleep(0.01)
    asking.close()
    thread.join(30)
    assert ended


# The key


def test_the_key_is_in_no_file_and_no_answer(corpus, service, listener):
    listener.answer = lambda request, number: openai(
        f"Happy as {KEY}." if request["pictures"] else f"{usual(request['text'])}\nmy {KEY} is"
    )
    run(corpus, service)
    listener.answer = lambda *_: openai(f"I cannot tell {KEY}.")
    run(corpus, service, wanted=asked.Asked(pieces=3, pictures=1, seed=4))
    files = [path for path in corpus.folder.rglob("*") if path.is_file()]
    assert len(files) == 6
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert "Happy as [key]." in {one["text"] for one in lines(corpus)}
    asks = describe._AskClip(corpus.folder, service, FEW, BRISK)
    assert KEY.encode() not in pickle.dumps(asks)


def test_a_key_goes_only_where_it_belongs(listener, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    elsewhere = Service("seer-1", f"{listener.address}/v1")
    listener.answer = lambda *_: openai("Yes.")
    elsewhere.connect().ask(Question("?"))
    assert "Authorization" not in listener.requests[0]["headers"]
    assert Service("gpt", "https://api.openai.com/v1").read_key() == KEY


@pytest.mark.parametrize(
    ("service", "match"),
    [
        (Service("gemini-x"), "GEMINI_API_KEY and GOOGLE_API_KEY hold no key for Google"),
        (Service("gemini-x", key="NO_KEY"), "the environment variable NO_KEY holds no key"),
        (Service("gemini-x", key="ODD_KEY"), "has letters that no key has"),
        (Service("gpt", "https://api.openai.com/v1"), "variable OPENAI_API_KEY holds no key"),
        (Service("gpt"), "only a gemini-… can be asked; give --endpoint"),
        (Service("gpt", "api.openai.com/v1"), "the endpoint is no address"),
        (Service("gpt", "https://a b/v1"), "the endpoint is no address"),
        (Service("gpt", "https://h:99999/v1"), "the endpoint is no address"),
        (Service("gpt", f"https://me:{KEY}@h/v1"), "holds a name, a password"),
        (Service("gpt", f"https://h/v1?key={KEY}"), "holds a name, a password or a query"),
        (Service("gpt", "https://h/v1", KEY), "never the key itself"),
    ],
)
def test_services_that_cannot_be_asked(listener, monkeypatch, service, match):
    monkeypatch.setenv("ODD_KEY", "schlüssel")
    with pytest.raises(MienError, match=match) as caught:
        service.connect()
    assert KEY not in str(caught.value)


# Google's Gemini


@pytest.fixture
def google(listener, monkeypatch):
    pytest.importorskip("google.genai")
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")  # this is not what is asked for
    return Gemini(Service("gemini-x", timeout=20), address=listener.address)


def test_gemini_sees_the_pictures_and_counts_its_thoughts(google, listener):
    listener.answer = lambda *_: gemini("Glad.", tokens=(4000, 20), thoughts=300)
    answer = google.ask(Question("How?", (b"first", b"second")))
    assert (answer.text, answer.tokens) == ("Glad.", (4000, 320))
    (request,) = listener.requests
    assert request["path"].endswith("/models/gemini-x:generateContent")
    assert [base64.b64decode(picture) for picture in request["pictures"]] == [b"first", b"second"]
    assert request["text"] == "How?"
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert headers["x-goog-api-key"] == KEY
    assert KEY not in request["path"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (gemini("", end="SAFETY"), "refused: SAFETY"),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "refused: PROHIBITED"),
        (gemini("The brows", end="MAX_TOKENS"), "cut: The brows"),
        (gemini(""), "empty"),
        ({"candidates": []}, "broken"),
        (b'{"candidates": [{"con', "broken"),
        ((b'{"candidates"', 900), "broken"),
        ((503, {}, {"error": {"code": 503, "message": f"busy {KEY}"}}), "overloaded.*busy .key."),
        (
            (400, {}, {"error": {"code": 400, "message": "bad picture"}}),
            "rejected: status 400",
        ),
        (None, "timeout"),
    ],
)
def test_gemini_misbehaves(google, listener, reply, reason):
    listener.answer = lambda *_: reply
    if reply is None:
        google = Gemini(Service("gemini-x", timeout=0.5), address=listener.address)
    with pytest.raises(UnansweredError, match=reason):
        google.ask(Question("?"))
    assert len(listener.requests) == 1


def test_gemini_says_how_long_to_wait_and_what_is_wrong_with_a_key(google, listener):
    listener.answer = lambda *_: (429, {}, {"error": {"details": [{"retryDelay": "34s"}]}})
    with pytest.raises(UnansweredError) as caught:
        google.ask(Question("?"))
    assert caught.value.wait == 34.0
    listener.answer = lambda *_: (400, {}, {"error": {"message": "API key not valid."}})
    with pytest.raises(MienError, match="API key not valid"):
        google.ask(Question("?"))


# Texts


def test_sentences_are_cleaned():
    read = questions.read_sentence
    assert read(' "**Broad** smile,\n eyes narrowed." ') == "Broad smile, eyes narrowed."
    assert read("- 1. Sad and `tired`.") == "1. Sad and tired."
    assert read("Sorry and ashamed.") == "Sorry and ashamed."
    long = read("A smile. " * 50)
    assert len(long) <= 300
    assert long.endswith("smile.")
    with pytest.raises(UnansweredError, match="cut"):
        read("smile " * 60)


def test_lists_are_read_whatever_their_form():
    wanted = ["glad", "very happy", "joyful", "merry", "beaming"]
    forms = [
        "\n".join(wanted),
        "\n".join(f"{n}) {word}" for n, word in enumerate(wanted, 1)),
        "Here are the words you asked me for:\n\n" + "\n".join(f"* **{word}**" for word in wanted),
        "```json\n" + json.dumps([*wanted, "Glad", 3]) + "\n```",
        json.dumps(wanted, indent=1)[:-3],  # cut before its end
    ]
    for form in forms:
        assert questions.read_list(form, "words")[:4] == wanted[:4]
        assert len(questions.read_list(form, "words")) == 5
    sentences = [f"Raise the brows a little, please {n}." for n in range(70)]
    found = questions.read_list("Sentences:\n" + "\n".join(sentences), "sentences")
    assert found == sentences[:60]
    with pytest.raises(UnansweredError, match="4 words"):
        questions.read_list("\n".join(wanted[:4]), "words")
    with pytest.raises(UnansweredError, match="refused"):
        questions.read_list("I'm sorry, I can't.", "words")


@pytest.mark.parametrize("line", ["{", "[]", '{"clip": "a"}', '{"clip": "a", "question": "emotion",'
    ' "segment": [0, 15], "text": " ", "model": "m"}'])  # fmt: skip
def test_damaged_descriptions_are_named(corpus, line):
    (corpus.folder / described.DESCRIPTIONS).write_text(line + "\n")
    with pytest.raises(MienError, match=r"descriptions.jsonl, line 1 is damaged.*remove it"):
        Corpus(corpus.folder)


def test_damaged_labels_are_named(corpus):
    (corpus.folder / described.LABELS).write_text('{"happy": {"sentences": "one", "words": []}}')
    with pytest.raises(MienError, match="'happy': lists of text called sentences and words"):
        described.read_labels(corpus.folder)


# Pictures


def write_steps(path, *, fps=25, frames=40, width=96, height=64):
    """A silent video whose middle square is 6 t bright in picture t, red left and right of it."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "5"}
        for t in range(frames):
            image = np.full((height, width, 3), min(6 * t, 255), np.uint8)
            image[:, : (width - height) // 2] = image[:, (width + height) // 2 :] = (255, 0, 0)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        film.mux(stream.encode(None))
    return path


def decoded(jpeg):
    with av.open(io.BytesIO(jpeg)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def brightness(jpeg):
    return decoded(jpeg)[8:-8, 8:-8].mean()


def test_pictures_come_from_the_videos_frames(tmp_path):
    path = write_steps(tmp_path / "a.mp4")
    moments = [0.0, 0.21, 0.59, 1.0]
    found = pictures.from_video(path, moments, size=48)
    assert decoded(found[0]).shape == (48, 48, 3)
    shown = [brightness(one) / 6 for one in found]
    assert shown == pytest.approx([0, 5, 15, 25], abs=0.4)
    assert np.ptp(decoded(found[3])[8:-8, 8:-8].astype(int)) < 12  # the red is cut off


def test_late_pieces_of_a_long_video_are_found(tmp_path):
    path = write_steps(tmp_path / "a.mp4", fps=4)
    (found,) = pictures.from_video(path, [9.25], size=48)
    assert brightness(found) / 6 == pytest.approx(37, abs=0.4)


def test_a_video_that_ends_too_soon_or_is_none(tmp_path):
    path = write_steps(tmp_path / "a.mp4", frames=10)
    assert len(pictures.from_video(path, [0.36, 0.40])) == 2
    with pytest.raises(MienError, match=r"ends before 0\.60 s"):
        pictures.from_video(path, [0.3, 0.6])
    path.write_bytes(b"no video")
    with pytest.raises(MienError, match="cannot be read as video"):
        pictures.from_video(path, [0.0])


def test_a_clip_shows_its_part_of_its_video(tmp_path, service, listener):
    """The clip is frames 20 to 60 at 30 fps of a video that lies beside the corpus."""
    write_steps(tmp_path / "take.mp4", fps=25, frames=60)
    origin = {"video": "../take.mp4", "captured_from": {"frames": [6, 46]}}
    corpus = CorpusWriter(tmp_path / "corpus")
    corpus.add(make_clip("a", frames=40, steady=(0, 15), provenance=origin))
    corpus = Corpus(tmp_path / "corpus")
    run(corpus, service, wanted=asked.Asked(pieces=1))
    request = about_clips(listener)[0]
    shown = [brightness(base64.b64decode(one)) / 6 for one in request["pictures"]]
    expected = [round((6 + t) / 30 * 25 - 1e-6) for t in range(15)]
    assert shown == pytest.approx(expected, abs=1.1)


def test_a_missing_video_is_said_before_anything_is_sent(tmp_path, service, listener):
    corpus = write_corpus(tmp_path, "ab", provenance={"video": "/gone/a.mp4"})
    with pytest.raises(MienError, match=r"videos of 2 clips are not where.*/gone/a.mp4.*--drawn"):
        run(corpus, service)
    assert run(corpus, service, wanted=asked.Asked(1, 1, drawn=True)).answers == 6


def test_a_damaged_video_ends_nothing(tmp_path, service, listener):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    writer = CorpusWriter(tmp_path)
    writer.add(make_clip("a", provenance={"video": "bad.mp4"}))
    writer.add(make_clip("b"))
    report = run(Corpus(tmp_path), service)
    assert (report.answers, report.lost) == (6, {"unseen": 4})
    assert "bad.mp4 cannot be read as video" in report.details["unseen"]
    assert asked.plan(Corpus(tmp_path), service, FEW).questions == 4


def test_faces_without_video_are_drawn(corpus, monkeypatch):
    monkeypatch.undo()
    frames = describe.clip_pictures(corpus.folder, corpus.records[0], [30, 31, 30], drawn=False)
    assert list(frames) == [30, 31]
    assert decoded(frames[30]).shape == (pictures.SIZE, pictures.SIZE, 3)
    assert np.ptp(decoded(frames[30]).mean(axis=2)) > 60
    assert frames[30] != frames[31]


def test_fewer_pictures_are_spread_over_the_piece():
    assert asked.shown_frames((30, 45), asked.Asked(pictures=3)) == [32, 37, 42]
    assert asked.shown_frames((30, 45), asked.Asked(pictures=15)) == list(range(30, 45))
    assert asked.shown_frames((0, 4), asked.Asked(pictures=15)) == [0, 1, 2, 3]


# The command line


@pytest.fixture
def mien_(corpus, listener, capsys):
    def run(*options, endpoint=True):
        options = [*options, "--endpoint", f"{listener.address}/v1"] if endpoint else options
        arguments = ["describe", corpus.folder, "--model", "seer-1", "--key", "MY_KEY", *options]
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text('{"seer-1": {"input": 2.0, "output": 10}}')
    return path


def test_the_cost_is_said_before_while_and_after(mien_, corpus, prices, listener):
    status, out, err = mien_("--pieces", 2, "--prices", prices, "--yes", "--picture-tokens", 266)
    assert status == 0
    estimate = err.splitlines()[0]
    assert "10 questions about 2 clips and 1 labels (0 answered before, 0 given up)" in estimate
    assert "go to seer-1 at 127.0.0.1" in estimate
    # 8 questions of 15 pictures make 31,920 tokens, all texts some 800 more
    assert "about 32,700 tokens read, 1,400 written, 0.08 dollars" in estimate
    assert "40,000 tokens read, 200 written, 0.08 dollars" in err.splitlines()[-1]
    assert out == (f"{corpus.folder}: 10 answers; 40,000 tokens read, 200 written, 0.08 dollars\n")
    again = mien_("--pieces", 2, "--yes")
    assert again == (0, "", "mien: nothing is left to ask (10 answered before, 0 given up)\n")


def test_nothing_is_sent_without_a_yes(mien_, listener, monkeypatch):
    status, out, err = mien_()
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].endswith("give --yes to start")
    for said, wanted in (("n\n", 2), ("", 2), ("y\n", 0)):
        typed = io.StringIO(said)
        monkeypatch.setattr(typed, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", typed)
        assert mien_("--pieces", 1, "--pictures", 1)[0] == wanted
        assert bool(listener.requests) == (wanted == 0)


def test_losses_are_said(mien_, listener):
    listener.answer = lambda request, number: openai(
        "I cannot." if "the emotion that" in request["text"] else usual(request["text"])
    )
    _, out, err = mien_("--pieces", 1, "--yes")
    assert "4 answers, 2 refused;" in out
    assert err.splitlines()[-1] == "mien: 2 refused, for one: I cannot."


def test_a_dry_run_writes_the_prompts_and_needs_no_key(mien_, corpus, listener, monkeypatch):
    monkeypatch.delenv("MY_KEY")
    status, out, _ = mien_("--pieces", 2, "--dry-run", endpoint=False)
    assert status == 0
    assert not listener.requests
    folder = corpus.folder / "prompts"
    written = [json.loads(line) for line in (folder / "prompts.jsonl").read_text().splitlines()]
    assert len(written) == 10
    assert {one.get("label") for one in written} == {"happy", None}
    frames = {frame for one in written if one.get("clip") == "a" for frame in one["frames"]}
    assert {path.name for path in folder.glob("*.jpg")} == {f"a-{t:05d}.jpg" for t in frames}
    assert f"10 prompts, and {len(frames)} pictures of the first clip" in out
    assert all(one["prompt"].startswith("These 15 pictures") for one in written if "clip" in one)
    assert mien_("--pieces", 2, "--dry-run", endpoint=False)[0] == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--pieces", 0], "'0' is not a whole number from 1"),
        (["--jobs", 0], "'0' is not a whole number from 1"),
        (["--timeout", 0], "'0' is not a number above 0"),
        (["--prices", "none.json"], "cannot read none.json"),
        (["--prices", "PRICES"], "has no price of 'seer-1'; it has: other"),
    ],
)
def test_refused_options(mien_, tmp_path, options, match, listener):
    (tmp_path / "prices.json").write_text('{"other": {"input": 1, "output": 1}}')
    options = [tmp_path / "prices.json" if one == "PRICES" else one for one in options]
    status, out, err = mien_(*options, "--yes")
    assert (status, out) == (2, "")
    assert match in err.splitlines()[-1]
    assert not listener.requests


def test_a_price_that_is_none(tmp_path):
    path = tmp_path / "prices.json"
    for entry in (3, {"input": 1}, {"input": -1, "output": 2}, {"input": True, "output": 2}):
        path.write_text(json.dumps({"seer-1": entry}))
        with pytest.raises(MienError, match="dollars a million tokens are wanted"):
            line.read_price(path, "seer-1")
