"""Face: a head's topology, its neutral, its 52 named units, and what is measured on it.

Units of length are metres everywhere; y is up, z toward the viewer, the origin between the eyes,
left is the face's own left, +x. Arrays take any leading axes, written `...`.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from mien.errors import MienError
from mien.limits import Limits
from mien.solve import bounded_least_squares

_NAMES = """
    eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft
    eyeWideLeft eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight
    eyeSquintRight eyeWideRight jawForward jawLeft jawRight jawOpen mouthClose mouthFunnel
    mouthPucker mouthLeft mouthRight mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight
    mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower
    mouthRollUpper mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight
    mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight browDownLeft
    browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight noseSneerLeft noseSneerRight tongueOut
"""
UNIT_NAMES: tuple[str, ...] = tuple(_NAMES.split())
"""The 52 units in ARKit's (and Live Link Face's) order."""

LEAST_OWN = 3e-5
"""Share of a unit's movement that those before it must leave over."""

DEFAULT_PATH = Path(__file__).parent / "assets" / "head.npz"


@dataclass(frozen=True, eq=False)
class Labiodental:
    """What f and v bring together: the lower lip and the edge of the upper incisors."""

    lip: np.ndarray
    """(A,) int32: vertices on the lower lip's rim, near the midline."""
    teeth: np.ndarray
    """(B,) int32: vertices along the upper incisors' lower edge."""


