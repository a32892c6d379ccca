"""Numba kernels of the software rasteriser: normals, rounding, visibility, depth maps.

Every kernel releases the GIL, so that frames render on several Python threads. None is
`parallel=True`: that aborts the process when two threads render at once without OpenMP.
"""

from __future__ import annotations

import numba
import numpy as np

NOTHING = -1
"""What a sample holds that no triangle covers."""
SLIVER = np.float32(1e-6)
"""pixels²: triangles smaller than this are not drawn (their barycentric coordinates are noise)."""
EDGE = np.float32(1e-5)
"""How far outside a triangle still counts as inside, so that no crack opens between neighbours."""
SAMPLES = 4
"""Samples of a pixel, on a turned grid: near-upright edges get more steps than from 2 x 2."""
SAMPLE_X = np.array([0.375, 0.875, 0.125, 0.625], np.float32)
SAMPLE_Y = np.array([0.125, 0.375, 0.625, 0.875], np.float32)
ONE, HALF = np.float32(1.0), np.float32(0.5)
ROUNDING = np.float32(0.5)
"""Share of the way to its ends' tangent planes that an edge's middle moves: 0.5 makes circles."""


def kernel(function):
    """Compile `function` once, keep it on disk, let it run beside other threads."""
    options = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to keep it in may be written: compile anew each time
        return numba.njit(**options)(function)


