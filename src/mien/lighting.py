"""Lighting: the lamps, the materials, the grain of skin and the background of every picture.

Lamps are fixed to the camera. Light is linear, and 1 lights white paper to white.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True)
class Material:
    """How a part of the face answers light."""

    wrap: float = 0.0
    """how far light creeps past the edge of shadow, as it does under skin (0..1)"""
    roughness: float = 0.5
    """of the broad highlight, 0 mirror .. 1 chalk"""
    specular: float = 1.0
    """strength of the broad highlight"""
    wet: float = 0.0
    """strength of a second, sharp highlight: a film of water"""
    mirror: float = 0.0
    """strength of the lamp's own picture: the glint in an eye"""


MATERIALS = {
    "skin": Material(wrap=1.0, roughness=0.55, specular=1.1),
    "eyes": Material(wrap=0.5, roughness=0.35, specular=0.3, wet=0.5, mirror=1.0),
    "teeth": Material(wrap=0.4, roughness=0.35, specular=0.8, wet=0.5, mirror=0.1),
    "tongue": Material(wrap=0.8, roughness=0.5, specular=0.8, wet=0.6),
    "hair": Material(wrap=0.6, roughness=0.7, specular=0.25),
    "cavity": Material(wrap=0.3, roughness=0.6, specular=0.3),
}


@dataclass(frozen=True)
class Light:
    """A far lamp."""

    azimuth: float
    """degrees to the right of the camera"""
    elevation: float
    """degrees above it"""
    color: tuple[float, float, float]
    """linear light"""
    rays: int = 0
    """shadow maps: one throws a hard shadow, several a soft one; 0 only dims in hollows"""


LIGHTS = (
    Light(azimuth=-40, elevation=35, color=(0.88, 0.80, 0.72), rays=4),
    Light(azimuth=50, elevation=5, color=(0.10, 0.12, 0.15)),
    Light(azimuth=118, elevation=22, color=(0.42, 0.46, 0.54), rays=2),
    Light(azimuth=-122, elevation=25, color=(0.22, 0.23, 0.26), rays=2),
)
"""Key, fill, rim, and a weaker rim on the key's side."""
LAMP_SIZE = 7.0
"""degrees from the middle of a lamp to the rays that its shadow is made of"""
GLINT = (-27.0, 17.0)
"""azimuth, elevation of the lamp as eyes mirror it: lower than the key, or lids would hide it"""
SKY, GROUND = (0.10, 0.11, 0.13), (0.05, 0.04, 0.036)
"""linear light from everywhere above, and from below"""
SKY_RAYS = 16
"""shadow maps of the light from everywhere"""

PORE_TEXELS, PORE_TEXEL = 256, 0.0005
"""size of the skin's grain: texels (a power of two), and metres for each"""
PORE_SIZE = 0.002
"""metres: the commonest wavelength of the grain"""
PORE_TILT, PORE_TONE = 0.10, 0.02
"""spread of the grain's tilt, radians, and of its tone"""

BACKDROP_MIDDLE, BACKDROP_CORNER = (0.205, 0.222, 0.245), (0.030, 0.034, 0.042)
"""linear light behind the head, and far from it"""


def material_table(names: list[str]) -> np.ndarray:
    """One row of numbers for each named material, (M, 5) float32, in the order of its fields."""
    return np.array([astuple(MATERIALS[name]) for name in names], np.float32)


def light_table() -> np.ndarray:
    """For each light direction, color, half-way direction and mirrored share, (L, 10) float32.

    Half way lies between light and camera. For shine the camera counts as far away: a head fills
    so small an angle that nobody sees the difference.
    """
    rows = []
    for light in LIGHTS:
        direction = direction_of(light.azimuth, light.elevation)
        half = direction + np.array([0, 0, 1])
        half /= np.linalg.norm(half)
        across = max(half[2], 0.45)  # a lamp behind the head would make its edge burn
        fresnel = 0.03 + 0.97 * (1 - across) ** 5
        rows.append([*direction, *light.color, *half, fresnel / across**2])
    return np.array(rows, np.float32)