@dataclass(frozen=True, eq=False)
class Face:
    """A head of V vertices and U units; plain arrays, checked once when made."""

    name: str
    """What the head is called."""
    template: np.ndarray
    """(V, 3) float32, metres: the neutral."""
    triangles: np.ndarray
    """(F, 3) int32, counter-clockwise seen from outside."""
    colors: np.ndarray
    """(V, 3) float32, sRGB in 0..1."""
    unit_names: tuple[str, ...]
    """Name of each unit."""
    unit_deltas: np.ndarray
    """(U, V, 3) float32, metres: displacement from the template at weight 1."""
    parts: dict[str, slice]
    """Contiguous ranges of vertices: skin, eye_left, eye_right, teeth_upper and so on."""
    basis_vertices: np.ndarray
    """(B,) int32: vertices that the basis spans and errors are counted on: skin, tongue and a few
    of each eyeball; the rest (teeth, brows, lashes, the mouth's cavity) only follows."""
    regions: dict[str, np.ndarray]
    """Vertex indices (n,) int32 by name: lips, lower_face, upper_face, eyes."""
    contact_pairs: np.ndarray
    """(P, 2) int32: inner-lip vertices (upper, lower) that touch when the mouth closes."""
    contact_normals: np.ndarray
    """(P, 3) float32, unit length: from the lower lip to the upper."""
    labiodental: Labiodental
    """Where f and v are measured; empty for a face without teeth."""
    limits: Limits
    """Rules that hold clashing units apart."""
    signed: bool = False
    """Whether amounts of units may be any real number, as those of orthonormal components are;
    else they lie in [0, 1] and under the limits."""

    def __post_init__(self) -> None:
        """Check that the arrays fit each other; raises MienError with the first thing wrong."""
        vertices, units = len(self.template), len(self.unit_names)
        wanted = {
            "template": (vertices, 3),
            "colors": (vertices, 3),
            "unit_deltas": (units, vertices, 3),
            "contact_normals": (len(self.contact_pairs), 3),
        }
        for field, shape in wanted.items():
            found = getattr(self, field)
            if found.shape != shape or not np.isfinite(found).all():
                raise MienError(f"face {self.name!r}: {field} is damaged or not {shape}")
        indices = [self.triangles, self.basis_vertices, self.contact_pairs, self.labiodental.lip]
        indices += [self.labiodental.teeth, *self.regions.values()]
        if any(i.size and not 0 <= i.min() <= i.max() < vertices for i in indices):
            raise MienError(f"face {self.name!r}: a vertex index lies outside 0..{vertices - 1}")
        if self.limits.sources.shape != (len(self.limits.targets), units):
            raise MienError(f"face {self.name!r}: its limits are not about {units} units")

    @property
    def has_teeth(self) -> bool:
        """Whether the bite of f and v can be measured; see `lip_to_teeth`."""
        return bool(self.labiodental.lip.size and self.labiodental.teeth.size)

    # Files

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Face":
        """Read a head file; the one that ships with mien by default.

        Raises MienError if the file is missing, damaged or not a head.
        """
        path = Path(path or DEFAULT_PATH)
        if not path.is_file():
            raise MienError(f"there is no head file {path}; give a .npz that Face.save wrote")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return _unpacked({key: arrays[key] for key in arrays.files})
        except MienError:
            raise
        except Exception as problem:  # zip, header and key errors all mean the same to the user
            raise MienError(
                f"head file {path} cannot be read ({problem}); build or install it again"
            ) from problem

    # The doors to `mien.faces`, which stands above this module; hence the late imports.

    @classmethod
    def from_flame(
        cls, path: str | Path, *, masks: str | Path | None = None, components: int = 100
    ) -> "Face":
        """Return the signed face of a FLAME file; see `mien.faces.flame.Flame`."""
        from mien.faces.flame import Flame

        return Flame.read(path).to_face(masks, components=components)

    @classmethod
    def from_ict(cls, folder: str | Path) -> "Face":
        """Return the face of a folder in ICT-FaceKit's layout; see `mien.faces.ict`."""
        from mien.faces.ict import read

        return read(folder)

    @classmethod
    def from_gltf(cls, path: str | Path) -> "Face":
        """Return the face of a .glb or .gltf with ARKit-named shapes; see `mien.faces.gltf`."""
        from mien.faces.gltf import read

        return read(path)

    def save(self, path: str | Path) -> None:
        """Write the head to `path` (.npz), displacements as sparse rows; exact on reading back."""
        moved = np.abs(self.unit_deltas).max(axis=2) > 0
        unit, vertex = np.nonzero(moved)
        arrays: dict[str, np.ndarray] = {
            "name": np.array(self.name),
            "unit_names": np.array(self.unit_names),
            "delta_unit": unit.astype(np.min_scalar_type(len(self.unit_names))),
            "delta_vertex": vertex.astype(np.int32),
            "delta_value": self.unit_deltas[unit, vertex],
            "signed": np.array(self.signed),
        }
        plain = ("template", "triangles", "colors", "basis_vertices", "contact_pairs")
        for key in (*plain, "contact_normals"):
            arrays[key] = getattr(self, key)
        for group in ("labiodental", "limits"):
            for field in fields(record := getattr(self, group)):
                arrays[f"{group}.{field.name}"] = getattr(record, field.name)
        for name, span in self.parts.items():
            arrays[f"parts.{name}"] = np.array([span.start, span.stop], np.int32)
        for name, indices in self.regions.items():
            arrays[f"regions.{name}"] = indices
        path = Path(path)
        part = path.with_name(f".{path.stem}.part.npz")
        try:
            np.savez_compressed(part, allow_pickle=False, **arrays)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    # Units

    def limit(self, weights: np.ndarray) -> np.ndarray:
        """Weights (..., U) brought into [0, 1] and under the clash rules; twice is like once.

        A signed face has no bounds: its weights come back as they are.
        """
        return np.asarray(weights) if self.signed else self.limits.apply(weights)

    def weights_to_vertices(self, weights: np.ndarray) -> np.ndarray:
        """Vertices (..., V, 3) float32 of weights (..., U): template plus the weighted units."""
        weights = np.asarray(weights, np.float32)
        moved = weights @ self.unit_deltas.reshape(len(self.unit_names), -1)
        return self.template + moved.reshape(*weights.shape[:-1], *self.template.shape)

    def vertices_to_weights(self, vertices: np.ndarray, *, smoothing: float = 0.0) -> np.ndarray:
        """Weights (..., U) whose shape is nearest to the vertices (..., V, 3), metres.

        Bounds and `smoothing`: see `coefficients_to_weights`.
        """
        kept = self.basis_vertices
        moved = np.asarray(vertices, np.float32)[..., kept, :] - self.template[kept]
        basis = self.basis[:, kept].reshape(len(self.basis), -1)
        coefficients = moved.reshape(*moved.shape[:-2], -1) @ basis.T
        return self.coefficients_to_weights(coefficients, smoothing=smoothing)

    # Coefficients

    @cached_property
    def unit_coefficients(self) -> np.ndarray:
        """(U, K) float64, metres: each unit in the basis; lower triangular.

        It is the Cholesky factor of the units' inner products, which, unlike principal axes, is
        the same on every machine. K = U, less the units that move nothing here. Raises MienError
        where units are not independent.
        """
        moving = np.flatnonzero(self._moving)
        gram, rows = self._gram[np.ix_(moving, moving)], np.zeros((len(self._gram), len(moving)))
        with suppress(np.linalg.LinAlgError):
            rows[moving] = np.linalg.cholesky(gram)
        own = np.diag(rows[moving]) / np.sqrt(np.diag(gram))
        if (own < LEAST_OWN).any():
            name = self.unit_names[moving[int(own.argmin())]]
            raise MienError(
                f"the units of the face {self.name!r} are not independent: {name!r} is a sum of "
                "those before it; such a face can be shown, and not trained on"
            )
        return rows

    @cached_property
    def basis(self) -> np.ndarray:
        """(K, V, 3) float32: orthonormal displacements that span the units on
        `basis_vertices`, 0 elsewhere."""
        moving = self._moving
        rows = np.linalg.solve(self.unit_coefficients[moving], self._basis_deltas[moving])
        basis = np.zeros((len(rows), *self.template.shape), np.float32)
        basis[:, self.basis_vertices] = rows.reshape(len(rows), -1, 3)
        return basis

    @cached_property
    def fingerprint(self) -> str:
        """What a pack was trained for: a hash of the units' names and inner products.

        Changes to colours, teeth, brows, lashes or the template leave it as it is. Orthonormal
        units have the same inner products on every face, so a signed face adds theirs with its
        template.
        """
        scale = np.sqrt(np.outer(np.diag(self._gram), np.diag(self._gram)))
        rounded = np.rint(1e5 * self._gram / np.where(scale > 0, scale, 1.0)).astype("<i8")
        sizes = np.rint(1e8 * np.sqrt(np.diag(self._gram))).astype("<i8")
        names = "\n".join(self.unit_names).encode()
        told = names + rounded.tobytes() + sizes.tobytes()
        if self.signed:
            rest = self.template[self.basis_vertices].astype(np.float64).ravel()
            along = self._basis_deltas @ rest / np.linalg.norm(rest)
            told += np.rint(1e5 * along).astype("<i8").tobytes()
        return hashlib.sha256(told).hexdigest()

    @property
    def coefficient_count(self) -> int:
        """K: how many coefficients a pose has, one for each unit that moves anything."""
        return int(self._moving.sum())

    def weights_to_coefficients(self, weights: np.ndarray) -> np.ndarray:
        """Coefficients (..., K), metres, of weights (..., U), in the weights' float type."""
        weights = np.asarray(weights)
        kind = weights.dtype if weights.dtype.kind == "f" else np.float32
        return weights @ self.unit_coefficients.astype(kind)

    def coefficients_to_weights(
        self, coefficients: np.ndarray, *, smoothing: float = 0.0
    ) -> np.ndarray:
        """Weights (..., U) in [0, 1], float32, nearest to the coefficients (..., K), metres.

        With `smoothing` > 0 the last axis but one is time, and weights are also pulled to those of
        the frames before and after: 1 weighs a change as much as an equal error of the pose. A
        signed face has neither bounds nor smoothing: its weights fit exactly.
        """
        coefficients = np.asarray(coefficients, np.float64)
        units = self.unit_coefficients
        if self.signed:
            if smoothing:
                raise MienError(f"the face {self.name!r} cannot smooth; smooth its vertices before")
            rows = coefficients.reshape(-1, len(units))
            return np.linalg.solve(units.T, rows.T).T.reshape(coefficients.shape).astype(np.float32)
        moving = self._moving
        products, gram = coefficients @ units[moving].T, self._gram[np.ix_(moving, moving)]
        runs = [products.reshape(-1, len(gram))]
        if smoothing > 0 and products.ndim > 2:
            runs = list(products.reshape(-1, *products.shape[-2:]))
        solved = [bounded_least_squares(gram, run, smoothing=smoothing) for run in runs]
        weights = np.zeros((*products.shape[:-1], len(units)), np.float32)
        weights[..., moving] = np.reshape(solved, products.shape)
        return weights

    # Lips

    def gap(self, vertices: np.ndarray) -> np.ndarray:
        """How far the lips are apart (...,), metres, for vertices (..., V, 3).

        The largest, over the inner-lip pairs, of their distance along the lip normal minus that at
        rest. Contact lies in [-0.0015, 0.001]; less is lips through each other. NaN
        for a face on which no lips were found.
        """
        if not len(self.contact_pairs):
            return np.full(np.shape(vertices)[:-2], np.nan)
        return self._pair_gaps(np.asarray(vertices) - self.template).max(axis=-1)

    @cached_property
    def contact_coefficients(self) -> np.ndarray:
        """(P, K) float64: coefficients @ this.T = each pair's gap, metres; `gap` is the largest."""
        return self._pair_gaps(self.basis.astype(np.float64)).T

    def lip_to_teeth(self, vertices: np.ndarray) -> np.ndarray:
        """Distance (...,), metres, from the upper incisors' edge to the lower lip: small in f, v.

        The mean, over the edge's vertices, of the distance to the nearest lower-lip vertex; NaN
        where the face has no teeth.
        """
        if not self.has_teeth:
            return np.full(vertices.shape[:-2], np.nan)
        lip = vertices[..., self.labiodental.lip, :]
        teeth = vertices[..., self.labiodental.teeth, :]
        distances = np.linalg.norm(teeth[..., :, None, :] - lip[..., None, :, :], axis=-1)
        return distances.min(axis=-1).mean(axis=-1)

    def _pair_gaps(self, displacements: np.ndarray) -> np.ndarray:
        """Change of each pair's distance (..., P) under displacements (..., V, 3), metres."""
        upper, lower = self.contact_pairs.T
        apart = displacements[..., upper, :] - displacements[..., lower, :]
        return (apart * self.contact_normals).sum(axis=-1)

    @cached_property
    def _moving(self) -> np.ndarray:
        """(U,) bool: the units that move any of `basis_vertices`; all do on the default head."""
        return np.diag(self._gram) > 0

    @cached_property
    def _gram(self) -> np.ndarray:
        """(U, U) float64, square metres: inner products of the units on `basis_vertices`."""
        deltas = self._basis_deltas
        return deltas @ deltas.T

    @cached_property
    def _basis_deltas(self) -> np.ndarray:
        """(U, 3B) float64, metres."""
        kept = self.unit_deltas[:, self.basis_vertices]
        return kept.reshape(len(kept), -1).astype(np.float64)


def _unpacked(arrays: dict[str, np.ndarray]) -> Face:
    """The Face of a head file's arrays; KeyError if one is missing."""
    names = tuple(str(name) for name in arrays["unit_names"])
    deltas = np.zeros((len(names), *arrays["template"].shape), np.float32)
    deltas[arrays["delta_unit"], arrays["delta_vertex"]] = arrays["delta_value"]

    def group(prefix: str) -> dict[str, np.ndarray]:
        return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

    return Face(
        name=str(arrays["name"]),
        template=arrays["template"],
        triangles=arrays["triangles"],
        colors=arrays["colors"],
        basis_vertices=arrays["basis_vertices"],
        unit_names=names,
        unit_deltas=deltas,
        parts={name: slice(*map(int, ends)) for name, ends in group("parts.").items()},
        regions=group("regions."),
        contact_pairs=arrays["contact_pairs"],
        contact_normals=arrays["contact_normals"],
        labiodental=Labiodental(**group("labiodental.")),
        limits=Limits(**group("limits.")),
        signed=bool(arrays.get("signed", False)),
    )
