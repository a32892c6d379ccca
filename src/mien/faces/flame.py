"""FLAME: the head model of Li, Bolkart, Black, Li and Romero, "Learning a model of facial shape and
expression from 4D scans" (SIGGRAPH Asia 2017), from the user's own file.

Eq. 2: T_P = T + B_S(shape) + B_P(pose) + B_E(expression), Eq. 1: M = W(T_P, J, pose, weights),
linear blend skinning about five joints: root, neck, jaw and the two eyes. Joints are regressed
from the mesh under shape and expression, as in the authors' released code and so in EMOCA; the
paper writes them as those of the shape alone. Here the shape is zero and the head keeps still.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import MienError
from mien.face import Face
from mien.faces.components import face_of_components, orthonormal, outside, principal
from mien.faces.mesh import pieces
from mien.faces.pickles import read_arrays

JOINTS = 5
ROOT, NECK, JAW, LEFT_EYE, RIGHT_EYE = range(JOINTS)
SHAPES = 300
"""Directions of `shapedirs` that are shape; those after them are expression."""
CORRECTIVES = 9 * (JOINTS - 1)
"""Entries of the rotations of all joints but the root."""
KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights")
EXPRESSIONS = 50
"""Expression directions that a face spans at first: those that DECA and EMOCA predict."""
COMPONENTS = 100
POSES = 300
"""Sampled faces from which the components that follow are found, and the residual told."""
JAW_SPREAD = (0.2, 0.04, 0.03)
"""radians: standard deviation of the sampled jaw's pitch (opening only), yaw and roll"""
JAW_MOST = 0.6
"""radians"""
OPENED = 0.25
"""radians of jaw that tell the lips apart"""