def direction_of(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vector (3,) toward a lamp, in the camera's axes."""
    around, above = np.radians([azimuth, elevation])
    flat = np.cos(above)
    return np.array([np.sin(around) * flat, np.sin(above), np.cos(around) * flat], np.float32)


def shadow_axes() -> np.ndarray:
    """The rays of all lamps in turn, then of the sky: rows right, up, toward, (rays, 3, 3)."""
    lamps = [ray for light in LIGHTS for ray in _lamp_rays(light)]
    return np.stack([_axes(ray) for ray in [*lamps, *_sky_rays()]]).astype(np.float32)


def _lamp_rays(light: Light) -> list[np.ndarray]:
    """Directions toward points on a ring around a lamp's middle."""
    turns = np.arange(light.rays) * 2 * np.pi / max(light.rays, 1)
    aside, above = LAMP_SIZE * np.sin(turns), LAMP_SIZE * np.cos(turns)
    return [
        direction_of(light.azimuth + x, light.elevation + y)
        for x, y in zip(aside, above, strict=True)
    ]


def _sky_rays() -> np.ndarray:
    """Directions (n, 3) spread evenly over what the camera's side of the head can see."""
    steps = np.arange(SKY_RAYS) + 0.5
    z = 1 - 1.3 * steps / SKY_RAYS
    around = np.pi * (1 + 5**0.5) * steps
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(around), flat * np.sin(around), z], 1)


def _axes(direction: np.ndarray) -> np.ndarray:
    """Rows right, up, toward (3, 3) of a view against `direction`."""
    aside = np.array([1.0, 0, 0]) if abs(direction[1]) > 0.9 else np.array([0, 1.0, 0])
    right = np.cross(aside, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction])


def pores() -> np.ndarray:
    """The grain of skin, tiling: tilts x, y and tone (N, N, 3) float32, waves of 1 to 3 mm."""
    noise = np.random.default_rng(0).standard_normal((PORE_TEXELS, PORE_TEXELS))
    across, along = np.meshgrid(*[np.fft.fftfreq(PORE_TEXELS, PORE_TEXEL)] * 2)
    rate = np.hypot(across, along) * PORE_SIZE
    spectrum = np.fft.fft2(noise) * rate * np.exp(-rate * rate)
    tilts = np.stack([np.fft.ifft2(1j * axis * spectrum).real for axis in (across, along)], 2)
    tone = np.fft.ifft2(spectrum).real[..., None]
    layers = PORE_TILT * tilts / tilts.std(), PORE_TONE * tone / tone.std()
    return np.concatenate(layers, 2).astype(np.float32)


def backdrop(width: int, height: int) -> np.ndarray:
    """A soft grey, lighter behind the head, linear light (H, W, 3) float32."""
    y, x = np.mgrid[0:height, 0:width]
    far = np.hypot(x - (width - 1) * 0.5, y - height * 0.42) / height
    near = np.exp(-((far / 0.62) ** 2))[..., None]
    middle, corner = np.array(BACKDROP_MIDDLE), np.array(BACKDROP_CORNER)
    return np.ascontiguousarray(corner + (middle - corner) * near, np.float32)


def grain(width: int, height: int) -> np.ndarray:
    """Noise 0..1 (H, W) float32 that rounds bytes, and so breaks up the bands of slow gradients."""
    return np.random.default_rng(0).random((height, width), np.float32)


def tone_curve() -> np.ndarray:
    """sRGB bytes as floats, (4096,), over the square root of linear light 0..1."""
    return (255 * linear_to_srgb(np.linspace(0, 1, 4096) ** 2)).astype(np.float32)


def srgb_to_linear(colors: np.ndarray) -> np.ndarray:
    """sRGB 0..1 → linear light 0..1, float32, any shape."""
    colors = np.asarray(colors, np.float32)
    low, high = colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    return np.where(colors <= 0.04045, low, high).astype(np.float32)


def linear_to_srgb(light: np.ndarray) -> np.ndarray:
    """linear light 0..1 → sRGB 0..1, float32, any shape."""
    light = np.asarray(light, np.float32)
    low, high = light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, low, high).astype(np.float32)
