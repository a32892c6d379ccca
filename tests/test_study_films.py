"""A folder of films is read as it is meant, and what would fail on a screen is refused before."""

import av
import pytest

from mien import MienError
from mien.study import films
from mien.study.films import read_films
from studies import NAMES, write_study
from terminal import SECONDS, babble, write_film


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / "films")


def test_pairs_are_read(folder):
    (folder / "ours" / ".DS_Store").touch()
    (folder / ".cache").mkdir()
    found = read_films(folder)
    assert (found.ours, found.theirs) == ("ours", "theirs")
    assert [pair.name for pair in found.pairs] == list(NAMES)
    pair = found.by_name["furious"]
    assert pair.description == "quietly furious"
    assert pair.film("ours").path == folder / "ours" / "furious.mp4"
    assert pair.film("theirs").path == folder / "theirs" / "furious.mp4"
    assert len(found.by_key) == 6
    assert found.by_key[pair.ours.key] == pair.ours


def test_an_address_says_nothing_of_the_system_or_the_name(folder):
    for key in read_films(folder).by_key:
        assert not any(word in key for word in ("ours", "theirs", *NAMES))


def test_any_subfolder_may_be_ours(folder):
    (folder / "ours").rename(folder / "mien")
    with pytest.raises(MienError, match="no subfolder ours; say which is ours: --ours mien or th"):
        read_films(folder)
    found = read_films(folder, ours="theirs")
    assert (found.ours, found.theirs) == ("theirs", "mien")


def test_the_fingerprint_holds_all_that_is_judged(folder):
    prints = {read_films(folder).fingerprint, read_films(folder, ours="theirs").fingerprint}
    path = folder / films.DESCRIPTIONS
    text = path.read_text()
    path.write_text(text.replace("quietly calm", "calm"))
    prints.add(read_films(folder).fingerprint)
    path.write_text(text)
    write_film(folder / "ours" / "calm.mp4", babble(SECONDS, seed=99))
    prints.add(read_films(folder).fingerprint)
    assert len(prints) == 4


def test_a_description_may_have_a_bar_in_it(folder):
    path = folder / films.DESCRIPTIONS
    path.write_text("\ufeff" + path.read_text().replace("quietly calm", "calm | or not"), "utf-8")
    assert read_films(folder).by_name["calm"].description == "calm | or not"


def silent(folder):
    write_film(folder / "ours" / "calm.mp4", None)


def longer(folder):
    with av.open(str(folder / "ours" / "calm.mp4"), "w") as film:
        picture = film.add_stream("libx264", rate=30)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = film.add_stream("aac", rate=16000, layout="mono")
        speech = babble(1.5)
        frame = av.AudioFrame.from_ndarray(speech[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        film.mux(sound.encode(frame))
        film.mux(sound.encode(None))
        film.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        film.mux(picture.encode(None))


def in_mpeg4(folder):
    with av.open(str(folder / "ours" / "calm.mp4"), "w") as film:
        picture = film.add_stream("mpeg4", rate=30)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        film.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        film.mux(picture.encode(None))


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda f: (f / "third").mkdir(), "has 3 subfolders; give two"),
        (lambda f: (f / "ours" / "calm.mp4").unlink(), "theirs has calm.mp4 and .*no film of that"),
        (lambda f: (f / "ours" / "calm.txt").touch(), "calm.txt is no film that browsers play"),
        (lambda f: (f / "ours" / "calm.webm").touch(), "calm.webm and .*calm.mp4 have one name"),
        (lambda f: (f / "ours" / "calm.mp4").write_text("no"), "cannot be read as a film"),
        (lambda f: (f / "descriptions.csv").unlink(), "does not exist; write lines of name"),
        (lambda f: (f / "descriptions.csv").write_text("calm\n"), "'calm' without a description"),
        (lambda f: (f / "descriptions.csv").write_text("a|b\na|c"), "'a' twice"),
        (lambda f: (f / "descriptions.csv").write_text("calm|b"), "not describe furious"),
        (lambda f: (f / "descriptions.csv").open("a").write("x|b\n"), "x, of which there is no"),
        (lambda f: (f / "descriptions.csv").write_bytes(b"\xff\xff"), "cannot be read"),
        (lambda f: (f / "films.json").write_text("{}"), "films.json cannot be read"),
        (silent, "calm.mp4 has no sound"),
        (longer, "theirs/calm.mp4 lasts 0.4. s and .*ours/calm.mp4 1.5. s"),
        (in_mpeg4, "has pictures in mpeg4 yuv420p; browsers play h264"),
    ],
)
def test_what_would_fail_on_a_screen_is_refused(folder, spoil, match):
    spoil(folder)
    with pytest.raises(MienError, match=match):
        read_films(folder)


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(MienError, match="gone does not exist; give a folder with two"):
        read_films(tmp_path / "gone")
