"""The head's eyes, teeth, tongue, brows, lashes and mouth cavity, as they ship.

What is seen is found in a slow and obvious way: each triangle is drawn into a map of depths.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from mien.face import Face

MM = 1e-3
LOOKS = {"Up": (0, 1), "Down": (0, -1), "In": (-1, 0), "Out": (1, 0)}
"""Where a look turns the left eye's gaze: x, y."""
JAW_UNITS = {"jawOpen", "jawForward", "jawLeft", "jawRight"}


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


def posed(face: Face, **weights: float) -> np.ndarray:
    """Vertices (V, 3) under named units; `mouthSmile=1` sets both sides."""
    values = np.zeros(len(face.unit_names), np.float32)
    for name, weight in weights.items():
        for unit in (name, f"{name}Left", f"{name}Right"):
            if unit in face.unit_names:
                values[face.unit_names.index(unit)] = weight
    return face.weights_to_vertices(values).astype(np.float64)


def triangles_of(face: Face, *parts: str) -> np.ndarray:
    """Triangles (F, 3) of the named parts."""
    spans = [face.parts[part] for part in parts]
    first = face.triangles[:, 0]
    return face.triangles[np.any([(s.start <= first) & (first < s.stop) for s in spans], axis=0)]


def turned(vertices: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Vertices (V, 3) as seen from `yaw` degrees to its left, `pitch` above; +z is near."""
    y, p = np.radians([yaw, pitch])
    around = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    over = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return vertices @ (over @ around).T


@dataclass(frozen=True)
class Window:
    """A rectangle seen along -z, metres, sampled every 0.25 mm."""

    left: float
    right: float
    bottom: float
    top: float
    step: float = 0.25 * MM

    def depths(self, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """(H, W): z of the nearest surface at each sample, -inf where there is none."""
        x = np.arange(self.left, self.right, self.step)
        y = np.arange(self.bottom, self.top, self.step)
        depths = np.full((len(y), len(x)), -np.inf)
        corners = vertices[triangles]
        low, high = corners[:, :, :2].min(1), corners[:, :, :2].max(1)
        inside = ((high > [x[0], y[0]]) & (low < [x[-1], y[-1]])).all(1)
        for a, b, c in corners[inside]:
            low, high = np.min([a, b, c], 0), np.max([a, b, c], 0)
            columns = slice(*np.searchsorted(x, [low[0], high[0]]))
            rows = slice(*np.searchsorted(y, [low[1], high[1]]))
            area = cross(b - a, c - a)
            if abs(area) < 1e-14 or columns.start == columns.stop or rows.start == rows.stop:
                continue
            p = np.stack(np.meshgrid(x[columns], y[rows]), axis=-1)
            u = cross(c - b, p - b[:2]) / area
            v = cross(a - c, p - c[:2]) / area
            z = c[2] + u * (a[2] - c[2]) + v * (b[2] - c[2])
            z[(u < -1e-9) | (v < -1e-9) | (u + v > 1 + 1e-9)] = -np.inf
            np.maximum(depths[rows, columns], z, out=depths[rows, columns])
        return depths

    def at(self, depths: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Depths (n,) at the samples nearest to points (n, 3)."""
        column = np.rint((points[:, 0] - self.left) / self.step).astype(int)
        row = np.rint((points[:, 1] - self.bottom) / self.step).astype(int)
        return depths[row, column]

    def places(self, mask: np.ndarray) -> np.ndarray:
        """x and y (n, 2) of the samples where mask (H, W) is true, metres."""
        row, column = np.nonzero(mask)
        return np.stack([self.left + column * self.step, self.bottom + row * self.step], axis=1)


MOUTH = Window(-25 * MM, 25 * MM, -95 * MM, -52 * MM)
COARSE = Window(-12 * MM, 12 * MM, -95 * MM, -52 * MM, step=0.5 * MM)
EYE = Window(12 * MM, 46 * MM, -12 * MM, 12 * MM)
BROWS = Window(-58 * MM, 58 * MM, -5 * MM, 40 * MM)


def cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def seen(face: Face, vertices: np.ndarray, part: str, window: Window) -> np.ndarray:
    """Mask (H, W) of the window: where the part is seen, with the skin before it."""
    skin = window.depths(vertices, triangles_of(face, "skin"))
    return window.depths(vertices, triangles_of(face, part)) > skin


def seen_teeth(face: Face, vertices: np.ndarray, window: Window) -> np.ndarray:
    """x and y (n, 2) of the samples where teeth or gums are seen, metres."""
    skin = window.depths(vertices, triangles_of(face, "skin"))
    teeth = triangles_of(face, "teeth_upper", "teeth_lower")
    return window.places(window.depths(vertices, teeth) > skin)


def rigid(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Best rotation (3, 3) and shift (3,) from points to points, and the largest error left."""
    a, b = before.mean(0), after.mean(0)
    u, _, vt = np.linalg.svd((before - a).T @ (after - b))
    turn = (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt).T
    error = np.linalg.norm(before @ turn.T + b - turn @ a - after, axis=1).max()
    return turn, b - turn @ a, float(error)


@pytest.mark.parametrize("side", ["Left", "Right"])
@pytest.mark.parametrize("look", LOOKS)
def test_an_eye_turns_about_its_centre(face: Face, side: str, look: str) -> None:
    span = face.parts[f"eye_{side.lower()}"]
    before, after = face.template[span], posed(face, **{f"eyeLook{look}{side}": 1})[span]
    turn, shift, error = rigid(before.astype(np.float64), after)
    assert error < 0.01 * MM
    # The centre of a rotation is the point that stays; take the one on the ball's axis.
    gaze = turn @ [0, 0, 1]
    wanted = np.array(LOOKS[look]) * [1 if side == "Left" else -1, 1]
    assert gaze[:2] @ wanted == pytest.approx(np.hypot(*gaze[:2]), abs=1e-5)
    assert 15 <= np.degrees(np.arccos(gaze[2])) <= 35
    centre = ball_centre(before)
    assert np.linalg.norm(turn @ centre + shift - centre) < 0.2 * MM


def ball_centre(points: np.ndarray) -> np.ndarray:
    """Centre (3,) of the sphere that fits the white of an eye (all but the bulge in front)."""
    white = points[points[:, 2] < points[:, 2].max() - 4 * MM].astype(np.float64)
    rows = np.concatenate([2 * white, np.ones((len(white), 1))], axis=1)
    return np.linalg.lstsq(rows, (white**2).sum(1), rcond=None)[0][:3]


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_nothing_but_looks_moves_an_eye(face: Face, side: str) -> None:
    span = face.parts[f"eye_{side.lower()}"]
    for unit, deltas in zip(face.unit_names, face.unit_deltas, strict=True):
        looks = unit.startswith("eyeLook") and unit.endswith(side)
        assert (np.abs(deltas[span]).max() > 0) == looks, unit


def test_the_pupil_is_dark_and_the_white_is_white(face: Face) -> None:
    for part in ("eye_left", "eye_right"):
        span = face.parts[part]
        offset = face.template[span] - ball_centre(face.template[span])
        polar = np.degrees(np.arccos(offset[:, 2] / np.linalg.norm(offset, axis=1)))
        tone = face.colors[span].mean(1)
        assert tone[polar < 6].max() < 0.1
        assert 0.12 < tone[(polar > 10) & (polar < 19)].mean() < 0.5
        assert tone[(polar > 28) & (polar < 40)].min() > 0.5


@pytest.mark.parametrize("others", [{}, {"eyeLookDown": 1}, {"eyeSquint": 1}, {"eyeLookInLeft": 1}])
def test_a_closed_lid_covers_the_eye(face: Face, others: dict[str, float]) -> None:
    assert not seen(face, posed(face, eyeBlink=1, **others), "eye_left", EYE).any()


def test_an_open_lid_shows_the_eye(face: Face) -> None:
    assert seen(face, posed(face), "eye_left", EYE).sum() * EYE.step**2 > 80 * MM**2


def test_upper_teeth_belong_to_the_skull(face: Face) -> None:
    assert not face.unit_deltas[:, face.parts["teeth_upper"]].any()


def test_lower_teeth_follow_the_jaw_rigidly(face: Face) -> None:
    span = face.parts["teeth_lower"]
    before = face.template[span].astype(np.float64)
    for unit, deltas in zip(face.unit_names, face.unit_deltas, strict=True):
        assert (np.abs(deltas[span]).max() > 0) == (unit in JAW_UNITS), unit
        assert rigid(before, before + deltas[span])[2] < 0.05 * MM, unit


def test_lower_teeth_keep_up_with_the_chin(face: Face) -> None:
    """Guards against teeth that stay behind: the chin's skin and the incisors open together."""
    chin = np.abs(face.template[:, 0]) < 8 * MM
    chin &= (face.template[:, 1] < -80 * MM) & (face.template[:, 1] > -92 * MM)
    chin[face.parts["skin"].stop :] = False
    chin &= face.template[:, 2] > 15 * MM
    teeth = np.zeros(len(face.template), bool)
    teeth[face.parts["teeth_lower"]] = True
    teeth &= face.template[:, 2] > 10 * MM
    for unit, axis in (("jawOpen", 1), ("jawLeft", 0), ("jawRight", 0), ("jawForward", 2)):
        moved = face.unit_deltas[face.unit_names.index(unit)][:, axis]
        assert moved[teeth].mean() / moved[chin].mean() == pytest.approx(1, abs=0.3), unit


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (35, 0), (0, -25), (0, 20)])
def test_no_tooth_shows_in_the_neutral(face: Face, yaw: float, pitch: float) -> None:
    """A slit under three samples (0.75 mm) high is dark: nothing in it can be told."""
    middle = face.template[face.contact_pairs].mean((0, 1))
    vertices = turned(posed(face) - middle, yaw, pitch) + middle
    skin = MOUTH.depths(vertices, triangles_of(face, "skin"))
    teeth = MOUTH.depths(vertices, triangles_of(face, "teeth_upper", "teeth_lower")) > skin
    assert not (teeth[:-2] & teeth[1:-1] & teeth[2:]).any()