@dataclass(frozen=True, eq=False)
class Flame:
    """A FLAME model of V vertices and E expression directions; float64, metres, as in its file."""

    name: str
    template: np.ndarray
    """(V, 3)"""
    triangles: np.ndarray
    """(F, 3) int32"""
    expressions: np.ndarray
    """(E, V, 3): what each expression direction adds at amount 1"""
    correctives: np.ndarray
    """(36, V, 3): what each entry of (rotation - identity) of neck, jaw and eyes adds"""
    regressor: np.ndarray
    """(5, V): the joints, from the vertices"""
    weights: np.ndarray
    """(V, 5): how much each vertex follows each joint"""
    parents: tuple[int, ...]
    """the joint that each joint hangs on; -1 for the root"""

    @classmethod
    def read(cls, path: Path | str) -> "Flame":
        """Read FLAME 2020's or 2023's file: its .pkl, or the same arrays in an .npz.

        A pickle is read without running it; see `mien.faces.pickles`. Raises MienError for a file
        that is missing, damaged, another model or of other sizes.
        """
        path = Path(path)
        arrays = _arrays(path)
        if missing := [key for key in KEYS if key not in arrays]:
            raise MienError(
                f"{path} is no FLAME model: it has no {missing[0]!r}; "
                "give flame2023.pkl or FLAME 2020's generic_model.pkl"
            )
        try:
            found = {key: np.asarray(arrays[key]) for key in KEYS}
        except ValueError as error:
            raise MienError(f"{path}: an array of FLAME cannot be read ({error})") from error
        _check(path, found)
        tree = found["kintree_table"].astype(np.int64)
        template = found["v_template"].astype(np.float64)
        return cls(
            name=f"FLAME {path.stem}",
            template=template,
            triangles=found["f"].astype(np.int32),
            expressions=np.moveaxis(found["shapedirs"][:, :, SHAPES:].astype(np.float64), 2, 0),
            correctives=np.moveaxis(found["posedirs"].astype(np.float64), 2, 0),
            regressor=found["J_regressor"].astype(np.float64),
            weights=found["weights"].astype(np.float64),
            parents=(-1, *(int(parent) for parent in tree[0, 1:])),
        )

    @cached_property
    def origin(self) -> np.ndarray:
        """(3,) metres: the point between the eyes, in the file's own axes."""
        joints = self.regressor @ self.template
        return (joints[LEFT_EYE] + joints[RIGHT_EYE]) / 2

    def vertices(
        self,
        expression: np.ndarray,
        jaw: np.ndarray,
        *,
        neck: np.ndarray | None = None,
        eyes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Vertices (T, V, 3) float32, metres, origin between the eyes of the neutral.

        Args:
            expression: (T, up to E) amounts of the first expression directions.
            jaw: (T, 3) radians, axis times angle; about x is opening.
            neck: (T, 3) likewise; zero unless given, as the head's pose is left out.
            eyes: (T, 6) likewise, left and right; zero unless given.

        Raises MienError for more expressions than the file has, and where lengths differ.
        """
        expression, jaw = np.atleast_2d(expression), np.atleast_2d(jaw)
        frames, count = expression.shape
        pose = np.zeros((frames, JOINTS, 3))
        turned = {JAW: jaw, NECK: neck}
        if eyes is not None:
            turned |= {LEFT_EYE: np.atleast_2d(eyes)[:, :3], RIGHT_EYE: np.atleast_2d(eyes)[:, 3:]}
        for joint, angles in turned.items():
            if angles is None:
                continue
            if np.shape(angles) != (frames, 3):
                raise MienError(
                    f"a joint's pose is {np.shape(angles)} for {frames} frames of expression; "
                    f"({frames}, 3) is wanted"
                )
            pose[:, joint] = angles
        if count > len(self.expressions):
            raise MienError(
                f"{count} expression amounts came and {self.name} has "
                f"{len(self.expressions)} directions; give the file that they were made with"
            )
        moved = np.tensordot(expression, self.expressions[:count], axes=1)
        return (self._posed(self.template + moved, pose) - self.origin).astype(np.float32)

    def _posed(self, shaped: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Vertices (T, V, 3) before the pose, and the joints' pose (T, 5, 3) -> (T, V, 3)."""
        rotations = axis_angles_to_rotations(pose)
        joints = self.regressor @ shaped
        entries = (rotations[:, 1:] - np.eye(3)).reshape(len(pose), -1)
        corrected = shaped + np.tensordot(entries, self.correctives, axes=1)
        turns, places = [rotations[:, ROOT]], [joints[:, ROOT]]
        for joint in range(1, JOINTS):
            parent = self.parents[joint]
            arm = joints[:, joint] - joints[:, parent]
            places.append(places[parent] + np.einsum("tij,tj->ti", turns[parent], arm))
            turns.append(turns[parent] @ rotations[:, joint])
        posed = np.zeros_like(shaped)
        for joint in range(JOINTS):
            apart = (corrected - joints[:, joint, None]) @ np.swapaxes(turns[joint], 1, 2)
            posed += self.weights[:, joint, None] * (apart + places[joint][:, None])
        return posed

    def to_face(self, masks: Path | str | None = None, *, components: int = COMPONENTS) -> Face:
        """Return a signed Face of at most so many orthonormal components.

        The first span the expression directions that EMOCA predicts; those that follow are the
        strongest of what sampled jaws add under sampled expressions, a rotation being nothing
        linear. `residual` tells what stays outside. `masks`: FLAME_masks.pkl, for the regions;
        they are found from the shape else. Raises MienError for masks of another model.
        """
        if components < 1:
            raise MienError(f"{components} components make no face; give at least 1")
        regions = self._regions(masks)
        count = min(EXPRESSIONS, components, len(self.expressions))
        rows = orthonormal(self.expressions[:count].reshape(count, -1))
        more = principal(outside(self._samples, rows), components - len(rows))
        rows = np.concatenate([rows, more])
        neutral = np.zeros((1, 1))
        template = self.vertices(neutral, np.zeros((1, 3)))[0]
        opened = self.vertices(neutral, np.array([[OPENED, 0.0, 0.0]]))[0]
        return face_of_components(
            self.name,
            template,
            self.triangles,
            rows.reshape(len(rows), *template.shape),
            opened - template,
            parts=self._parts(template),
            regions=regions,
        )

    def residual(self, face: Face) -> float:
        """Root mean square, metres a vertex, of the sampled movement that the face cannot make."""
        rows = face.unit_deltas.reshape(len(face.unit_deltas), -1).astype(np.float64)
        left = outside(self._samples, rows)
        return float(np.sqrt(np.square(left).sum() / (left.size / 3)))

    @cached_property
    def _samples(self) -> np.ndarray:
        """(POSES, 3 V) metres: displacements under expressions and jaws drawn as they occur."""
        generator = np.random.default_rng(0)
        count = min(EXPRESSIONS, len(self.expressions))
        jaw = generator.standard_normal((POSES, 3)) * JAW_SPREAD
        jaw[:, 0] = np.abs(jaw[:, 0])
        expression = generator.standard_normal((POSES, count))
        posed = self.vertices(expression, jaw.clip(-JAW_MOST, JAW_MOST))
        return (posed - (self.template - self.origin)).reshape(POSES, -1)

    def _parts(self, template: np.ndarray) -> dict[str, slice]:
        """Skin and eyeballs, which in FLAME are three pieces, one after the other."""
        found = pieces(self.triangles, len(template))
        if len(found) != 3 or found[0].start != 0:
            return {"skin": slice(0, len(template))}
        left, right = sorted(found[1:], key=lambda part: -template[part, 0].mean())
        return {"skin": found[0], "eye_left": left, "eye_right": right}

    def _regions(self, masks: Path | str | None) -> dict[str, np.ndarray]:
        """Return the regions that the mask file knows."""
        if masks is None:
            return {}
        path = Path(masks)
        found = read_arrays(path)
        if missing := [key for key in ("lips", "face") if key not in found]:
            raise MienError(f"{path} has no {missing[0]!r}; give FLAME_masks.pkl")
        sets = {key: np.asarray(at).astype(np.int32).ravel() for key, at in found.items()}
        if max(at.max(initial=0) for at in sets.values()) >= len(self.template):
            raise MienError(
                f"{path} counts more vertices than the {len(self.template)} of {self.name}; "
                "give the masks of that model"
            )
        return _regions_of_masks(sets, self.template)


def axis_angles_to_rotations(angles: np.ndarray) -> np.ndarray:
    """Axis times angle (..., 3), radians -> rotation matrices (..., 3, 3); Rodrigues' formula."""
    size = np.linalg.norm(angles, axis=-1, keepdims=True)
    axis = angles / np.maximum(size, 1e-12)
    x, y, z = np.moveaxis(axis, -1, 0)
    zero = np.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    cross = np.stack([np.stack(row, -1) for row in rows], -2)
    sine, cosine = np.sin(size)[..., None], np.cos(size)[..., None]
    return np.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)


