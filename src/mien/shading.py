"""Numba kernels that colour what the rasteriser found: diffuse at vertices, shine at pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mien.lighting import GLINT, LIGHTS, direction_of
from mien.raster import HALF, NOTHING, ONE, SAMPLES, kernel, nearness_of, triangle_of

REACH = np.array([0.32, 0.19, 0.14], np.float32)
"""How far red, green and blue light creep into the shade under skin."""
BLUR = np.array([0.75, 0.35, 0.20], np.float32)
"""How much red, green and blue see the blurred surface instead of the sharp one."""
SEEPING = np.array([0.22, 0.12, 0.10], np.float32)
"""Share of the light from everywhere that arrives even in closed folds: none of them is black."""
GLINT_X, GLINT_Y, GLINT_Z = direction_of(*GLINT)
ZERO, QUARTER = np.float32(0.0), np.float32(1.0 / SAMPLES)
SAME_DEPTH = np.float32(0.003)
"""metres in depth within which the samples of a pixel count as one surface"""
WET_ROUGHNESS = np.float32(0.22)

# Columns of what is blended over each triangle.
NORMAL, COLOR, REACHING = 0, 3, 6
OPEN = REACHING + len(LIGHTS)
FADE, GLOSS, GRAIN, ACROSS, ALONG = range(OPEN + 1, OPEN + 6)
COLUMNS = OPEN + 6


class Lighting(NamedTuple):
    """What lights a picture; see `mien.lighting`."""

    materials: np.ndarray
    """(M, 5)"""
    lights: np.ndarray
    """(L, 10)"""
    sky: np.ndarray
    """(2, 3): light from above, from below"""
    pores: np.ndarray
    """(N, N, 3)"""
    backdrop: np.ndarray
    """(H, W, 3) linear light"""
    curve: np.ndarray
    """(n,) sRGB bytes over the square root of linear light"""
    grain: np.ndarray
    """(H, W)"""


class Drawing(NamedTuple):
    """What stands before the camera in one picture."""

    screen: np.ndarray
    """(V, 3) of `camera.project`"""
    triangles: np.ndarray
    """(F, 3)"""
    materials: np.ndarray
    """(F,): row of Lighting.materials"""
    values: np.ndarray
    """(V, COLUMNS)"""


@kernel
def diffuse(normals, soft, reaching, openness, albedo, materials, lighting):
    """Light (V, 3), linear, that vertices scatter: it changes too slowly to be worth it at pixels.

    normals, soft (V, 3): as they are, and blurred. reaching (V, L), openness (V,): share 0..1 of
    each lamp's light, and of the light from everywhere, that arrives. albedo (V, 3), linear.
    materials (V,): row of `lighting.materials`.
    """
    color = np.empty_like(albedo)
    sky, lights = lighting.sky, lighting.lights
    for v in range(albedo.shape[0]):
        wrap = lighting.materials[materials[v], 0]
        up = HALF + HALF * normals[v, 1]
        for c in range(3):
            ambient = sky[1, c] + (sky[0, c] - sky[1, c]) * up
            # A hollow gets less light, but some through the flesh and from its own reddish walls.
            opened = SEEPING[c] + (ONE - SEEPING[c]) * openness[v]
            total = ambient * opened * (ONE + (ONE - opened) * albedo[v, c])
            for n in range(lights.shape[0]):
                passing = reaching[v, n]
                passing += REACH[c] * wrap * passing * (ONE - passing)
                sharp, smooth = toward(normals, v, lights, n), toward(soft, v, lights, n)
                cosine = sharp + BLUR[c] * wrap * (smooth - sharp)
                total += lights[n, 3 + c] * passing * wrapped(cosine, REACH[c] * wrap)
            color[v, c] = albedo[v, c] * total
    return color


@kernel
def toward(vectors, v, lights, n):
    """Cosine between vector v and the direction of light n."""
    x, y, z = vectors[v, 0], vectors[v, 1], vectors[v, 2]
    return x * lights[n, 0] + y * lights[n, 1] + z * lights[n, 2]


@kernel
def wrapped(cosine, wrap):
    """Lambert's cosine, reaching zero only where cosine = -wrap, with as much light in all."""
    return max((cosine + wrap) / ((ONE + wrap) * (ONE + wrap)), ZERO)


