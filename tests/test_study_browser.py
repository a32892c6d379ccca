"""The study in a real browser: by keyboard, through crashes, on a phone, and two people at once."""

import shutil

import pytest

from mien.study.plan import QUESTIONS
from mien.study.store import read_answers
from studies import Study, write_study

pytest.importorskip("mien.study.server", reason="needs the extra study")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other things


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as player:
        # Without a display and, in CI, as root, where Chromium's own sandbox cannot be set up.
        found = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def study(tmp_path):
    found = Study(write_study(tmp_path / "films", ("calm", "furious")), "--checks", "1")
    yield found
    found.stop()


@pytest.fixture
def enter(browser, study):
    """Open the study as somebody new; fails at the end on any error on the page."""
    contexts, errors = [], []

    def opened(**device):
        contexts.append(browser.new_context(**device))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfinished", lambda r: r.url.startswith(study.url) or errors.append(r.url))
        page.goto(study.url)
        page.wait_for_selector("#new:not([hidden])")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def answers(study):
    return read_answers(study.command[4] + "/answers.sqlite").tasks


def chosen(page):
    return page.eval_on_selector_all("input[type=radio]:checked", "all => all.map(i => i.id)")


def watch(page, play):
    """Play both films to the end, after which the questions are open."""
    assert page.locator(".question:enabled").count() == 0
    play()
    page.wait_for_selector(".question:enabled")


def saved(page):
    playwright.expect(page.locator("#saved")).to_have_text("Saved ✓", timeout=PATIENCE)


def at(page, text):
    playwright.expect(page.locator("#count")).to_have_text(text, timeout=PATIENCE)


def test_by_keyboard_through_crashes_and_reloads(enter, study):
    """The server is killed twice: under an answer on its way, and between two visits."""
    page = enter(**DESKTOP)
    press = page.keyboard.press
    press("Tab")
    assert page.evaluate("document.activeElement.id") == "start"
    press("Enter")
    at(page, "Pair 1 of 3")
    press("1")  # too early: nothing is open yet
    assert chosen(page) == []
    watch(page, lambda: press("p"))
    press("1")
    press("5")
    saved(page)
    study.kill()
    press("9")
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.locator("#next").is_disabled()
    study.start()
    saved(page)
    page.wait_for_selector("#trouble", state="hidden")
    page.reload()
    at(page, "Pair 1 of 3")
    assert chosen(page) == ["lips-left", "expression-equal", "overall-right"]
    press("n")
    at(page, "Pair 2 of 3")
    watch(page, lambda: press("p"))
    for _ in range(6):  # play, then the first question, by Tab and arrows alone
        press("Tab")
        if page.evaluate("document.activeElement.name") == "lips":
            break
    press("Space")
    press("ArrowRight")
    saved(page)
    assert chosen(page) == ["lips-equal"]
    study.kill()
    study.start()
    page.reload()
    at(page, "Pair 2 of 3")
    assert chosen(page) == ["lips-equal"]
    for key in "159":
        press(key)
    saved(page)
    press("n")
    at(page, "Pair 3 of 3")
    watch(page, lambda: press("p"))
    for key in "3159":  # the first is thought better of
        press(key)
    saved(page)
    press("n")
    page.wait_for_selector("#done:not([hidden])")
    told = answers(study)
    assert [one.done for one in told] == [True] * 3
    for one in told:
        assert one.answers == {"lips": "left", "expression": "equal", "overall": "right"}


def test_two_people_at_once_one_with_a_phone(enter, study):
    people = {"left": enter(**PHONE), "right": enter(**DESKTOP)}
    for page in people.values():
        page.get_by_role("button", name="Start", exact=True).click()
    for turn in range(3):
        for page in people.values():
            at(page, f"Pair {turn + 1} of 3")
            watch(page, page.get_by_role("button", name="Play both").click)
        for question in QUESTIONS:
            for choice, page in people.items():
                page.locator(f"label:has(#{question}-{choice})").click()
        for page in people.values():
            saved(page)
            page.get_by_role("button", name="Next pair" if turn < 2 else "Finish").click()
    for page in people.values():
        page.wait_for_selector("#done:not([hidden])")
    told = {}
    for one in answers(study):
        told.setdefault(one.participant, set()).update(one.answers.values())
    assert sorted(map(sorted, told.values())) == [["left"], ["right"]]
    again = people["left"]
    again.get_by_role("button", name="another person").click()
    again.get_by_role("button", name="Start", exact=True).click()
    at(again, "Pair 1 of 3")
    assert len({one.participant for one in answers(study)}) == 3


BOXES = """all => all.map((item) => {
  const box = item.getBoundingClientRect();
  return [box.x, box.y, box.width, box.height];
})"""


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_films_stand_as_they_are_called(enter, device):
    """Side by side on a desktop, one above the other on a phone, where buttons are for thumbs."""
    page = enter(**device)
    page.get_by_role("button", name="Start", exact=True).click()
    at(page, "Pair 1 of 3")
    (x, y, width, height), (other_x, other_y, *_) = page.eval_on_selector_all("video", BOXES)
    first, second = ("Upper", "Lower") if device is PHONE else ("Left", "Right")
    if device is PHONE:
        assert (other_x, other_y >= y + height) == (x, True)
        assert other_y + height <= 844  # both at once
    else:
        assert (other_y, other_x >= x + width) == (y, True)
    assert page.evaluate("document.documentElement.scrollWidth") == device["viewport"]["width"]
    least = 48 if device is PHONE else 44
    for box in page.eval_on_selector_all("button, .choice", BOXES):
        assert box[2] * box[3] == 0 or min(box[2:]) >= least
    for question in ("Whose lips fit", "Whose expression fits", "Which face is better"):
        group = page.get_by_role("group", name=question)
        for name in (first, "Equal", second):
            assert group.get_by_role("radio", name=name, exact=True).count() == 1


def test_one_sound_and_films_in_step(enter):
    """Of each pair one film is heard; a late side runs ahead of it and waits at its end."""
    page = enter(**DESKTOP)
    page.get_by_role("button", name="Start", exact=True).click()
    for turn in range(3):
        at(page, f"Pair {turn + 1} of 3")
        page.evaluate(
            """() => {
              window.apart = [];
              (function look() {
                const [a, b] = player.films;
                const steady = player.playing && !a.seeking && !b.seeking;
                if (steady) apart.push(b.currentTime - a.currentTime);
                if (!player.seen) requestAnimationFrame(look);
              })();
            }"""
        )
        watch(page, lambda: page.keyboard.press("p"))
        heard = page.evaluate("player.films.map(film => !film.muted)")
        starts, length = page.evaluate("[player.starts, player.leader.duration]")
        assert sorted(heard) == [False, True]
        assert starts[heard.index(True)] == 0
        apart = sorted(page.evaluate("apart"))
        wanted = (starts[1] - starts[0]) * length
        if not wanted:
            assert abs(apart[len(apart) // 2]) < 0.15
        else:
            assert max(apart, key=abs) == pytest.approx(wanted, abs=0.15)
        ends = page.evaluate("player.films.map(film => film.duration - film.currentTime)")
        assert max(ends) < 0.15
        for key in "258":
            page.keyboard.press(key)
        saved(page)
        page.keyboard.press("n")
    page.wait_for_selector("#done:not([hidden])")
