"""A pack comes back as it was written, or one sentence says what is wrong with it."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest

from mien.errors import MienError
from mien.packfile import CARD, FORMAT, KNOWN, KNOWN_TEXTS, STEP, TEXT, Card, Known, Pack

PACK = Pack(
    Card(
        name="planted",
        face="a face",
        speech_encoder="ears",
        text_encoder="eyes",
        provenance={"run": {"commit": "abc"}},
        reach=3,
        coefficients=52,
        speech_size=384,
        text_features=(8, 384),
        state=(1, 2, 2, 16, 32),
        decoder_state=(1, 1, 2, 8, 32),
    ),
    step=b"one graph" * 100,
    text=b"another graph" * 100,
)
EMBEDDINGS = np.eye(6, dtype=np.float16)
KNOWS = Known(("calm", "glad", "très triste", "mad", "shy", "bored"), EMBEDDINGS, 0.25)


@pytest.fixture
def path(tmp_path):
    PACK.write(tmp_path / "planted.mien")
    return tmp_path / "planted.mien"


def rewrite(path, change):
    """Rewrite the members of a pack; `change` gets them as a dict of bytes."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)


def edit_card(**values):
    """A change to the card: these keys are set, or removed where None."""

    def change(members):
        card = {**json.loads(members[CARD]), **values}
        members[CARD] = json.dumps({k: v for k, v in card.items() if v is not None}).encode()

    return change


def test_round_trip(path):
    found = Pack.read(path)
    assert found.card == PACK.card
    assert (found.step, found.text) == (PACK.step, PACK.text)
    assert [other.name for other in path.parent.iterdir()] == [path.name]


@pytest.fixture
def knowing(tmp_path):
    """A pack that carries known wordings."""
    path = tmp_path / "knowing.mien"
    dataclasses.replace(PACK, known=KNOWS).write(path)
    return path


def test_known_wordings_come_back(knowing, path):
    found = Pack.read(knowing).known
    assert found
    assert found.texts == KNOWS.texts
    assert found.familiar == KNOWS.familiar
    assert np.array_equal(found.embeddings, EMBEDDINGS)
    assert found.embeddings.dtype == np.float16
    assert Pack.read(path).known is None


def test_a_pack_of_format_1_is_read(path):
    """They have no known wordings, and their card says nothing of them."""
    rewrite(path, edit_card(format=1))
    found = Pack.read(path)
    assert (found.card, found.known) == (PACK.card, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop(KNOWN), "damaged .*no item named 'known.npy'"),
        (lambda m: m.update({KNOWN: b"?"}), "damaged .*known.npy has another sha256"),
        (lambda m: m.update({KNOWN_TEXTS: b"[]"}), "damaged .*known.json has another sha256"),
    ],
)
def test_damaged_known_wordings(knowing, change, message):
    rewrite(knowing, change)
    with pytest.raises(MienError, match=message):
        Pack.read(knowing)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"texts": KNOWS.texts[:5]}, r"5 known wordings have embeddings \(6, 6\)"),
        ({"embeddings": EMBEDDINGS[0]}, r"6 known wordings have embeddings \(6,\)"),
        ({"texts": ("calm",), "embeddings": EMBEDDINGS[:1]}, "1 known wordings"),
        ({"embeddings": EMBEDDINGS.astype(np.float32)}, "float32, not float16"),
        ({"embeddings": np.full((6, 6), np.inf, np.float16)}, "damaged"),
        ({"familiar": float("nan")}, "familiar nearness is nan"),
    ],
)
def test_known_wordings_that_do_not_fit(changed, message):
    with pytest.raises(MienError, match=message):
        dataclasses.replace(KNOWS, **changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update({STEP: m[STEP][:-1] + b"?"}), "damaged .*step.onnx has another sha256"),
        (lambda m: m.update({TEXT: b""}), "damaged .*text.onnx has another sha256"),
        (lambda m: m.pop(TEXT), "damaged .*no item named 'text.onnx'"),
        (lambda m: m.pop(CARD), "damaged .*no item named 'pack.json'"),
        (lambda m: m.update({CARD: b"{"}), "damaged"),
        (lambda m: m.update({CARD: b"[]"}), "damaged"),
        (edit_card(sha256=None), "damaged .*sha256"),
        (edit_card(reach=None), "damaged .*reach"),
        (edit_card(reach="three"), "damaged .*'reach' is 'three'; int is wanted"),
        (edit_card(format=FORMAT + 1), rf"is a pack of format {FORMAT + 1}, .* up to {FORMAT}"),
    ],
)
def test_a_damaged_pack_is_one_sentence(path, change, message):
    rewrite(path, change)
    with pytest.raises(MienError, match=message):
        Pack.read(path)


def test_a_newer_pack_may_hold_other_members(path):
    """Its format is said, not that a member is missing."""
    rewrite(path, lambda members: (members.pop(STEP), edit_card(format=FORMAT + 1)(members)))
    with pytest.raises(MienError, match=f"is a pack of format {FORMAT + 1}"):
        Pack.read(path)


@pytest.mark.parametrize("kept", [0, 10, 500, -30])
def test_a_truncated_pack(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(MienError, match="damaged or is no pack"):
        Pack.read(path)


def test_no_pack_at_all(tmp_path):
    with pytest.raises(MienError, match=r"there is no pack at .*gone\.mien"):
        Pack.read(tmp_path / "gone.mien")
    with pytest.raises(MienError, match="there is no pack at"):
        Pack.read(tmp_path)


def test_a_graph_too_large_is_not_unpacked(path, monkeypatch):
    monkeypatch.setattr("mien.packfile.MAX_MEMBER", 1000)
    with pytest.raises(MienError, match=r"text\.onnx is too large"):
        Pack.read(path)