@kernel
def paint(picture, box, nearest, drawing, lighting):
    """Draw over the background in picture (H, W, 3) uint8, in `box`: mean of samples, then sRGB.

    nearest (H, W, 4) of `raster.rasterise`. Samples on one surface share one evaluation of the
    shine, in the middle of the pixel.
    """
    left, top, right, bottom = box
    screen, triangles, materials, values = drawing  # unpacked: as one argument they cost double
    table, lights, sky, pores, backdrop, curve, grain = lighting
    value = np.empty(COLUMNS, np.float32)
    for y in range(top, bottom):
        for x in range(left, right):
            everything = nearest[y, x, 0]
            for s in range(1, SAMPLES):
                everything &= nearest[y, x, s]
            if everything == NOTHING:
                continue  # the picture came with its background
            red = green = blue = ZERO
            behind = backdrop[y, x]
            done = 0
            for s in range(SAMPLES):
                if done >> s & 1:
                    continue
                found = nearest[y, x, s]
                amount = ZERO
                for t in range(s, SAMPLES):
                    other = nearest[y, x, t]
                    if done >> t & 1 == 0 and same_surface(found, other, materials):
                        done |= 1 << t
                        amount += QUARTER
                fade = r = g = b = ZERO
                if found != NOTHING:
                    f = triangle_of(found)
                    middle_x, middle_y = np.float32(x) + HALF, np.float32(y) + HALF
                    blend(value, f, middle_x, middle_y, screen, triangles, values)
                    tone = roughen(value, pores)
                    r, g, b = shine(value, table[materials[f]], lights, sky)
                    r = film(r + tone * value[COLOR])
                    g = film(g + tone * value[COLOR + 1])
                    b = film(b + tone * value[COLOR + 2])
                    fade = value[FADE]
                red += amount * (behind[0] + fade * (r - behind[0]))
                green += amount * (behind[1] + fade * (g - behind[1]))
                blue += amount * (behind[2] + fade * (b - behind[2]))
            picture[y, x, 0] = to_byte(red, curve, grain[y, x])
            picture[y, x, 1] = to_byte(green, curve, grain[y, x])
            picture[y, x, 2] = to_byte(blue, curve, grain[y, x])


@kernel
def same_surface(found, other, materials):
    """Whether two samples of a pixel may share one evaluation: one material, one depth."""
    if found == NOTHING or other == NOTHING:
        return found == other
    near = nearness_of(found)
    apart = abs(near - nearness_of(other))
    same = materials[triangle_of(found)] == materials[triangle_of(other)]
    return same and apart < SAME_DEPTH * near * near


@kernel
def blend(value, f, x, y, screen, triangles, values):
    """Blend triangle f's values at a point of the screen, in perspective, into value (COLUMNS,).

    Outside the triangle its nearest edge answers. Normals are turned to face the camera on the back
    of a thin strip.
    """
    i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
    ax, ay = screen[i, 0], screen[i, 1]
    bx, by = screen[j, 0] - ax, screen[j, 1] - ay
    cx, cy = screen[k, 0] - ax, screen[k, 1] - ay
    area = cx * by - cy * bx
    scale = ONE / area
    b = (cx * (y - ay) - cy * (x - ax)) * scale
    c = (by * (x - ax) - bx * (y - ay)) * scale
    b = min(max(b, ZERO), ONE)
    c = min(max(c, ZERO), ONE - b)
    a = (ONE - b - c) * screen[i, 2]
    b *= screen[j, 2]
    c *= screen[k, 2]
    total = ONE / (a + b + c)
    a *= total
    b *= total
    c *= total
    for n in range(COLUMNS):
        value[n] = a * values[i, n] + b * values[j, n] + c * values[k, n]
    if area < ZERO:
        for n in range(NORMAL, NORMAL + 3):
            value[n] = -value[n]


