from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from mien import lighting, raster, render, shading
from mien.animation import Animation, turn, turning_share
from mien.camera import Camera, project, to_camera
from mien.face import Face
from mien.render import Renderer

WIDTH, HEIGHT = 160, 90


def ball(rings=16, around=24, radius=0.09):
    """A closed ball of triangles, counter-clockwise seen from outside."""
    polar = np.linspace(0, np.pi, rings + 1)[1:-1, None]
    turn = np.arange(around) * 2 * np.pi / around
    points = np.stack(
        np.broadcast_arrays(
            np.sin(polar) * np.sin(turn), np.cos(polar), np.sin(polar) * np.cos(turn)
        ),
        2,
    ).reshape(-1, 3)
    points = np.concatenate([points, [[0, 1, 0], [0, -1, 0]]])
    top, bottom = len(points) - 2, len(points) - 1
    last = (rings - 2) * around
    triangles = []
    for j in range(around):
        k = (j + 1) % around
        triangles += [(top, j, k), (bottom, last + k, last + j)]
        for i in range(0, last, around):
            triangles += [(i + j, i + around + j, i + k), (i + k, i + around + j, i + around + k)]
    return (radius * points).astype(np.float32), np.array(triangles, np.int32)


def face_of(vertices, triangles, part="skin", color=(0.8, 0.6, 0.5)):
    """What a Renderer needs of a Face."""
    fake = SimpleNamespace(
        template=vertices,
        triangles=triangles,
        colors=np.tile(np.array(color, np.float32), (len(vertices), 1)),
        parts={part: slice(0, len(vertices))},
        regions={},
    )
    return cast(Face, fake)


@pytest.fixture(scope="module")
def face():
    """A ball with a nose, off the middle, so that no two views look alike."""
    vertices, triangles = ball()
    nose = np.argmin(np.linalg.norm(vertices - [0.03, 0.02, 0.08], axis=1))
    vertices[nose] *= 1.4
    return face_of(vertices, triangles, part="eye_left")


def rasterise_slowly(screen, triangles, two_sided, width, height):
    """The obvious twin of raster.rasterise: every sample asks every triangle."""
    ids = np.full((height, width, raster.SAMPLES), raster.NOTHING)
    nearest = np.zeros(ids.shape)
    for y, x, s in np.ndindex(ids.shape):
        point = np.array([x + raster.SAMPLE_X[s], y + raster.SAMPLE_Y[s]])
        for f, corners in enumerate(triangles):
            a, b, c = screen[corners].astype(float)
            sides = np.stack([b - a, c - a], 1)[:2]
            if np.linalg.det(sides) > 0 and not two_sided[f]:
                continue
            share = np.linalg.solve(sides, point - a[:2])
            near = a[2] + share @ [b[2] - a[2], c[2] - a[2]]
            if share.min() >= 0 and share.sum() <= 1 and near > nearest[y, x, s]:
                nearest[y, x, s], ids[y, x, s] = near, f
    return ids


def rasterise(screen, triangles, two_sided, width, height):
    nearest = np.empty((height, width, raster.SAMPLES), np.int64)
    raster.rasterise(screen, triangles, two_sided, (0, 0, width, height), nearest)
    ids, nearness = (
        np.vectorize(raster.triangle_of)(nearest),
        np.vectorize(raster.nearness_of)(nearest),
    )
    return np.where(nearest == raster.NOTHING, raster.NOTHING, ids), nearness


def test_rasterise_is_its_slow_twin():
    random = np.random.default_rng(3)
    screen = random.uniform([-4, -4, 0.5], [28, 20, 2.0], (36, 3)).astype(np.float32)
    triangles = np.arange(36, dtype=np.int32).reshape(12, 3)
    two_sided = random.random(12) < 0.5
    ids, _ = rasterise(screen, triangles, two_sided, 24, 16)
    expected = rasterise_slowly(screen, triangles, two_sided, 24, 16)
    assert len(np.unique(expected)) > 6
    assert np.mean(ids != expected) < 0.002