def test_no_unit_pushes_a_tooth_through_a_lip(face: Face) -> None:
    """A tooth may only be seen between the lips: not above the upper one, not below the lower."""
    half = np.abs(face.template[face.contact_pairs][:, :, 0]).max()
    for unit in face.unit_names:
        if unit.endswith("Right") or not unit.startswith(("jaw", "mouth", "cheekPuff")):
            continue
        vertices = posed(face, **{unit: 1})
        found = seen_teeth(face, vertices, COARSE)
        found = found[np.abs(found[:, 0]) < half]
        upper, lower = (line_at(vertices[row], found[:, 0]) for row in face.contact_pairs.T)
        assert (found[:, 1] < upper + 1.0 * MM).all(), unit
        assert (found[:, 1] > lower - 1.0 * MM).all(), unit


def line_at(row: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Height (n,) of a row of lip vertices (m, 3) at each x (n,)."""
    order = np.argsort(row[:, 0])
    return np.interp(x, row[order, 0], row[order, 1])


@pytest.mark.parametrize(
    "look",
    [{"mouthSmile": 1, "jawOpen": 0.2}, {"jawOpen": 0.5}, {"jawOpen": 1}, {"mouthUpperUp": 1}],
)
def test_upper_teeth_show_below_the_lip(face: Face, look: dict[str, float]) -> None:
    vertices = posed(face, **look)
    shown = seen(face, vertices, "teeth_upper", MOUTH).sum() * MOUTH.step**2
    assert shown > 15 * MM**2
    lip = line_at(vertices[face.contact_pairs[:, 0]], np.zeros(1))[0]
    assert 0.5 * MM < lip - vertices[face.labiodental.teeth, 1].min() < 10 * MM


def test_the_tongue_stays_in_and_comes_out(face: Face) -> None:
    span = face.parts["tongue"]
    lips = face.template[face.contact_pairs[:, 1], 2].max()
    assert face.template[span][:, 2].max() < lips - 8 * MM
    out = posed(face, tongueOut=1, jawOpen=0.4)
    points = out[span]
    assert points[:, 2].max() > out[face.contact_pairs[:, 1], 2].max() + 8 * MM
    assert seen(face, out, "tongue", MOUTH).sum() * MOUTH.step**2 > 100 * MM**2


def test_the_tongue_passes_over_the_lower_incisors(face: Face) -> None:
    """Half-way out, the tongue's top is above the incisors' edge: it does not go through them."""
    for weight, jaw in ((0.3, 0.12), (0.5, 0.25), (1.0, 0.4)):
        vertices = posed(face, tongueOut=weight, jawOpen=jaw)
        teeth = vertices[face.parts["teeth_lower"]]
        edge = teeth[np.abs(teeth[:, 0]) < 4 * MM]
        front, height = edge[:, 2].max(), edge[:, 1].max()
        tongue = vertices[face.parts["tongue"]]
        above = tongue[(np.abs(tongue[:, 2] - front) < 6 * MM) & (np.abs(tongue[:, 0]) < 8 * MM)]
        assert above[:, 1].max() > height + 0.5 * MM


@pytest.mark.parametrize(
    "look", [{}, {"browDown": 1}, {"browInnerUp": 1}, {"browOuterUp": 1}, {"eyeBlink": 1}]
)
def test_brows_lie_on_the_skin(face: Face, look: dict[str, float]) -> None:
    vertices = posed(face, **look)
    hairs = vertices[face.parts["brows"]]
    height = hairs[:, 2] - BROWS.at(BROWS.depths(vertices, triangles_of(face, "skin")), hairs)
    assert np.quantile(height, 0.01) > 0
    assert np.quantile(height, 0.99) < 2.5 * MM


def test_lashes_keep_their_roots_on_the_lids(face: Face) -> None:
    skin = face.parts["skin"]
    span = face.parts["lashes"]
    gaps = np.linalg.norm(face.template[span][:, None] - face.template[skin], axis=2)
    roots = gaps.min(1) < 0.6 * MM
    assert roots.sum() > 30
    for look in ({"eyeBlink": 1}, {"eyeWide": 1}, {"eyeSquint": 1}):
        vertices = posed(face, **look)
        gaps = np.linalg.norm(vertices[span][roots][:, None] - vertices[skin], axis=2)
        assert gaps.min(1).max() < 2 * MM, look


def test_upper_lashes_turn_down_as_the_eye_shuts(face: Face) -> None:
    span = face.parts["lashes"]
    before, after = face.template[span], posed(face, eyeBlink=1)[span]
    tips = before[:, 1] > np.quantile(before[:, 1], 0.9)
    assert (after[tips, 1] - before[tips, 1]).mean() < -6 * MM


def test_the_cavity_is_joined_to_the_lips_in_every_unit(face: Face) -> None:
    """Guards against light between the skin's open edge and the bag behind it."""
    span = face.parts["cavity"]
    edge = open_edge(triangles_of(face, "cavity"))
    skin = face.template[face.parts["skin"]]
    gaps = np.linalg.norm(face.template[edge][:, None] - skin, axis=2)
    twin = gaps.argmin(1)
    assert len(edge) > 20
    assert span.start <= edge.min()
    assert gaps.min(1).max() < 1e-6
    assert np.abs(face.unit_deltas[:, edge] - face.unit_deltas[:, twin]).max() < 1e-6


def open_edge(triangles: np.ndarray) -> np.ndarray:
    """Vertices on edges that belong to one triangle only."""
    edges = np.sort(np.concatenate([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]))
    kinds, counts = np.unique(edges, axis=0, return_counts=True)
    return np.unique(kinds[counts == 1])


def test_no_light_comes_through_the_open_mouth(face: Face) -> None:
    vertices = posed(face, jawOpen=1)
    upper, lower = (vertices[row].mean(0) for row in face.contact_pairs.T)
    window = Window(-12 * MM, 12 * MM, lower[1], upper[1], step=MM)
    bag = triangles_of(face, "cavity")
    assert np.isfinite(window.depths(vertices, bag)).all()
    for yaw, pitch in ((30, 0), (0, -30), (0, 20)):
        middle = (upper + lower) / 2
        tilted = turned(vertices - middle, yaw, pitch)
        narrow = Window(-4 * MM, 4 * MM, -4 * MM, 4 * MM, step=MM)
        assert np.isfinite(narrow.depths(tilted, bag)).all()


def test_faces_of_the_parts_look_outward(face: Face) -> None:
    """Guards the winding: a body turned inside out is drawn black."""
    for part in ("eye_left", "eye_right", "tongue", "lashes"):
        vertices = face.template[face.parts[part]]
        a, b, c = np.moveaxis(face.template[triangles_of(face, part)] - vertices.mean(0), 1, 0)
        assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0, part
    a, b, c = np.moveaxis(face.template[triangles_of(face, "brows")], 1, 0)
    assert (np.cross(b - a, c - a)[:, 2] > 0).mean() > 0.98


def test_the_skin_is_painted_where_it_should_be(face: Face) -> None:
    """Lips redder than the cheeks, cropped hair darker than the forehead, both sides alike."""

    def paint(x: float, y: float) -> np.ndarray:
        skin = face.template[face.parts["skin"]]
        front = np.flatnonzero(skin[:, 2] > -60 * MM)
        return face.colors[front[np.linalg.norm(skin[front, :2] - [x, y], axis=1).argmin()]]

    lips = paint(0, face.template[face.labiodental.lip, 1].mean() - 4 * MM)
    cheek, forehead, hair = paint(50 * MM, -25 * MM), paint(0, 40 * MM), paint(0, 95 * MM)
    assert lips[0] / lips[1] > 1.15 * cheek[0] / cheek[1]
    assert hair.mean() < 0.6 * forehead.mean()
    np.testing.assert_allclose(paint(-50 * MM, -25 * MM), cheek, atol=0.05)
    assert face.colors.min() >= 0
    assert face.colors.max() <= 1