@kernel
def roughen(value, pores):
    """Tilt the normal by the skin's grain; returns how light or dark it is there, around 1."""
    amount = value[GRAIN]
    if amount < np.float32(0.01):
        return ONE
    wrap = pores.shape[0] - 1  # the size is a power of two
    column, row = int(value[ACROSS]), int(value[ALONG])
    x, y = value[ACROSS] - np.float32(column), value[ALONG] - np.float32(row)
    left, right, above, below = column & wrap, (column + 1) & wrap, row & wrap, (row + 1) & wrap
    a, b = amount * (ONE - x) * (ONE - y), amount * x * (ONE - y)
    c, d = amount * (ONE - x) * y, amount * x * y
    tone = ONE
    for n in range(3):
        upper = a * pores[above, left, n] + b * pores[above, right, n]
        lower = c * pores[below, left, n] + d * pores[below, right, n]
        if n < 2:
            value[NORMAL + n] += upper + lower
        else:
            tone += upper + lower
    return tone


@kernel
def shine(value, material, lights, sky):
    """Light that the surface mirrors toward the camera: linear red, green, blue."""
    nx, ny, nz = unit(value[NORMAL], value[NORMAL + 1], value[NORMAL + 2])
    _, roughness, specular, wet, mirror = material
    openness = value[OPEN]
    facing = max(nz, np.float32(0.05))
    twice = facing + facing
    rx, ry, rz = twice * nx, twice * ny, twice * nz - ONE
    grazing = (ONE - facing) * (ONE - facing)
    edge = np.float32(0.35) * grazing * grazing * (ONE - roughness)
    sheen = specular * (np.float32(0.03) + edge) * openness * openness
    up = HALF + HALF * ry
    red = sheen * (sky[1, 0] + (sky[0, 0] - sky[1, 0]) * up)
    green = sheen * (sky[1, 1] + (sky[0, 1] - sky[1, 1]) * up)
    blue = sheen * (sky[1, 2] + (sky[0, 2] - sky[1, 2]) * up)
    for n in range(lights.shape[0]):
        cosine = nx * lights[n, 0] + ny * lights[n, 1] + nz * lights[n, 2]
        if cosine <= ZERO:
            continue
        half = max(nx * lights[n, 6] + ny * lights[n, 7] + nz * lights[n, 8], ZERO)
        lobes = specular * highlight(half, roughness)
        if wet > ZERO:
            lobes += wet * highlight(half, WET_ROUGHNESS)
        strength = value[GLOSS] * lobes * cosine * lights[n, 9] * value[REACHING + n]
        red += lights[n, 3] * strength
        green += lights[n, 4] * strength
        blue += lights[n, 5] * strength
    if mirror > ZERO:
        glint = rx * GLINT_X + ry * GLINT_Y + rz * GLINT_Z
        lamp = smooth_step(np.float32(0.970), np.float32(0.986), glint)
        strength = mirror * lamp * (HALF + HALF * openness)
        red, green, blue = red + strength, green + strength, blue + strength
    return red, green, blue


@kernel
def unit(x, y, z):
    """The vector at length 1."""
    scale = ONE / np.sqrt(max(x * x + y * y + z * z, np.float32(1e-20)))
    return x * scale, y * scale, z * scale


@kernel
def highlight(half, roughness):
    """GGX: how many of the surface's small mirrors face half way to the light (times π / 4)."""
    alpha = roughness * roughness
    alpha *= alpha
    low = half * half * (alpha - ONE) + ONE
    return alpha / (np.float32(4.0) * low * low)


@kernel
def smooth_step(low, high, x):
    """0 below `low`, 1 above `high`, smooth between."""
    t = min(max((x - low) / (high - low), ZERO), ONE)
    return t * t * (np.float32(3.0) - t - t)


@kernel
def film(light):
    """Scene light → display light 0..1, both linear: the bright rolls off instead of clipping."""
    over = light * (np.float32(2.51) * light + np.float32(0.03))
    under = light * (np.float32(2.43) * light + np.float32(0.59)) + np.float32(0.14)
    return min(over / under, ONE)


@kernel
def to_byte(light, curve, grain):
    """Linear display light → sRGB byte, by the table `curve`; grain 0..1 rounds it up or down."""
    root = np.sqrt(min(max(light, ZERO), ONE))
    return np.uint8(min(curve[int(root * np.float32(curve.shape[0] - 1))] + grain, 255.0))


@kernel
def to_bytes(light, curve, grain):
    """Linear display light (H, W, 3) → sRGB (H, W, 3) uint8; grain (H, W)."""
    picture = np.empty(light.shape, np.uint8)
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            for c in range(3):
                picture[y, x, c] = to_byte(light[y, x, c], curve, grain[y, x])
    return picture