@kernel
def vertex_normals(vertices, triangles):
    """Unit normals (V, 3) of vertices (V, 3): the mean of the adjoining triangles', by area."""
    normals = np.zeros_like(vertices)
    for f in range(triangles.shape[0]):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ux, vx = vertices[j, 0] - vertices[i, 0], vertices[k, 0] - vertices[i, 0]
        uy, vy = vertices[j, 1] - vertices[i, 1], vertices[k, 1] - vertices[i, 1]
        uz, vz = vertices[j, 2] - vertices[i, 2], vertices[k, 2] - vertices[i, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for v in (i, j, k):
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    normalise(normals)
    return normals


@kernel
def normalise(vectors):
    """Make vectors (V, 3) unit length in place; zero stays zero."""
    for v in range(vectors.shape[0]):
        x, y, z = vectors[v, 0], vectors[v, 1], vectors[v, 2]
        scale = np.float32(1.0) / np.sqrt(max(x * x + y * y + z * z, np.float32(1e-30)))
        vectors[v, 0] = x * scale
        vectors[v, 1] = y * scale
        vectors[v, 2] = z * scale


@kernel
def round_edges(vertices, normals, edges):
    """Vertices (V, 3), then the middle of each edge (E, 2), bulged as the normals say.

    A coarse outline shows corners; one such step hides them without moving a vertex.
    """
    count = vertices.shape[0]
    finer = np.empty((count + edges.shape[0], 3), np.float32)
    finer[:count] = vertices
    for e in range(edges.shape[0]):
        i, j = edges[e, 0], edges[e, 1]
        half_x = (vertices[j, 0] - vertices[i, 0]) * np.float32(0.5)
        half_y = (vertices[j, 1] - vertices[i, 1]) * np.float32(0.5)
        half_z = (vertices[j, 2] - vertices[i, 2]) * np.float32(0.5)
        rise_i = half_x * normals[i, 0] + half_y * normals[i, 1] + half_z * normals[i, 2]
        rise_j = -half_x * normals[j, 0] - half_y * normals[j, 1] - half_z * normals[j, 2]
        step = ROUNDING * np.float32(0.5)
        for d in range(3):
            middle = (vertices[i, d] + vertices[j, d]) * np.float32(0.5)
            finer[count + e, d] = middle - step * (rise_i * normals[i, d] + rise_j * normals[j, d])
    return finer


@kernel
def spread(values, edges):
    """values (V, A) followed by each edge's mean, (V + E, A)."""
    count = values.shape[0]
    finer = np.empty((count + edges.shape[0], values.shape[1]), np.float32)
    finer[:count] = values
    for e in range(edges.shape[0]):
        for a in range(values.shape[1]):
            total = values[edges[e, 0], a] + values[edges[e, 1], a]
            finer[count + e, a] = total * np.float32(0.5)
    return finer


@kernel
def blur(values, edges, degrees):
    """values (V, A), half of each replaced by its neighbours' mean; degrees (V,): edges of each."""
    around = np.zeros_like(values)
    for e in range(edges.shape[0]):
        i, j = edges[e, 0], edges[e, 1]
        for a in range(values.shape[1]):
            around[i, a] += values[j, a]
            around[j, a] += values[i, a]
    for v in range(values.shape[0]):
        if degrees[v] == 0:
            around[v] = values[v]
            continue
        share = np.float32(0.5) / np.float32(degrees[v])
        for a in range(values.shape[1]):
            around[v, a] = np.float32(0.5) * values[v, a] + share * around[v, a]
    return around


@kernel
def rasterise(screen, triangles, two_sided, box, nearest):
    """Find the nearest triangle at every sample in `box`; writes `nearest` (H, W, 4) int64.

    A cell holds the nearness's bits above the triangle's number, so that the largest is the
    nearest, and NOTHING where there is none: one comparison and one store instead of two.

    screen (V, 3): x right and y down in pixels, and nearness, linear on the screen (1 / depth),
    above zero. Triangles that turn their back (clockwise as seen) are left out unless
    `two_sided` (F,). box: left, top, right, bottom, the last two outside.
    """
    first_x, first_y, last_x, last_y = box
    nearest[first_y:last_y, first_x:last_x] = NOTHING
    for f in range(triangles.shape[0]):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, aw = screen[i, 0], screen[i, 1], screen[i, 2]
        bx, by, bw = screen[j, 0] - ax, screen[j, 1] - ay, screen[j, 2] - aw
        cx, cy, cw = screen[k, 0] - ax, screen[k, 1] - ay, screen[k, 2] - aw
        area = cx * by - cy * bx
        if abs(area) < SLIVER or (area < 0.0 and not two_sided[f]):
            continue
        left = max(int(np.floor(ax + min(0.0, bx, cx))), first_x)
        right = min(int(np.floor(ax + max(0.0, bx, cx))), last_x - 1)
        top = max(int(np.floor(ay + min(0.0, by, cy))), first_y)
        bottom = min(int(np.floor(ay + max(0.0, by, cy))), last_y - 1)
        # Barycentric b and c are linear on the screen; these are their slopes.
        scale = np.float32(1.0) / area
        b_x, b_y = -cy * scale, cx * scale
        c_x, c_y = by * scale, -bx * scale
        w_x, w_y = b_x * bw + c_x * cw, b_y * bw + c_y * cw
        # What b, c and a = 1 - b - c must reach in a pixel's middle for any sample to be inside.
        b_low = -HALF * (abs(b_x) + abs(b_y)) - EDGE
        c_low = -HALF * (abs(c_x) + abs(c_y)) - EDGE
        a_low = -HALF * (abs(b_x + c_x) + abs(b_y + c_y)) - EDGE
        for y in range(top, bottom + 1):
            py = np.float32(y) - ay
            for x in range(left, right + 1):
                px = np.float32(x) - ax
                b_middle = b_x * (px + HALF) + b_y * (py + HALF)
                c_middle = c_x * (px + HALF) + c_y * (py + HALF)
                if b_middle < b_low or c_middle < c_low or ONE - b_middle - c_middle < a_low:
                    continue
                pixel = nearest[y, x]
                for s in range(SAMPLES):
                    sx, sy = px + SAMPLE_X[s], py + SAMPLE_Y[s]
                    b = b_x * sx + b_y * sy
                    c = c_x * sx + c_y * sy
                    near = np.float32(aw + w_x * sx + w_y * sy)
                    inside = (b >= -EDGE) & (c >= -EDGE) & (b + c <= ONE + EDGE)
                    found = (np.int64(near.view(np.int32)) << 32) | f
                    pixel[s] = max(pixel[s], found if inside else NOTHING)


@kernel
def triangle_of(found):
    """The triangle's number in a cell of `nearest`."""
    return found & 0xFFFFFFFF


@kernel
def nearness_of(found):
    """The nearness in a cell of `nearest`."""
    return np.int32(found >> 32).view(np.float32)


@kernel
def depth_map(screen, triangles, size):
    """How near the surface comes to a light at each texel: (size, size), 0 where nothing is.

    screen (V, 3): x right, y down in texels, and nearness in metres, above zero. Only triangles
    that face the light count: on a closed surface they are the nearest.
    """
    nearness = np.zeros((size, size), np.float32)
    for f in range(triangles.shape[0]):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, aw = screen[i, 0], screen[i, 1], screen[i, 2]
        bx, by, bw = screen[j, 0] - ax, screen[j, 1] - ay, screen[j, 2] - aw
        cx, cy, cw = screen[k, 0] - ax, screen[k, 1] - ay, screen[k, 2] - aw
        area = cx * by - cy * bx
        if area < SLIVER:
            continue
        left = max(int(np.ceil(ax + min(0.0, bx, cx) - 0.5)), 0)
        right = min(int(np.floor(ax + max(0.0, bx, cx) - 0.5)), size - 1)
        top = max(int(np.ceil(ay + min(0.0, by, cy) - 0.5)), 0)
        bottom = min(int(np.floor(ay + max(0.0, by, cy) - 0.5)), size - 1)
        scale = np.float32(1.0) / area
        b_x, b_y = -cy * scale, cx * scale
        c_x, c_y = by * scale, -bx * scale
        for y in range(top, bottom + 1):
            py = y + np.float32(0.5) - ay
            for x in range(left, right + 1):
                px = x + np.float32(0.5) - ax
                b = b_x * px + b_y * py
                c = c_x * px + c_y * py
                if b >= 0.0 and c >= 0.0 and b + c <= 1.0:
                    nearness[y, x] = max(nearness[y, x], aw + b * bw + c * cw)
    return nearness


@kernel
def light_reaching(nearness, screen):
    """Share 0..1 of the light that reaches each vertex (V,): four texels, compared and blended.

    screen (V, 3) as in `depth_map`.
    """
    size = nearness.shape[0]
    light = np.empty(screen.shape[0], np.float32)
    for v in range(screen.shape[0]):
        x = min(max(screen[v, 0] - np.float32(0.5), np.float32(0.0)), np.float32(size - 1.001))
        y = min(max(screen[v, 1] - np.float32(0.5), np.float32(0.0)), np.float32(size - 1.001))
        column, row = int(x), int(y)
        x -= column
        y -= row
        limit = screen[v, 2]
        upper = left_right(nearness[row, column], nearness[row, column + 1], limit, x)
        lower = left_right(nearness[row + 1, column], nearness[row + 1, column + 1], limit, x)
        light[v] = upper + (lower - upper) * y
    return light


@kernel
def left_right(left, right, limit, x):
    """Blend of two comparisons, each 1 where the map is not nearer than the limit."""
    lit_left = np.float32(1.0) if left <= limit else np.float32(0.0)
    lit_right = np.float32(1.0) if right <= limit else np.float32(0.0)
    return lit_left + (lit_right - lit_left) * x


@kernel
def light_visibility(vertices, lift, triangles, axes, center, reach, size):
    """Share 0..1 of each far light that arrives at each vertex: (D, V), by a depth map for each.

    lift (V, 3): how far off the surface to look, so that no triangle shades itself. axes (D, 3, 3):
    for each light the rows right, up, toward it. The maps cover `reach` metres around `center`,
    with size² texels.
    """
    lifted = vertices + lift
    visible = np.empty((axes.shape[0], vertices.shape[0]), np.float32)
    for d in range(axes.shape[0]):
        nearness = depth_map(from_light(vertices, axes[d], center, reach, size), triangles, size)
        screen = from_light(lifted, axes[d], center, reach, size)
        visible[d] = light_reaching(nearness, screen)
    return visible


@kernel
def from_light(vertices, axes, center, reach, size):
    """vertices (V, 3) as a far light sees them: x right, y down in texels, nearness in metres."""
    screen = np.empty_like(vertices)
    scale = np.float32(size / 2) / reach
    for v in range(vertices.shape[0]):
        x, y, z = vertices[v, 0] - center[0], vertices[v, 1] - center[1], vertices[v, 2] - center[2]
        right = axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z
        up = axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z
        toward = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z
        screen[v, 0] = np.float32(size / 2) + right * scale
        screen[v, 1] = np.float32(size / 2) - up * scale
        screen[v, 2] = toward + np.float32(2.0) * reach
    return screen


def split_triangles(triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """triangles (F, 3) of `count` vertices → edges (E, 2), and triangles (4F, 3) of both together.

    Edge e's middle is vertex count + e.
    """
    sides = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    edges, which = np.unique(sides, axis=0, return_inverse=True)
    a, b, c = triangles.T
    ab, bc, ca = (which.reshape(-1, 3) + count).T
    finer = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 1).reshape(-1, 3)
    return edges.astype(np.int32), finer.astype(np.int32)
