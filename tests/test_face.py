"""The head: units, limits, lips, basis and the bounded solve, each against something obvious."""

import time
from dataclasses import replace

import numpy as np
import pytest

from mien.errors import MienError
from mien.face import DEFAULT_PATH, UNIT_NAMES, Face
from mien.limits import Limits
from mien.solve import bounded_least_squares

MM = 1e-3


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


@pytest.fixture(scope="module")
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def pose(face: Face, **amounts: float) -> np.ndarray:
    """Weights (U,) by name; a name without a side sets left and right."""
    weights = np.zeros(len(face.unit_names), np.float32)
    for name, amount in amounts.items():
        for unit, known in enumerate(face.unit_names):
            if known in (name, f"{name}Left", f"{name}Right"):
                weights[unit] = amount
    return weights


def scattered(generator: np.random.Generator, frames: int) -> np.ndarray:
    """Weights (T, U): in each frame about one unit in five is on, to a random amount."""
    weights = generator.random((frames, len(UNIT_NAMES)))
    return (weights * (generator.random(weights.shape) < 0.2)).astype(np.float32)


def sphere_centre(points: np.ndarray) -> np.ndarray:
    """Centre (3,) of the sphere that fits the points (n, 3) best."""
    known = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    return np.linalg.lstsq(known, (points**2).sum(axis=1), rcond=None)[0][:3]


def vertices(face: Face, **amounts: float) -> np.ndarray:
    return face.weights_to_vertices(pose(face, **amounts))


# The head itself


def test_units_have_arkit_names_and_left_is_plus_x(face: Face) -> None:
    """Guards the order on which packs and curves rely, and MakeHuman's sides."""
    assert face.unit_names == UNIT_NAMES
    assert len(set(UNIT_NAMES)) == 52
    assert (UNIT_NAMES[0], UNIT_NAMES[17], UNIT_NAMES[51]) == (
        "eyeBlinkLeft",
        "jawOpen",
        "tongueOut",
    )
    for unit, name in enumerate(UNIT_NAMES):
        if name.startswith(("jaw", "mouthLeft", "mouthRight")):
            continue
        moved = np.linalg.norm(face.unit_deltas[unit], axis=1)
        side = (moved * face.template[:, 0]).sum() / moved.sum()
        wanted = name.endswith("Left") - float(name.endswith("Right"))
        assert np.sign(np.round(side, 3)) == wanted, name
    for name in ("jaw", "mouth"):
        lips = face.regions["lips"]
        left = face.unit_deltas[UNIT_NAMES.index(f"{name}Left"), lips, 0].mean()
        assert left > 0 > face.unit_deltas[UNIT_NAMES.index(f"{name}Right"), lips, 0].mean()


def test_head_is_a_head_in_metres(face: Face) -> None:
    low, high = face.template.min(axis=0), face.template.max(axis=0)
    assert 0.2 < high[1] - low[1] < 0.4
    eyes = [sphere_centre(face.template[face.parts[f"eye_{side}"]]) for side in ("left", "right")]
    assert np.abs(np.mean(eyes, axis=0)).max() < 3 * MM
    assert 0.025 < eyes[0][0] < 0.035
    assert face.colors.min() >= 0
    assert face.colors.max() <= 1
    assert DEFAULT_PATH.stat().st_size < 6e6


def test_parts_are_contiguous_and_triangles_stay_inside_them(face: Face) -> None:
    ends = sorted((span.start, span.stop) for span in face.parts.values())
    assert ends[0][0] == 0
    assert ends[-1][1] == len(face.template)
    assert [stop for _, stop in ends[:-1]] == [start for start, _ in ends[1:]]
    part = np.searchsorted([start for start, _ in ends], face.triangles, side="right")
    assert (part == part[:, :1]).all()
    assert set(face.parts) == {
        "skin",
        "eye_left",
        "eye_right",
        "teeth_upper",
        "teeth_lower",
        "tongue",
        "brows",
        "lashes",
        "cavity",
    }