def _regions_of_masks(
    sets: Mapping[str, np.ndarray], template: np.ndarray
) -> dict[str, np.ndarray]:
    """Our regions from the names of FLAME's mask file."""
    face = np.sort(sets["face"])
    y = template[face, 1]
    nose = y[template[face, 2].argmax()]
    found = {"lips": sets["lips"], "lower_face": face[y < nose], "upper_face": face[y >= nose]}
    eyes = ("left_eye_region", "right_eye_region", "left_eyeball", "right_eyeball")
    if around := [sets[key] for key in eyes if key in sets]:
        found["eyes"] = np.unique(np.concatenate(around))
    return {name: np.sort(at) for name, at in found.items()}


def _arrays(path: Path) -> Mapping[str, Any]:
    """Return the arrays of a FLAME file by name."""
    if not path.is_file():
        raise MienError(f"there is no file {path}; FLAME comes from https://flame.is.tue.mpg.de")
    if path.suffix.lower() != ".npz":
        return read_arrays(path)
    try:
        with np.load(path, allow_pickle=False) as found:
            return {key: found[key] for key in found.files if key in KEYS}
    except Exception as error:  # zip, header and value errors all mean the same to the user
        raise MienError(f"{path} cannot be read as arrays ({error}); make it anew") from error


def _check(path: Path, found: Mapping[str, np.ndarray]) -> None:
    """MienError unless the arrays are those of a FLAME model and fit each other."""
    joints = found["kintree_table"].shape[-1] if found["kintree_table"].ndim else 0
    if joints != JOINTS:
        raise MienError(
            f"{path} has {joints} joints and FLAME has {JOINTS}: root, neck, jaw and eyes; "
            "this looks like another model, such as SMPL"
        )
    vertices = len(found["v_template"])
    directions = found["shapedirs"].shape[-1]
    if directions <= SHAPES:
        raise MienError(
            f"{path} has {directions} shape directions and none of expression, which come after "
            f"{SHAPES}; give FLAME 2020's or 2023's file"
        )
    wanted = {
        "v_template": (vertices, 3),
        "f": (len(found["f"]), 3),
        "shapedirs": (vertices, 3, directions),
        "posedirs": (vertices, 3, CORRECTIVES),
        "J_regressor": (JOINTS, vertices),
        "kintree_table": (2, JOINTS),
        "weights": (vertices, JOINTS),
    }
    for key, shape in wanted.items():
        if found[key].shape != shape:
            raise MienError(f"{path}: {key} is {found[key].shape}; FLAME's would be {shape}")
        if found[key].dtype.kind not in "iuf" or not np.isfinite(found[key]).all():
            raise MienError(f"{path}: {key} holds what is no number; get the file anew")
    if found["f"].min() < 0 or found["f"].max() >= vertices:
        raise MienError(f"{path}: a triangle lies outside its {vertices} vertices")
    parents = found["kintree_table"][0, 1:].astype(np.int64)
    if (parents < 0).any() or (parents >= np.arange(1, JOINTS)).any():
        raise MienError(f"{path}: its joints hang on each other in a circle; get the file anew")
