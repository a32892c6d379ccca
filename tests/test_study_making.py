"""Films from two packs: all of them, of the right pack, once; a killed job goes on.

The packs are stand-ins that say what they were asked for: what real ones make of it is tested with
`Animator`, and what a film shows with `export`.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mien import MienError, audio
from mien.__main__ import main
from mien.study import making
from mien.study.films import read_films
from studies import contents_but_answers
from terminal import SECONDS, babble, contents, write_film

SAID = ["calm", "quietly | furious"]


@dataclass
class Asked:
    pack: str
    speech: np.ndarray
    description: str
    life: int


class Actor:
    def __init__(self, pack):
        self.pack = Path(pack).name if pack else "default"

    def animate(self, speech, description, *, life):
        return Asked(self.pack, speech, description, life)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """What was animated, in order; films are small ones that differ like what was asked for."""
    for number, name in enumerate(("old", "new")):
        (tmp_path / f"{name}.mien").write_bytes(bytes([number]))
    audio.write_wav(tmp_path / "hello.wav", babble(SECONDS))
    monkeypatch.chdir(tmp_path)
    found = []

    def save(asked, path):
        found.append(asked)
        seed = zlib.crc32(f"{asked.pack}{asked.description}".encode())
        write_film(path, babble(SECONDS, seed=seed))

    monkeypatch.setattr("mien.animator.load", Actor)
    monkeypatch.setattr("mien.export.save", save)
    return found


def job(**changes):
    given = {
        "theirs": Path("old.mien"),
        "ours": Path("new.mien"),
        "recordings": [Path("hello.wav")],
        "descriptions": SAID,
    }
    making.make("films", **{**given, **changes})


def test_a_study_of_two_packs(made, monkeypatch, capsys):
    """The command makes films that its own study reads, and says where it runs."""
    pytest.importorskip("mien.study.server", reason="needs the extra study")
    monkeypatch.setattr("mien.study.server.serve", lambda *_: None)
    command = ["study", "films", "--against", "old.mien", "--speech", "hello.wav"]
    command += ["--descriptions", *SAID, "--port", "0"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "The study runs at http://127.0.0.1:" in out
    assert "2 pairs of mien (ours) and old (theirs)" in out
    asked = [(one.pack, one.description, one.life) for one in made]
    assert asked == [(pack, text, 0) for pack in ("old.mien", "default") for text in SAID]
    assert all(np.array_equal(one.speech, audio.decode("hello.wav")) for one in made)
    found = read_films("films")
    assert (found.theirs, found.ours) == ("old", "mien")
    assert [(pair.name, pair.description) for pair in found.pairs] == [
        ("hello-01", "calm"),
        ("hello-02", "quietly | furious"),
    ]
    before = contents_but_answers(Path("films"))
    assert main(command) == 0
    assert main(["study", "films", "--port", "0"]) == 0  # films.json says which are ours
    assert contents_but_answers(Path("films")) == before
    assert len(made) == 4


def test_a_killed_job_goes_on(made, monkeypatch):
    save = making.export.save

    def killed(asked, path):
        if len(made) == 3:
            raise KeyboardInterrupt
        save(asked, path)

    monkeypatch.setattr("mien.export.save", killed)
    with pytest.raises(KeyboardInterrupt):
        job()
    before = contents(Path("films"))
    monkeypatch.setattr("mien.export.save", save)
    job()
    after = contents(Path("films"))
    assert before.items() <= after.items()
    assert [one.pack for one in made] == ["old.mien", "old.mien", "new.mien", "new.mien"]
    assert len({content for path, content in after.items() if path.suffix == ".mp4"}) == 4


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"descriptions": ["calm", "calm"]}, "a description comes twice"),
        ({"descriptions": ["calm", " "]}, "a description is missing or empty"),
        ({"recordings": []}, "0 pairs were asked for"),
        ({"recordings": [Path("a/x.wav"), Path("b/x.wav")]}, "two recordings are called x"),
        ({"recordings": [Path("gone.wav")]}, "gone.wav does not exist"),
        ({"ours": Path("old.mien")}, "both packs are called old"),
        ({"theirs": Path("gone.mien")}, "cannot read gone.mien"),
    ],
)
def test_refusals_leave_no_folder(made, changes, match):
    with pytest.raises(MienError, match=match):
        job(**changes)
    assert not Path("films").exists()
    assert made == []


def test_jobs_do_not_mix(made):
    job()
    audio.write_wav(Path("hello.wav"), babble(SECONDS, seed=5))
    with pytest.raises(MienError, match="holds films of other packs, recordings"):
        job()
    Path("films/films.json").unlink()
    with pytest.raises(MienError, match="is not empty; name a new folder"):
        job()
