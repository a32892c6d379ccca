"""FACEGOOD's layout: the table of channels, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from facegood_tree import NAMES_IN_ORDER, babble, channels, opening, write_sequence, write_tree
from mien import audio
from mien.data import facegood
from mien.data.facegood_units import CHANNELS, JAW, TABLE, UNMAPPED, channels_to_units
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.lips import gap_of

REAL = Path(__file__).parents[2] / "shared" / "data" / "facegood"


@pytest.fixture(scope="module")
def face():
    return Face.load()


def unit(weights, name):
    return weights[:, UNIT_NAMES.index(name)]


def test_the_table_knows_each_of_the_116_channels_once():
    assert len(CHANNELS) == 116
    assert not set(TABLE) & UNMAPPED
    units = {name for row in TABLE.values() for name in row}
    assert units <= set(UNIT_NAMES)
    assert set(UNIT_NAMES) - units == {"tongueOut"}


def test_all_channels_of_a_unit_at_1_give_no_more_than_1():
    """Four corners of a funnel are one funnel; a row too many would double it."""
    vowels = {"mouth_oh_c", "mouth_oo_c"}
    rows = [name for name in NAMES_IN_ORDER if name in TABLE and name not in vowels]
    assert channels_to_units(rows, TABLE).sum(0).max() == pytest.approx(1.0)


def test_planted_channels_come_back_as_units(tmp_path):
    curve = opening(4.0)
    values = channels(
        len(curve), mouth_stretch_c=curve, mouth_pucker_l=0.5 * curve, mouth_press_r=0.3 * curve
    )
    write_sequence(tmp_path, "one", values, babble(curve))
    capture = facegood.read(tmp_path, "one")
    np.testing.assert_allclose(unit(capture.weights, "jawOpen"), JAW * curve)
    np.testing.assert_allclose(unit(capture.weights, "mouthPucker"), 0.25 * curve)
    np.testing.assert_allclose(unit(capture.weights, "mouthPressRight"), 0.3 * curve)
    assert not unit(capture.weights, "mouthPressLeft").any()
    assert audio.frame_count(len(capture.speech), capture.fps) == len(capture.weights) == 120


def test_the_names_are_followed_wherever_they_stand(tmp_path):
    """Some lists in the repository are shifted by one: columns must be found by name."""
    curve = opening(4.0)
    write_sequence(tmp_path, "one", channels(len(curve), mouth_stretch_c=curve), babble(curve))
    train = tmp_path / "code" / "train"
    values = np.load(train / "bs_value" / "bs_value_one.npy")
    np.save(train / "bs_value" / "bs_value_one.npy", np.roll(values, 1, axis=1))
    np.save(train / facegood.NAMES, np.roll(NAMES_IN_ORDER, 1))
    assert unit(facegood.read(tmp_path, "one").weights, "jawOpen").max() > 0.3


def test_a_lower_lip_sucked_in_alone_is_an_f_and_both_are_a_p(tmp_path):
    both, alone = np.zeros((2, 120))
    both[20:24], alone[60:64] = 0.3, 0.3
    down = {f"mouth_suck_d{side}": both + alone for side in "lr"}
    up = {f"mouth_suck_u{side}": both for side in "lr"}
    write_sequence(tmp_path, "one", channels(120, **down, **up), babble(opening(4.0)))
    bitten = facegood.read(tmp_path, "one").labiodental
    assert set(np.flatnonzero(bitten)) == {60, 61, 62, 63}
    assert bitten.max() == 1.0


def test_only_the_held_out_sequence_is_for_testing(tmp_path):
    write_tree(tmp_path, ("1114_2_01", "1114_3_15"), seconds=3.0)
    assert facegood.sequences(tmp_path) == ["1114_2_01", "1114_3_15"]
    assert facegood.read(tmp_path, "1114_3_15").split == "test"
    assert facegood.read(tmp_path, "1114_2_01").split is None


@pytest.mark.parametrize(
    ("harm", "match"),
    [
        (lambda train: (train / "wav" / "one.wav").unlink(), "does not exist"),
        (lambda train: (train / facegood.NAMES).unlink(), "does not exist"),
        (lambda train: np.save(train / facegood.NAMES, np.array(["a"] * 116)), "other channels"),
        (
            lambda train: np.save(
                train / facegood.NAMES, np.array(NAMES_IN_ORDER, object), allow_pickle=True
            ),
            "not an array",
        ),
        (lambda train: (train / facegood.NAMES).write_text("names"), "not an array"),
        (lambda train: np.save(values(train), np.zeros((120, 115))), r"\(frames, 116\)"),
        (lambda train: np.save(values(train), np.full((120, 116), np.nan)), "outside 0 to 1"),
        (lambda train: np.save(values(train), np.zeros((0, 116))), "not an array|is \\(0, 116\\)"),
        (lambda train: np.savez(values(train).open("wb"), a=np.zeros(3)), "not an array"),
        (lambda train: np.savez((train / facegood.NAMES).open("wb"), a=[1]), "not an array"),
        (lambda train: declare(values(train), (10**13, 116)), "not an array"),
        (lambda train: np.save(values(train), np.zeros((100, 116))), "do not belong together"),
    ],
)
def test_damage_is_named(tmp_path, harm, match):
    write_tree(tmp_path, ("one",), seconds=4.0)
    harm(tmp_path / "code" / "train")
    with pytest.raises(MienError, match=match):
        facegood.read(tmp_path, "one")


def declare(path, shape):
    """A header that promises more numbers than any memory has room for."""
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)


def values(train):
    return train / "bs_value" / "bs_value_one.npy"


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(MienError, match="holds no code/train"):
        facegood.sequences(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/facegood is absent")
def test_the_real_captures_open_and_shut_as_mouths_do(face):
    """The scale of the jaw: wide open vowels like the actor's own, and lips that do meet."""
    capture = facegood.read(REAL, "1114_3_15")
    gap = 1e3 * gap_of(face.limit(capture.weights), face)
    assert len(gap) == 1472
    assert 10 < np.percentile(gap, 90) < 16
    assert 0.1 < (gap <= 1.0).mean() < 0.4
    assert gap.min() > -1.5
