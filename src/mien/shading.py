"""Numba kernels that colour what the rasteriser found: skin, eyes, teeth and hair under a few studio lights."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from mien.raster import NOTHING, kernel


@dataclass(frozen=True)
class Material:
    """How a part of the face answers light."""

    wrap: float = 0.0
    """how far light creeps past the edge of shadow, red farthest, as under skin (0..1)"""
    roughness: float = 0.5
    """of the broad highlight, 0 mirror .. 1 chalk"""
    specular: float = 1.0
    """strength of the broad highlight"""
    wet: float = 0.0
    """strength of a second, sharp highlight: a film of water"""
    mirror: float = 0.0
    """strength of the lamp's own picture (the glint in an eye)"""


MATERIALS = {
    "skin": Material(wrap=1.0, roughness=0.56, specular=0.9, wet=0.05),
    "eyes": Material(wrap=0.5, roughness=0.35, specular=0.3, wet=0.5, mirror=1.0),
    "teeth": Material(wrap=0.4, roughness=0.35, specular=0.8, wet=0.5, mirror=0.1),
    "tongue": Material(wrap=0.8, roughness=0.5, specular=0.8, wet=0.6),
    "hair": Material(wrap=0.6, roughness=0.7, specular=0.25),
    "cavity": Material(wrap=0.3, roughness=0.6, specular=0.3),
}


@dataclass(frozen=True)
class Light:
    """A far lamp, fixed to the camera."""

    azimuth: float
    """degrees to the right of the camera"""
    elevation: float
    """degrees above it"""
    color: tuple[float, float, float]
    """linear light; 1 lights white paper to white"""
    shadow: bool = False
    """throw shadows (else only dimmed where the surface is shut in)"""


LIGHTS = (
    Light(azimuth=-42, elevation=34, color=(0.80, 0.73, 0.66), shadow=True),
    Light(azimuth=48, elevation=8, color=(0.12, 0.14, 0.17)),
    Light(azimuth=135, elevation=25, color=(0.55, 0.60, 0.68)),
    Light(azimuth=-150, elevation=20, color=(0.25, 0.25, 0.28)),
)
"""Key, fill, rim, and a weaker rim on the key's side."""
SKY = (0.12, 0.13, 0.15)
"""light from everywhere above, linear"""
GROUND = (0.06, 0.05, 0.045)
"""light from below"""

# Columns of the values that are blended over each triangle.
NORMAL, SOFT, KEY, OPEN, ALBEDO, FADE, GLOSS = 0, 3, 6, 7, 8, 11, 12
COLUMNS = 13


def material_table(names: list[str]) -> np.ndarray:
    """One row of numbers for each named material, (M, 5) float32."""
    return np.array([astuple(MATERIALS[name]) for name in names], np.float32)


