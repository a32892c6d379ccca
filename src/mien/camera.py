"""Camera: where a picture is taken from, and where the head's points fall in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from; the default frames the head, with room for it to move."""

    yaw: float = 0.0
    """degrees around the head; positive moves the camera to the face's own left (+x)"""
    pitch: float = 0.0
    """degrees; positive looks from above"""
    distance: float = 1.15
    """metres from the target"""
    field_of_view: float = 13.9
    """degrees, from the lower to the upper edge of the picture"""
    target: tuple[float, float, float] = (0.0, -0.017, -0.03)
    """metres; the point in the middle of the picture"""


def to_camera(vertices: np.ndarray, camera: Camera) -> np.ndarray:
    """vertices (V, 3) → around the target, in the camera's axes: x right, y up, z toward it."""
    apart = np.asarray(vertices, np.float32) - np.array(camera.target, np.float32)
    return np.ascontiguousarray(apart @ _rotation(camera).T)


def project(seen: np.ndarray, camera: Camera, *, width: int, height: int) -> np.ndarray:
    """seen (V, 3) of `to_camera` → (V, 3): x right and y down in pixels, and 1 / depth in 1 / m."""
    near = 1.0 / (camera.distance - seen[:, 2])
    focal = height / 2 / np.tan(np.radians(camera.field_of_view) / 2)
    across = width / 2 + focal * seen[:, 0] * near
    down = height / 2 - focal * seen[:, 1] * near
    return np.stack([across, down, near], 1).astype(np.float32)


def touched_box(screen: np.ndarray, *, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels that screen (V, 3) can touch: left, top, right, bottom, the last two outside."""
    low, high = np.floor(screen[:, :2].min(0)), np.floor(screen[:, :2].max(0)) + 1
    left, right = np.clip([low[0], high[0]], 0, width)
    top, bottom = np.clip([low[1], high[1]], 0, height)
    return int(left), int(top), int(right), int(bottom)


def _rotation(camera: Camera) -> np.ndarray:
    """Rotation (3, 3) from the face's axes to the camera's."""
    yaw, pitch = np.radians([camera.yaw, camera.pitch])
    turn = [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
    nod = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    return (np.array(nod) @ np.array(turn)).astype(np.float32)
