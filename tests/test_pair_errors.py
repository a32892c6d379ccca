"""Identity scores zero, and a known offset scores that offset."""

import numpy as np
import pytest

from mien.errors import MienError
from mien.evaluate import errors
from mien.face import Face

FPS = 30.0


def course(frames=20, vertices=6):
    return np.random.default_rng(0).normal(0, 0.01, (frames, vertices, 3))


def test_identity_scores_zero():
    found = errors.vertex_errors(course(), course(), fps=FPS)
    assert found == errors.VertexErrors(0, 0, 0, 0, 0)
    assert errors.dynamics_deviation(course(), course(), course()[0]) == 0


def test_a_known_offset_scores_that_offset():
    """One vertex of six is 6 mm off along a slanted line, and still: no velocity error."""
    truth, moved = course(), course()
    moved[:, 2] += np.array([2e-3, 4e-3, 4e-3])
    found = errors.vertex_errors(moved, truth, fps=FPS)
    assert found.largest == pytest.approx(6e-3)
    assert found.largest_squared == pytest.approx(36e-6)
    assert found.mean == pytest.approx(1e-3)
    assert found.mean_squared == pytest.approx(6e-6)
    assert found.velocity == pytest.approx(0, abs=1e-12)


def test_the_largest_error_is_each_frame_s_own():
    """2 mm at one vertex in even frames and at another in odd ones: MAX is 2 mm, not 1."""
    truth = np.zeros((10, 2, 3))
    moved = truth.copy()
    moved[::2, 0, 0] = moved[1::2, 1, 0] = 2e-3
    found = errors.vertex_errors(moved, truth, fps=FPS)
    assert found.largest == pytest.approx(2e-3)
    assert found.mean == pytest.approx(1e-3)
    assert found.velocity == pytest.approx(2e-3 * FPS)


def test_squared_and_rooted_differ_where_errors_do():
    truth = np.zeros((2, 1, 3))
    moved = truth.copy()
    moved[0, 0, 1], moved[1, 0, 1] = 1e-3, 3e-3
    found = errors.vertex_errors(moved, truth, fps=FPS)
    assert (found.mean, found.mean_squared) == (pytest.approx(2e-3), pytest.approx(5e-6))
    assert (found.largest, found.largest_squared) == (pytest.approx(2e-3), pytest.approx(5e-6))


def test_dynamics_are_signed():
    """The truth swings by ±1 mm around 3 mm; half the swing misses 0.5 mm, double it -1 mm."""
    template = np.zeros((5, 3))
    swing = np.tile([-1e-3, 1e-3], 10)[:, None, None] * np.array([0, 1.0, 0])
    rest = np.array([0, 3e-3, 0])
    truth, calm, wild = (np.broadcast_to(rest + k * swing, (20, 5, 3)) for k in (1.0, 0.5, 2.0))
    assert errors.dynamics_deviation(calm, truth, template) == pytest.approx(0.5e-3)
    assert errors.dynamics_deviation(wild, truth, template) == pytest.approx(-1e-3)
    # Squared lengths: 2² and 4² vary by ±6 mm², 2.5² and 3.5² by ±3.
    squared = errors.dynamics_deviation(calm, truth, template, squared=True)
    assert squared == pytest.approx(3e-6)


def test_vertex_sets_are_named_and_counted():
    face = Face.load()
    sets = errors.vertex_sets(face)
    assert {name: len(vertices) for name, vertices in sets.items()} == {
        "lips": 499, "face": 3706, "upper_face": 1211,
    }  # fmt: skip
    assert set(sets["lips"]) | set(sets["upper_face"]) <= set(sets["face"])


@pytest.mark.parametrize(
    "shapes", [((4, 5, 3), (4, 6, 3)), ((4, 5), (4, 5)), ((1, 5, 3), (1, 5, 3))]
)
def test_unequal_vertices_are_refused(shapes):
    found, truth = (np.zeros(shape) for shape in shapes)
    with pytest.raises(MienError, match=r"two equal \(frames, vertices, 3\)"):
        errors.vertex_errors(found, truth, fps=FPS)