def test_skin_has_one_clean_neckline(face: Face) -> None:
    """The open edges of the skin are four single loops; the lowest is smooth, not ragged."""
    skin = face.parts["skin"]
    triangles = face.triangles[(face.triangles < skin.stop).all(axis=1)]
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    assert counts.max() == 2
    open_edges = unique[counts == 1]
    assert (np.bincount(open_edges.ravel())[np.unique(open_edges)] == 2).all()
    neck = open_edges[face.template[open_edges, 1].max(axis=1) < -0.12]
    assert len(neck) == 42
    turns = np.unique(neck)
    angle = np.arctan2(face.template[turns, 2] + 0.09, face.template[turns, 0])
    heights = face.template[turns[angle.argsort()], 1]
    assert np.abs(np.diff(heights, append=heights[:1])).max() < 10 * MM


def test_tongue_out_moves_only_the_tongue(face: Face) -> None:
    moved = np.flatnonzero(np.abs(face.unit_deltas[UNIT_NAMES.index("tongueOut")]).max(axis=1))
    tongue = face.parts["tongue"]
    assert tongue.start <= moved.min() <= moved.max() < tongue.stop


def test_upper_teeth_stay_with_the_skull_and_lower_teeth_with_the_jaw(face: Face) -> None:
    moved = vertices(face, jawOpen=1) - face.template
    assert np.abs(moved[face.parts["teeth_upper"]]).max() < 0.1 * MM
    assert moved[face.parts["teeth_lower"], 1].max() < -5 * MM


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_eyeballs_turn_about_their_centres(face: Face, side: str) -> None:
    """A glance keeps every point of the eyeball as far from its centre as it was."""
    span = face.parts[f"eye_{side.lower()}"]
    ball = face.template[span]
    centre = sphere_centre(ball)
    for way in ("Up", "Down", "In", "Out"):
        turned = vertices(face, **{f"eyeLook{way}{side}": 1})[span]
        drift = np.linalg.norm(turned - centre, axis=1) - np.linalg.norm(ball - centre, axis=1)
        assert np.abs(drift).max() < 1.0 * MM, way
        assert np.linalg.norm(turned - ball, axis=1).max() > 3 * MM, way


def test_lids_close_at_one_and_not_before(face: Face) -> None:
    """MakeHuman's blink closed at 0.68 and went 3.7 mm too far."""
    middle = sphere_centre(face.template[face.parts["eye_left"]])

    def opening(amount: float) -> float:
        """metres: the tallest stretch, before the middle of the eyeball, with no skin vertex."""
        skin = vertices(face, eyeBlink=amount)[face.parts["skin"]]
        near = skin[(np.abs(skin[:, 0] - middle[0]) < 2 * MM) & (skin[:, 2] > middle[2] + 0.0148)]
        near = near[np.abs(near[:, 1] - middle[1]) < 0.012]
        heights = np.sort(near[:, 1])
        return float(np.diff(heights).max())

    assert opening(0.0) > 7 * MM
    assert opening(0.7) > 2 * MM
    lid = face.unit_deltas[UNIT_NAMES.index("eyeBlinkLeft"), face.parts["skin"]]
    assert 7 * MM < -lid[:, 1].min() < 10.5 * MM


# Lips


def test_lips_are_closed_in_the_neutral(face: Face) -> None:
    upper, lower = face.template[face.contact_pairs.T]
    rest = ((upper - lower) * face.contact_normals).sum(axis=1)
    assert len(rest) >= 8
    assert rest.min() > -0.15 * MM
    assert rest.max() < 0.9 * MM
    assert np.abs(face.template[face.contact_pairs, 0]).max() <= 13 * MM
    np.testing.assert_allclose(np.linalg.norm(face.contact_normals, axis=1), 1, atol=1e-5)
    assert face.gap(face.template) == 0