def test_nearer_triangle_wins_whatever_the_order():
    square = np.array([[2, 2], [2, 12], [12, 2]], np.float32)
    far = np.column_stack([square, np.full(3, 1.0, np.float32)])
    near = np.column_stack([square, np.full(3, 1.1, np.float32)])
    screen = np.concatenate([far, near]).astype(np.float32)
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        triangles = np.array(order, np.int32)
        ids, nearness = rasterise(screen, triangles, np.zeros(2, bool), 16, 16)
        assert np.all(triangles[ids[4, 4], 0] == 3)
        assert np.allclose(nearness[4, 4], 1.1)


def test_neighbours_leave_no_crack():
    """Samples on a shared edge once fell to neither triangle, by rounding."""
    random = np.random.default_rng(5)
    x, y = np.meshgrid(np.linspace(-1, 33, 18), np.linspace(-1, 33, 18))
    points = np.stack([x, y], 2) + random.uniform(-0.5, 0.5, (18, 18, 2))
    screen = np.column_stack([points.reshape(-1, 2), np.ones(324)]).astype(np.float32)
    corner = (np.arange(17)[:, None] * 18 + np.arange(17)).ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 18, corner + 1], 1),
            np.stack([corner + 1, corner + 18, corner + 19], 1),
        ]
    ).astype(np.int32)
    ids, _ = rasterise(screen, triangles, np.zeros(len(triangles), bool), 32, 32)
    assert (ids != raster.NOTHING).all()


def test_normals_of_a_ball_are_radial():
    vertices, triangles = ball()
    normals = raster.vertex_normals(vertices, triangles)
    radial = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    assert (normals * radial).sum(1).min() > 0.99


def test_rounding_keeps_a_ball_a_ball():
    """Edge middles of a ball of radius r lie inside it by up to 3 %; rounded, they lie on it."""
    vertices, triangles = ball(12, 16, radius=1.0)
    edges, finer = raster.split_triangles(triangles, len(vertices))
    flat = np.linalg.norm(vertices[edges].mean(1), axis=1)
    rounded = raster.round_edges(vertices, vertices, edges)
    assert np.array_equal(rounded[: len(vertices)], vertices)
    assert flat.min() < 0.985
    assert np.abs(np.linalg.norm(rounded, axis=1) - 1).max() < 0.002
    assert np.array_equal(finer.reshape(-1, 4, 3)[:, [0, 1, 2], [0, 1, 2]], triangles)


def test_split_triangles_cover_the_same_area():
    vertices, triangles = ball()
    edges, finer = raster.split_triangles(triangles, len(vertices))
    split = np.concatenate([vertices, vertices[edges].mean(1)])
    before, after = (
        np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]])
        for v, t in ((vertices, triangles), (split, finer))
    )
    assert np.allclose(after.reshape(-1, 4, 3).sum(1), before, atol=1e-8)


def test_blending_is_true_to_perspective():
    """Half way between a near and a far corner on the screen lies nearer the near one in space."""
    screen = np.array([[0, 0, 1.0], [0, 16, 1.0], [16, 0, 0.25]], np.float32)
    values = np.zeros((3, shading.COLUMNS), np.float32)
    values[2, shading.COLOR] = 1.0
    values[:, shading.NORMAL] = 1.0
    value = np.empty(shading.COLUMNS, np.float32)
    half_way = np.float32(8), np.float32(0)
    for triangle, facing in (([0, 1, 2], 1), ([0, 2, 1], -1)):
        triangles = np.array([triangle], np.int32)
        shading.blend(value, 0, *half_way, screen, triangles, values)
        assert value[shading.COLOR] == pytest.approx(0.5 * 0.25 / (0.5 * 0.25 + 0.5), abs=1e-6)
        assert value[shading.NORMAL] == pytest.approx(facing), "the back of a strip is turned"


