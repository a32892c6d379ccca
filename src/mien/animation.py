"""Animation: the result. Plain data from which every output is made."""

from dataclasses import dataclass

import numpy as np

from mien.face import Face


@dataclass(frozen=True, eq=False)
class Animation:
    """A face's movement over time, as the weights of its units.

    Every output (film, glTF, curves, vertices) comes from these same weights, so that they agree.
    """

    weights: np.ndarray
    """(T, U) float32 in [0, 1], within the face's limits."""
    fps: float
    """Frames per second; frame t shows the time t / fps."""
    face: Face
    speech: np.ndarray | None = None
    """(S,) float32 in [-1, 1], 16 kHz; what the film lets hear."""

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.weights)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.fps

    @property
    def coefficients(self) -> np.ndarray:
        """(T, K) float32, metres: displacement from the template in the face's basis."""
        return self.face.weights_to_coefficients(self.weights)

    def vertices(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return (t, V, 3) float32, metres, for the frames start ≤ t < stop; made on demand."""
        return self.face.weights_to_vertices(self.weights[start:stop])