def test_gap_is_the_widest_pair(face: Face) -> None:
    """A planted opening: one lower vertex 3 mm down its normal, one 1 mm."""
    moved = np.stack([face.template] * 2)
    for pair, distance in ((2, 3 * MM), (4, 1 * MM)):
        moved[1, face.contact_pairs[pair, 1]] -= distance * face.contact_normals[pair]
    np.testing.assert_allclose(face.gap(moved), [0, 3 * MM], atol=1e-6)


def test_contact_coefficients_are_the_gap(face: Face, generator: np.random.Generator) -> None:
    weights = scattered(generator, 5)
    pairs = face.weights_to_coefficients(weights) @ face.contact_coefficients.T
    wanted = face.gap(face.weights_to_vertices(weights))
    np.testing.assert_allclose(pairs.max(axis=1), wanted, atol=2e-6)


def test_mouth_close_undoes_the_jaw_at_any_opening(face: Face) -> None:
    for amount in (0.1, 0.4, 0.7, 1.0):
        assert abs(face.gap(vertices(face, jawOpen=amount, mouthClose=amount))) < 0.3 * MM
    assert face.gap(vertices(face, jawOpen=1)) > 20 * MM


def test_no_unit_pushes_the_lips_through_each_other(face: Face) -> None:
    """MakeHuman's mouthShrugLower, mouthPucker and smile did, by 5.2, 3.1 and 2.8 mm."""
    names = {name.removesuffix("Left").removesuffix("Right") for name in UNIT_NAMES}
    for name in names - {"mouthClose"}:
        moved = vertices(face, **{name: 1})
        upper, lower = (moved - face.template)[face.contact_pairs.T]
        pairs = ((upper - lower) * face.contact_normals).sum(axis=1)
        assert pairs.min() > -1.25 * MM, name


def test_limited_weights_never_press_the_lips_too_far(
    face: Face, generator: np.random.Generator
) -> None:
    weights = np.concatenate([scattered(generator, 4000), (scattered(generator, 4000) > 0) * 1.0])
    pairs = face.weights_to_coefficients(face.limit(weights)) @ face.contact_coefficients.T
    assert pairs.max(axis=1).min() > -1.5 * MM
    unlimited = face.weights_to_coefficients(weights) @ face.contact_coefficients.T
    assert unlimited.max(axis=1).min() < -3 * MM


def test_lip_to_teeth_is_small_where_the_lip_is_rolled_in(face: Face) -> None:
    rest, rolled = face.lip_to_teeth(
        np.stack([face.template, vertices(face, mouthRollLower=0.7, jawOpen=0.1)])
    )
    assert rolled < 0.7 * rest
    planted = face.template.copy()
    planted[face.labiodental.lip] = planted[face.labiodental.teeth[0]]
    spread = np.linalg.norm(
        face.template[face.labiodental.teeth] - face.template[face.labiodental.teeth[0]], axis=1
    )
    assert face.lip_to_teeth(planted) == pytest.approx(spread.mean(), abs=1e-6)


# Limits


def test_limit_is_idempotent_and_leaves_speech_alone(
    face: Face, generator: np.random.Generator
) -> None:
    weights = face.limit(scattered(generator, 3000) * 1.5 - 0.1)
    assert weights.min() >= 0
    assert weights.max() <= 1
    np.testing.assert_array_equal(face.limit(weights), weights)
    np.testing.assert_allclose(face.limit(weights[5]), weights[5], atol=1e-6)
    calm = pose(face, jawOpen=0.4, mouthFunnel=0.3, mouthSmile=0.3, browInnerUp=0.8)
    np.testing.assert_array_equal(face.limit(calm), calm)