def test_shares_of_a_pixel_sum_to_one():
    """A sample near two surfaces in depth was counted with both: heads had bright outlines."""
    screen = np.array([[-9, -9, 1.0], [-9, 9, 1.0], [9, -9, 1.0]], np.float32)
    values = np.zeros((3, shading.COLUMNS), np.float32)
    values[:, shading.NORMAL + 2] = values[:, shading.FADE] = 1.0
    values[:, shading.COLOR : shading.COLOR + 3] = 0.3
    triangles, first = np.array([[0, 1, 2]], np.int32), np.zeros(1, np.int32)
    drawing = shading.Drawing(screen, triangles, first, values)
    lamps = Renderer(face_of(*ball()), width=2, height=1)._lighting
    dark = lamps._replace(lights=lamps.lights[:0], sky=0 * lamps.sky, grain=0 * lamps.grain)
    depths = np.array([[[0, 4, 0, 2], [0, 0, 0, 0]]], np.float32)
    nearest = (1 - depths / 1000).view(np.int32).astype(np.int64) << 32
    picture = np.zeros((1, 2, 3), np.uint8)
    shading.paint(picture, (0, 0, 2, 1), nearest, drawing, dark)
    assert picture[0, 1].min() > 100
    assert np.array_equal(picture[0, 0], picture[0, 1])