def light_direction(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vector (3,) toward a lamp, in the camera's axes."""
    around, above = np.radians([azimuth, elevation])
    flat = np.cos(above)
    return np.array([np.sin(around) * flat, np.sin(above), np.cos(around) * flat], np.float32)


def light_table() -> np.ndarray:
    """Direction, color, shadow of each light, (L, 7) float32."""
    rows = [(*light_direction(l.azimuth, l.elevation), *l.color, l.shadow) for l in LIGHTS]
    return np.array(rows, np.float32)


@kernel
def paint(image, box, lens, screen, triangles, materials, values, ids, nearness, table, lights, sky, backdrop):
    """Colour the pixels of `box` in image (H, W, 3) float32, linear: the mean over each pixel's samples.

    lens: focal length, middle x, middle y, in pixels. values (V, COLUMNS). materials (F,): row of `table`.
    Samples on one surface share one evaluation of the lights, in the middle of the pixel.
    """
    left, top, right, bottom = box
    samples = ids.shape[2]
    share = np.float32(1.0 / samples)
    value = np.empty(COLUMNS, np.float32)
    color = np.empty(3, np.float32)
    for y in range(top, bottom):
        for x in range(left, right):
            done = 0
            for s in range(samples):
                if done >> s & 1:
                    continue
                f = ids[y, x, s]
                near = nearness[y, x, s]
                count = 0
                for t in range(s, samples):
                    if same_surface(f, near, ids[y, x, t], nearness[y, x, t], materials):
                        done |= 1 << t
                        count += 1
                if count == samples and f == NOTHING:
                    image[y, x, 0], image[y, x, 1], image[y, x, 2] = backdrop[y, x, 0], backdrop[y, x, 1], backdrop[y, x, 2]
                    continue
                if s == 0:
                    image[y, x, 0] = image[y, x, 1] = image[y, x, 2] = 0.0
                amount = share * count
                fade = np.float32(0.0)
                if f != NOTHING:
                    turned = blend(value, f, x + np.float32(0.5), y + np.float32(0.5), screen, triangles, values)
                    light_point(color, value, turned, (lens[1] - x) / lens[0], (y - lens[2]) / lens[0], table[materials[f]], lights, sky)
                    fade = value[FADE]
                for c in range(3):
                    image[y, x, c] += amount * (backdrop[y, x, c] + fade * (film(color[c]) - backdrop[y, x, c]))


@kernel
def same_surface(f, near, other, other_near, materials):
    """Whether two samples of a pixel may share one evaluation: one material, within 3 mm in depth."""
    if f == NOTHING or other == NOTHING:
        return f == other
    return materials[f] == materials[other] and abs(near - other_near) < np.float32(0.003) * near * near


@kernel
def blend(value, f, x, y, screen, triangles, values):
    """The triangle's values at a point of the screen, in perspective; outside it, those of its nearest edge.

    Returns 1 where the triangle shows its front, else -1.
    """
    i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
    ax, ay = screen[i, 0], screen[i, 1]
    bx, by = screen[j, 0] - ax, screen[j, 1] - ay
    cx, cy = screen[k, 0] - ax, screen[k, 1] - ay
    area = cx * by - cy * bx
    scale = np.float32(1.0) / area
    b = (cx * (y - ay) - cy * (x - ax)) * scale
    c = (by * (x - ax) - bx * (y - ay)) * scale
    b = min(max(b, np.float32(0.0)), np.float32(1.0))
    c = min(max(c, np.float32(0.0)), np.float32(1.0) - b)
    a = (np.float32(1.0) - b - c) * screen[i, 2]
    b *= screen[j, 2]
    c *= screen[k, 2]
    total = np.float32(1.0) / (a + b + c)
    a *= total
    b *= total
    c *= total
    for n in range(value.shape[0]):
        value[n] = a * values[i, n] + b * values[j, n] + c * values[k, n]
    return np.float32(1.0) if area > 0.0 else np.float32(-1.0)


@kernel
def light_point(color, value, turned, view_x, view_y, material, lights, sky):
    """Light that leaves one point toward the camera, linear (3,) into `color`.

    turned: -1 on the back of a thin strip, else 1. view: toward the camera, its z is 1.
    """
    one, zero = np.float32(1.0), np.float32(0.0)
    length = one / np.sqrt(view_x * view_x + view_y * view_y + one)
    vx, vy, vz = view_x * length, view_y * length, length
    nx, ny, nz = unit(turned * value[NORMAL], turned * value[NORMAL + 1], turned * value[NORMAL + 2])
    sx, sy, sz = unit(turned * value[SOFT], turned * value[SOFT + 1], turned * value[SOFT + 2])
    facing = max(nx * vx + ny * vy + nz * vz, np.float32(0.05))
    wrap, roughness, specular, wet, mirror = material
    specular *= value[GLOSS]
    wet *= value[GLOSS]
    openness = value[OPEN]
    rx, ry, rz = 2 * facing * nx - vx, 2 * facing * ny - vy, 2 * facing * nz - vz
    # Light from everywhere: more from above; what is shut in gets less, but reddish, from its own walls.
    up = np.float32(0.5) + np.float32(0.5) * ny
    grazing = (one - facing) * (one - facing)
    sheen = (np.float32(0.03) + np.float32(0.35) * grazing * grazing * (one - roughness)) * specular * openness * openness
    mirrored = np.float32(0.5) + np.float32(0.5) * ry
    for c in range(3):
        albedo = value[ALBEDO + c]
        ambient = sky[1, c] + (sky[0, c] - sky[1, c]) * up
        color[c] = albedo * ambient * openness * (one + (one - openness) * albedo)
        color[c] += sheen * (sky[1, c] + (sky[0, c] - sky[1, c]) * mirrored)
    for l in range(lights.shape[0]):
        lx, ly, lz = lights[l, 0], lights[l, 1], lights[l, 2]
        passing = value[KEY] if lights[l, 6] > 0.0 else openness
        sharp = nx * lx + ny * ly + nz * lz
        soft = sx * lx + sy * ly + sz * lz
        if max(sharp, soft) < np.float32(-0.4):
            continue
        # Under skin red light travels farthest: it sees the smoothest surface and creeps farthest into the shade.
        red = wrapped(sharp + np.float32(0.75) * (soft - sharp), np.float32(0.38) * wrap)
        green = wrapped(sharp + np.float32(0.35) * (soft - sharp), np.float32(0.2) * wrap)
        blue = wrapped(sharp + np.float32(0.2) * (soft - sharp), np.float32(0.14) * wrap)
        bleed = passing * (one + (one - passing) * np.float32(0.6) * wrap)
        hx, hy, hz = unit(lx + vx, ly + vy, lz + vz)
        half = max(nx * hx + ny * hy + nz * hz, zero)
        across = max(vx * hx + vy * hy + vz * hz, np.float32(0.45))
        fresnel = (one - across) * (one - across)
        fresnel = np.float32(0.03) + np.float32(0.97) * fresnel * fresnel * (one - across)
        shine = specular * highlight(half, roughness) + wet * highlight(half, np.float32(0.22))
        shine *= fresnel * max(sharp, zero) / (np.float32(4.0) * across * across) * np.float32(3.14159)
        lamp = rx * lx + ry * ly + rz * lz
        shine += mirror * step_between(np.float32(0.972), np.float32(0.985), lamp)
        shine *= passing
        color[0] += lights[l, 3] * (red * bleed * value[ALBEDO] + shine)
        color[1] += lights[l, 4] * (green * passing * value[ALBEDO + 1] + shine)
        color[2] += lights[l, 5] * (blue * passing * value[ALBEDO + 2] + shine)


@kernel
def unit(x, y, z):
    """The vector at length 1."""
    scale = np.float32(1.0) / np.sqrt(max(x * x + y * y + z * z, np.float32(1e-20)))
    return x * scale, y * scale, z * scale


@kernel
def wrapped(cosine, wrap):
    """Lambert's cosine, reaching zero only where cosine = -wrap."""
    return max((cosine + wrap) / ((np.float32(1.0) + wrap) * (np.float32(1.0) + wrap)), np.float32(0.0))


@kernel
def highlight(half, roughness):
    """GGX: how many of the surface's small mirrors face half way between light and camera."""
    alpha = roughness * roughness
    alpha *= alpha
    low = half * half * (alpha - np.float32(1.0)) + np.float32(1.0)
    return alpha / (np.float32(3.14159) * low * low)


@kernel
def step_between(low, high, x):
    """0 below `low`, 1 above `high`, smooth between."""
    t = min(max((x - low) / (high - low), np.float32(0.0)), np.float32(1.0))
    return t * t * (np.float32(3.0) - np.float32(2.0) * t)


@kernel
def film(x):
    """Bright light rolls off instead of clipping: linear scene light → linear display light 0..1."""
    return min(x * (np.float32(2.51) * x + np.float32(0.03)) / (x * (np.float32(2.43) * x + np.float32(0.59)) + np.float32(0.14)), np.float32(1.0))


@kernel
def develop(picture, image, box, curve, grain):
    """Linear display light (H, W, 3) → sRGB bytes in `box`, by a table over the square root; grain (H, W) hides bands."""
    left, top, right, bottom = box
    last = curve.shape[0] - 1
    for y in range(top, bottom):
        for x in range(left, right):
            for c in range(3):
                light = min(max(image[y, x, c], np.float32(0.0)), np.float32(1.0))
                tone = curve[int(np.sqrt(light) * last)] + grain[y, x]
                picture[y, x, c] = np.uint8(min(max(tone, np.float32(0.0)), np.float32(255.0)))
