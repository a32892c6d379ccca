"""What README and docs promise is there: commands, options, files, links; and the Python runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from mien import audio
from mien.audio import decode
from mien.cli import new_parser
from mien.face import Face
from mien.features import SpeechEncoder, TextEncoder
from mien.packfile import Pack
from packs import write_random_pack
from twins import TwinTextEncoder, twin_speech_encoder

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text, *languages):
    """The fenced blocks of a page in one of the languages."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for language, block in fenced if language in languages]


def commands(text):
    """Arguments of every `mien …` in the shell blocks of a page."""
    shell = "\n".join(blocks(text, "bash", "")).replace("\\\n", " ")
    pieces = [piece.strip() for piece in re.split(r"\n|&&", shell)]
    return [shlex.split(p, comments=True)[1:] for p in pieces if re.match(r"(\S*/)?mien ", p)]


def verbs():
    """The options of each verb, those of its own verbs included."""
    return {name: options(verb) for name, verb in below(new_parser()).items()}


def below(parser):
    choices = [action.choices for action in parser._actions]
    return next((names for names in choices if isinstance(names, dict)), {})


def options(verb):
    return set(verb._option_string_actions).union(*map(options, below(verb).values()))


def by_page(of):
    return [(page.name, found) for page in PAGES for found in of(page.read_text(encoding="utf-8"))]


# The two commands


def test_the_readme_opens_with_a_sentence_a_picture_and_two_commands():
    opening = README[: README.index("## ")]
    title, sentence, picture, *_ = opening.split("\n\n")
    assert title == "# Mien"
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")
    assert picture.startswith("![")
    animate, test = (block.strip().splitlines() for block in blocks(opening, "bash"))
    assert len(animate) == len(test) == 1
    assert ".venv/bin/mien animate examples/" in animate[0]
    assert animate[0].startswith("python3 -m venv .venv && .venv/bin/pip install . &&")
    assert test[0].endswith("pytest")


def test_ci_runs_the_readme_s_test_command():
    command = blocks(README, "bash")[1].strip()
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


# Commands and options


@pytest.mark.parametrize(("page", "words"), by_page(commands))
def test_every_command_can_be_given(page, words):
    """An option that was renamed, or an argument too few, is refused by the parser."""
    if words[0] not in ("VERB", "--version"):
        new_parser().parse_args(words)


def test_commands_are_found():
    found = commands(README)
    assert [words[0] for words in found[:2]] == ["animate", "animate"]
    assert found[0][1:3] == ["examples/hello.mp3", "quietly furious, jaw clenched"]


def test_every_option_named_in_the_docs_exists():
    """A page's heading `## mien verb` says whose options its tables name."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = verbs()
    sections = re.split(r"^## mien (\w+)\n", text, flags=re.MULTILINE)[1:]
    described = dict(zip(sections[::2], sections[1::2], strict=True))
    assert described.keys() == known.keys()
    for verb, section in described.items():
        named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", section))
        assert named == {option for option in known[verb] if option[:2] == "--"} - {"--help"}, verb
    assert set(re.findall(r"`(--[a-z][\w-]*)", README)) <= set().union(*known.values())


# Files and links


def links(text):
    return re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@pytest.mark.parametrize(("page", "link"), by_page(links))
def test_every_relative_link_exists(page, link):
    if not link.startswith(("http://", "https://")):
        folder = next(path.parent for path in PAGES if path.name == page)
        assert (folder / link).exists()


def test_the_file_that_the_readme_animates_exists():
    assert (ROOT / commands(README)[0][1]).is_file()


# Python


@pytest.mark.parametrize("name", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_runs(name, tmp_path, monkeypatch):
    """Its blocks one after the other, on one second of speech, with a random pack and twins."""
    pack = Pack.read(write_random_pack(tmp_path / "random.mien", Face.load()))
    monkeypatch.setattr(Pack, "read", lambda path=None: pack)
    monkeypatch.setattr(SpeechEncoder, "load", lambda path=None: twin_speech_encoder())
    monkeypatch.setattr(TextEncoder, "load", lambda path=None: TwinTextEncoder())
    monkeypatch.setattr(audio, "decode", lambda path: decode(path)[: audio.SPEECH_RATE])
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.export.WRITERS", dict.fromkeys((".mp4", ".glb", ".csv"), touch))
    code = "\n".join(blocks((ROOT / name).read_text(encoding="utf-8"), "python"))
    exec(compile(code, name, "exec"), {"__name__": "page"})
    assert {found.suffix for found in tmp_path.iterdir()} & {".mp4", ".glb"}


def touch(animation, path, progress):
    """Stands for the writers, which have tests of their own."""
    assert np.isfinite(animation.weights).all()
    path.touch()