def test_a_plate_throws_its_shadow():
    plate = np.array(
        [[-0.02, 0.1, -0.02], [-0.02, 0.1, 0.02], [0.02, 0.1, 0.02], [0.02, 0.1, -0.02]]
    )
    below = np.array([[0, 0, 0], [0.01, 0, -0.01], [0.03, 0, 0], [0, 0, 0.05]])
    vertices = np.concatenate([plate, below]).astype(np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    axes = np.array([[[1, 0, 0], [0, 0, -1], [0, 1, 0]]], np.float32)
    lift = np.tile(np.array([0, 0.002, 0], np.float32), (8, 1))
    center, reach = np.zeros(3, np.float32), np.float32(0.2)
    light = raster.light_visibility(vertices, lift, triangles, axes, center, reach, 128)[0]
    assert np.array_equal(light[4:], [0, 0, 1, 1])
    assert light[:4].min() == 1, "the plate must not shade itself"


def test_turning_the_camera_is_turning_the_head(face):
    turn = np.radians(30)
    back = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    target = np.array(Camera().target)
    turned = (face.template - target) @ back.T + target
    there = Renderer(face, width=WIDTH, height=HEIGHT, camera=Camera(yaw=30)).render(face.template)
    here = Renderer(face, width=WIDTH, height=HEIGHT).render(turned)
    straight = Renderer(face, width=WIDTH, height=HEIGHT).render(face.template)
    assert np.abs(there.astype(int) - here).max() <= 2
    assert np.abs(there.astype(int) - straight).max() > 50


def test_positive_yaw_shows_the_heads_own_left():
    """+x is the head's own left, and right in the picture; seen from there, the face looks left."""
    point = np.array([[0.09, 0.0, 0.03]], np.float32)
    x = [
        project(to_camera(point, Camera(yaw=yaw)), Camera(), width=WIDTH, height=HEIGHT)[0, 0]
        for yaw in (0, 45, 90)
    ]
    assert x[0] > x[1] > x[2]
    assert x[0] > WIDTH / 2 + 10
    assert x[2] < WIDTH / 2 - 10


def test_mirrored_head_under_mirrored_lamps_is_the_mirrored_picture(face, monkeypatch):
    straight = Renderer(face, width=WIDTH, height=HEIGHT).render(face.template)
    mirrored = face_of(face.template * [-1, 1, 1], face.triangles[:, ::-1], part="eye_left")
    lamps = tuple(replace(light, azimuth=-light.azimuth) for light in lighting.LIGHTS)
    monkeypatch.setattr(lighting, "LIGHTS", lamps)
    other = Renderer(mirrored, width=WIDTH, height=HEIGHT).render(mirrored.template)
    assert np.abs(straight[:, ::-1].astype(int) - straight).mean() > 4
    assert np.abs(other[:, ::-1].astype(int) - straight).mean() < 1.5


def test_size_only_scales_the_picture(face):
    small = Renderer(face, width=WIDTH, height=HEIGHT).render(face.template).astype(float)
    large = Renderer(face, width=320, height=180).render(face.template).astype(float)
    shrunk = large.reshape(90, 2, 160, 2, 3).mean((1, 3))
    assert np.abs(shrunk - small).mean() < 1.5


def test_empty_picture_is_the_background(face):
    renderer = Renderer(face, width=WIDTH, height=HEIGHT)
    far = np.array([9, 0, 0])
    picture = renderer.render(face.template + far)
    assert np.array_equal(picture, renderer.render(face.template - far))
    assert np.abs(picture.astype(int) - picture[:, ::-1]).max() <= 2
    assert picture[40, 80].min() > picture[85, 5].max() + 20, "lighter behind the head"


def test_neck_comes_out_of_the_background():
    vertices, triangles = ball(radius=0.12)
    kept = (vertices[triangles][:, :, 1] > -0.09).all(1)
    face = face_of(vertices, triangles[kept])
    fade = render.neck_fade(face)
    rim = render.lower_rim(face)
    assert len(rim) == 24
    assert fade[rim].max() == 0
    assert fade[vertices[:, 1] > 0].min() == 1


def test_colors_survive_the_round_trip():
    colors = np.linspace(0, 1, 101)
    assert np.allclose(lighting.linear_to_srgb(lighting.srgb_to_linear(colors)), colors, atol=1e-5)
    curve = lighting.tone_curve()
    light = lighting.srgb_to_linear(np.arange(256) / 255)
    bytes_ = [shading.to_byte(value, curve, np.float32(0.5)) for value in light]
    assert np.abs(np.array(bytes_, int) - np.arange(256)).max() <= 1


def test_frames_come_in_order_and_are_those_of_one_thread(face):
    moves = [face.template + np.array([0.004 * t, 0, 0], np.float32) for t in range(7)]
    fake = SimpleNamespace(
        frames=7, turned_vertices=lambda start, stop: np.stack(moves[start:stop])
    )
    animation = cast(Animation, fake)
    renderer = Renderer(face, width=WIDTH, height=HEIGHT)
    many = list(render.frames(renderer, animation, threads=3))
    assert len(many) == 7
    for vertices, picture in zip(moves, many, strict=True):
        assert np.array_equal(picture, renderer.render(vertices))
    assert not np.array_equal(many[0], many[1])


def test_films_show_the_turned_head():
    head = Face.load()
    weights = np.zeros((2, len(head.unit_names)), np.float32)
    turned = Animation(weights, 30.0, head, head=np.radians([[0, 0, 0], [8, 0, 0]]))
    still, moved = render.frames(Renderer(head, width=WIDTH, height=HEIGHT), turned)
    expected = Renderer(head, width=WIDTH, height=HEIGHT)
    assert np.array_equal(still, expected.render(head.template))
    assert np.array_equal(moved, expected.render(turned.turned_vertices(1, 2)[0]))
    assert not np.array_equal(still, moved)


def test_the_head_fills_the_film_and_is_never_cut_off():
    """It once filled a third of the width. Life turns it by less than ten degrees."""
    head = Face.load()
    renderer, share = Renderer(head), turning_share(head)
    skull = share == 1

    def edges(*angles):
        seen = to_camera(turn(head.template, np.radians(angles), share), renderer.camera)
        size = {"width": renderer.width, "height": renderer.height}
        screen = project(seen, renderer.camera, **size)[skull, :2]
        return screen.min(0), screen.max(0)

    low, high = edges(0, 0, 0)
    assert (high - low)[0] > 0.5 * renderer.width
    assert (high - low)[1] > 0.7 * renderer.height
    for yaw in (-10, 10):
        for pitch in (-10, 10):
            for roll in (-10, 10):
                low, high = edges(yaw, pitch, roll)
                assert low.min() > 0.05 * renderer.height
                assert high.max() < 0.95 * renderer.height
