"""Fixtures of the command line's tests: a face, a random pack, a folder, and `mien` itself."""

import re

import pytest

from mien import audio
from mien.__main__ import main
from mien.animator import Animator
from mien.face import Face
from packs import write_random_pack
from terminal import SECONDS, assert_one_sentence, babble, contents
from twins import TwinTextEncoder, twin_speech_encoder


@pytest.fixture(scope="session")
def face():
    return Face.load()


@pytest.fixture(scope="session")
def pack(face, tmp_path_factory):
    return write_random_pack(tmp_path_factory.mktemp("pack") / "random.mien", face)


@pytest.fixture
def quick(monkeypatch, face):
    """Twins of the encoders, and one face for all tests."""
    monkeypatch.setattr("mien.features.SpeechEncoder.load", lambda path=None: twin_speech_encoder())
    monkeypatch.setattr("mien.features.TextEncoder.load", lambda path=None: TwinTextEncoder())
    load = Face.load
    monkeypatch.setattr("mien.animator.Face.load", lambda path=None: load(path) if path else face)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder: it holds hello.wav and nothing else."""
    audio.write_wav(tmp_path / "hello.wav", babble(SECONDS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mien_(pack, capsys):
    """Run the command line with the random pack; return status, stdout, stderr."""

    def run(*arguments, pack=pack):
        status = main([*arguments, "--pack", str(pack)] if pack else list(arguments))
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def refused(mien_, folder, monkeypatch):
    """Run a command that must be refused: one sentence, status 2, nothing computed or changed.

    Unless `loads`, it is refused before the seconds that the pack and the encoders take to load.
    """

    def run(*arguments, match, loads=False, **options):
        for work in ("encode_speech", "encode_description", "roll"):
            monkeypatch.setattr(Animator, work, lambda *_, **__: pytest.fail("it was computed"))
        if not loads:
            monkeypatch.setattr("mien.animator.load", lambda *_, **__: pytest.fail("it was loaded"))
        before = contents(folder)
        status, out, err = mien_(*arguments, **options)
        assert (status, out) == (2, "")
        assert_one_sentence(err)
        assert re.search(match, err), err
        assert contents(folder) == before

    return run
