"""The mouth against a held-out capture: planted correlations, lags, a planted readout."""

import json

import numpy as np
import pytest

from facegood_tree import write_tree
from mien.animation import Animation
from mien.data import facegood
from mien.errors import MienError
from mien.evaluate import captures
from mien.face import UNIT_NAMES, Face

JAW = UNIT_NAMES.index("jawOpen")
NAMES = ("1114_2_01", "1114_2_02", "1114_3_15")


@pytest.fixture(scope="module")
def face():
    return Face.load()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_partial_correlation_is_the_planted_one():
    """Both follow loudness; beyond it they share 0.6 of their variance, or nothing."""
    loud, shared, a, b = noise(4, 200_000)
    share = np.sqrt(0.6)
    one, other = (3 * loud + share * shared + np.sqrt(0.4) * own for own in (a, b))
    assert captures.correlation(one, other) > 0.9
    assert captures.partial(one, other, loud) == pytest.approx(0.6, abs=0.01)
    assert captures.partial(3 * loud + a, 3 * loud + b, loud) == pytest.approx(0.0, abs=0.01)
    assert captures.partial(loud + a, -2 * a + 5 * loud, loud) == pytest.approx(-1.0)


def test_partial_correlation_agrees_with_the_textbook():
    a, b, given = noise(3, 500) + 0.7 * noise(1, 500, seed=1)
    r = np.corrcoef([a, b, given])
    textbook = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert captures.partial(a, b, given) == pytest.approx(textbook)


def test_loudness_itself_has_nothing_beyond_loudness():
    loud, truth = noise(2, 500)
    assert captures.partial(truth, 2 * loud + 1, loud) == 0.0
    assert captures.correlation(truth, np.ones(500)) == 0.0


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_a_planted_lag_is_found(lag):
    truth = np.convolve(noise(600), np.hanning(9), mode="same")
    assert captures.best_lag(truth, np.roll(truth, lag) + 0.1 * noise(600, seed=1)) == lag


def test_the_interval_holds_what_it_says():
    """Of curves that hang together over half a second, blocks are wider than single frames."""
    slow = [np.convolve(noise(1500, seed=s), np.ones(15), mode="same") for s in range(3)]
    draws = captures.blocks(1500, np.random.default_rng(0))
    assert draws.shape == (captures.RESAMPLES, 1500)
    assert (np.diff(draws[:, : captures.BLOCK], axis=1) == 1).all()
    found = [captures.partial(slow[0][d], slow[1][d], slow[2][d]) for d in draws[:200]]
    alone = np.random.default_rng(0).integers(1500, size=(200, 1500))
    single = [captures.partial(slow[0][d], slow[1][d], slow[2][d]) for d in alone]
    assert np.std(found) > 2 * np.std(single)


def test_the_readout_finds_a_planted_map():
    """The curves hang on the features three frames ago; the context must be wide enough."""
    features = [noise(900, 12, seed=s) for s in range(3)]
    rows = noise(12, 2, seed=9)
    curves = [np.roll(f, 3, axis=0) @ rows + 0.5 for f in features]
    readout = captures.fit_readout(features[:2], curves[:2])
    assert -3 in readout.context
    assert captures.correlation(readout.read(features[2])[3:, 1], curves[2][3:, 1]) > 0.98


class Puppet:
    """Opens its jaw by a given curve; hears the loudness of the first samples of each frame."""

    def __init__(self, face, jaw):
        self.face, self.jaw = face, jaw

    def animate(self, speech, description):
        assert description == "neutral"
        weights = np.zeros((len(self.jaw), 52), np.float32)
        weights[:, JAW] = self.jaw
        return Animation(weights, 30.0, self.face, speech)

    def encode_speech(self, speech):
        from mien import audio
        from mien.data.captures import loudness

        levels = loudness(speech, audio.frame_count(len(speech)), 30.0)
        return levels[:, None] + noise(len(levels), 4)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("facegood"), NAMES, seconds=20.0)


def by_name(report, measure):
    return {one.by: one for one in report.followed if one.measure == measure}


def beyond(one):
    assert one.beyond is not None
    return one.beyond


def test_the_capture_itself_follows_the_capture(face, root):
    truth = facegood.read(root, "1114_3_15").weights[:, JAW]
    report = captures.study(Puppet(face, truth), root)
    for measure in captures.MEASURES:
        found = by_name(report, measure)
        assert found["pack"].correlation == pytest.approx(1.0, abs=1e-5)
        assert found["pack"].beyond == pytest.approx(1.0, abs=1e-5)
        assert found["pack"].lag == 0
        assert 0.6 < found["loudness"].correlation < 1.0
        lead, low, high = report.lead[measure]
        assert low <= lead <= high
        assert lead == pytest.approx(1 - beyond(found["readout"]), abs=1e-4)
    table = report.markdown()
    assert table.count("| jaw |") == table.count("| gap |") == 3
    data = json.loads(json.dumps(report.rows(), allow_nan=False))
    assert len(data["followed"]) == 6
    assert data["lead"]["jaw"][0] == report.lead["jaw"][0]


def test_a_mouth_that_follows_loudness_alone_has_nothing_beyond_it(face, root):
    """The plain correlation is high; that is why it is not what counts."""
    from mien.data.captures import loudness

    capture = facegood.read(root, "1114_3_15")
    levels = loudness(capture.speech, len(capture.weights), 30.0)
    levels = np.maximum(levels, levels.max() - captures.FLOOR)
    _, loud = captures.best_loudness(levels, capture.weights[:, JAW])
    jaw = (loud - loud.min()) / np.ptp(loud) * 0.3
    found = by_name(captures.study(Puppet(face, jaw), root), "jaw")
    assert found["pack"].correlation > 0.6
    assert abs(beyond(found["pack"])) < 0.05


def test_a_late_mouth_is_late(face, root):
    truth = facegood.read(root, "1114_3_15").weights[:, JAW]
    report = captures.study(Puppet(face, np.roll(truth, 2)), root)
    assert {one.lag for one in report.followed if one.by == "pack"} == {2}


def test_without_the_held_out_sequence_nothing_is_measured(face, tmp_path):
    write_tree(tmp_path, ("1114_2_01", "1114_2_02"), seconds=3.0)
    with pytest.raises(MienError, match="needs 1114_3_15"):
        captures.study(Puppet(face, np.zeros(90)), tmp_path)