@pytest.mark.parametrize(
    ("asked", "lowered"),
    [
        ({"jawOpen": 1, "mouthSmile": 1, "mouthFunnel": 1}, {"mouthFunnel": 0.3}),
        ({"mouthClose": 1}, {"mouthClose": 0.05}),
        ({"eyeBlink": 1, "eyeSquint": 1}, {"eyeBlink": 0.75}),
        ({"eyeBlink": 1, "eyeWide": 1}, {"eyeWide": 0.01}),
        ({"eyeLookDown": 1, "eyeBlink": 1}, {"eyeBlink": 0.75}),
        ({"tongueOut": 1}, {"tongueOut": 0.01}),
        (
            {"mouthPucker": 1, "mouthSmile": 1, "mouthPress": 1, "cheekPuff": 1},
            {"mouthPucker": 0.5, "cheekPuff": 0.6, "mouthPress": 0.1},
        ),
    ],
)
def test_clashing_units_yield(face: Face, asked: dict, lowered: dict) -> None:
    limited = face.limit(pose(face, **asked))
    for name in asked:
        changed = limited[pose(face, **{name: 1}) > 0]
        if name in lowered:
            assert changed.max() <= lowered[name]
        else:
            assert changed.min() >= 0.9


def test_a_rule_that_one_pass_would_break_is_refused() -> None:
    """b may exceed 0 only by a, and a is lowered afterwards: then b would have to be done again."""
    with pytest.raises(AssertionError, match="too early"):
        Limits(
            targets=np.array([1, 0], np.int32),
            sources=np.array([[-1, 0], [0, 1]], np.float32),
            ceilings=np.array([0, 0.5], np.float32),
        )


# Basis and solve


def test_basis_is_orthonormal_and_spans_the_units(face: Face) -> None:
    basis = face.basis.reshape(len(face.basis), -1).astype(np.float64)
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-5)
    kept = np.zeros(face.unit_deltas.shape[1], bool)
    kept[face.basis_vertices] = True
    wanted = (face.unit_deltas * kept[:, None]).reshape(len(basis), -1)
    np.testing.assert_allclose(face.unit_coefficients @ basis, wanted, atol=1e-6)


def test_squared_error_in_coefficients_is_squared_error_in_vertices(
    face: Face, generator: np.random.Generator
) -> None:
    weights = scattered(generator, 2)
    a, b = face.weights_to_vertices(weights)[:, face.basis_vertices].astype(np.float64)
    c, d = face.weights_to_coefficients(weights.astype(np.float64))
    assert ((c - d) ** 2).sum() == pytest.approx(((a - b) ** 2).sum(), rel=1e-4)


def test_weights_come_back_from_coefficients_and_vertices(
    face: Face, generator: np.random.Generator
) -> None:
    weights = face.limit(scattered(generator, 60)).reshape(3, 20, -1)
    coefficients = face.weights_to_coefficients(weights)
    np.testing.assert_allclose(face.coefficients_to_weights(coefficients), weights, atol=1e-3)
    shapes = face.weights_to_vertices(weights[0])
    np.testing.assert_allclose(face.vertices_to_weights(shapes), weights[0], atol=1e-3)
    one = face.coefficients_to_weights(coefficients[1, 4])
    np.testing.assert_allclose(one, weights[1, 4], atol=1e-3)


def off_the_face(face: Face, generator: np.random.Generator, frames: int) -> np.ndarray:
    """Coefficients (T, K) that no weights in [0, 1] can reach."""
    coefficients = face.weights_to_coefficients(scattered(generator, frames).astype(np.float64))
    return coefficients + 0.02 * generator.normal(size=coefficients.shape)


def slow_solve(gram: np.ndarray, products: np.ndarray) -> np.ndarray:
    """The obvious twin: projected gradient with momentum, many small steps."""
    scale = np.sqrt(np.diag(gram))
    gram, products = gram / np.outer(scale, scale), products / scale
    step = 1 / np.linalg.eigvalsh(gram)[-1]
    weights = ahead = np.clip(products, 0, scale)
    for turn in range(20_000):
        before, weights = weights, np.clip(ahead - step * (ahead @ gram - products), 0, scale)
        rising = (((ahead - weights) * (weights - before)).sum()) > 0
        ahead = weights + (0 if rising else turn / (turn + 3)) * (weights - before)
    return weights / scale


def test_bounded_solve_equals_its_slow_twin(face: Face, generator: np.random.Generator) -> None:
    wanted = off_the_face(face, generator, 6)
    units = face.unit_coefficients
    fast = face.coefficients_to_weights(wanted)
    assert (fast == 0).mean() > 0.2
    slow = slow_solve(units @ units.T, wanted @ units.T)
    np.testing.assert_allclose(fast, slow, atol=1e-3)
    loop = np.stack([face.coefficients_to_weights(frame) for frame in wanted])
    np.testing.assert_allclose(fast, loop, atol=1e-6)


def test_smoothing_minimises_what_it_says(face: Face, generator: np.random.Generator) -> None:
    """The whole run as one big bounded problem, whose neighbours are joined in its Gram matrix."""
    wanted, smoothing, frames = off_the_face(face, generator, 5), 0.7, 5
    units = face.unit_coefficients
    gram, products = units @ units.T, wanted @ units.T
    steps = np.diff(np.eye(frames), axis=0)
    joined = np.kron(np.eye(frames), gram)
    joined += smoothing * np.kron(steps.T @ steps, np.diag(np.diag(gram)))
    slow = slow_solve(joined, products.reshape(1, -1)).reshape(frames, -1)
    fast = face.coefficients_to_weights(wanted, smoothing=smoothing)
    np.testing.assert_allclose(fast, slow, atol=2e-3)
    rough = face.coefficients_to_weights(wanted)
    assert np.abs(np.diff(fast, axis=0)).sum() < 0.7 * np.abs(np.diff(rough, axis=0)).sum()


def test_solve_is_fast(face: Face, generator: np.random.Generator) -> None:
    """A minute of frames takes 0.1 s on one core; the bound leaves room for a busy machine."""
    wanted = off_the_face(face, generator, 1800)
    face.coefficients_to_weights(wanted[:2])
    start = time.process_time()
    face.coefficients_to_weights(wanted)
    assert time.process_time() - start < 1.0


def test_solve_stays_inside_the_bounds() -> None:
    weights = bounded_least_squares(np.eye(2), np.array([[3.0, -1.0], [0.5, 0.25]]))
    np.testing.assert_allclose(weights, [[1, 0], [0.5, 0.25]])


# Files and fingerprint


def test_saved_face_is_the_same_face(face: Face, tmp_path) -> None:
    face.save(tmp_path / "copy.npz")
    copy = Face.load(tmp_path / "copy.npz")
    np.testing.assert_array_equal(copy.unit_deltas, face.unit_deltas)
    np.testing.assert_array_equal(copy.template, face.template)
    assert (copy.parts, copy.unit_names) == (face.parts, face.unit_names)
    assert copy.fingerprint == face.fingerprint
    assert [file.name for file in tmp_path.iterdir()] == ["copy.npz"]


def test_fingerprint_ignores_looks_but_not_units(face: Face) -> None:
    teeth = face.unit_deltas.copy()
    teeth[:, face.parts["teeth_lower"]] *= 1.1
    looks = replace(face, colors=face.colors * 0.5, unit_deltas=teeth)
    assert looks.fingerprint == face.fingerprint
    jaw = face.unit_deltas.copy()
    jaw[UNIT_NAMES.index("jawOpen")] *= 1.01
    assert replace(face, unit_deltas=jaw).fingerprint != face.fingerprint


def test_bad_head_files_are_one_sentence(face: Face, tmp_path) -> None:
    with pytest.raises(MienError, match="there is no head file"):
        Face.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("not a head")
    with pytest.raises(MienError, match="cannot be read"):
        Face.load(tmp_path / "text.npz")
    whole = DEFAULT_PATH.read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MienError, match="cannot be read"):
        Face.load(tmp_path / "half.npz")
    np.savez(tmp_path / "other.npz", template=face.template)
    with pytest.raises(MienError, match="cannot be read"):
        Face.load(tmp_path / "other.npz")
    with pytest.raises(MienError, match="vertex index"):
        replace(face, triangles=face.triangles + 1)
    with pytest.raises(MienError, match="template is damaged"):
        replace(face, template=face.template * np.nan)
