"""A FLAME-shaped model made from the Mien head, and its files as the authors give them out."""

import pickle
import sys
import types
from contextlib import contextmanager
from typing import Any

import numpy as np

from mien.face import Face

EXPRESSIONS = ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "mouthPucker", "mouthFunnel",
               "mouthFrownLeft", "mouthFrownRight", "browDownLeft", "browDownRight",
               "eyeBlinkLeft", "eyeBlinkRight", "mouthUpperUpLeft")  # fmt: skip
SHIFT = np.array([0.01, -0.03, 0.02])
"""metres: FLAME's own origin is not between the eyes"""
SHAPES = 300


def kept_of(face: Face) -> list[np.ndarray]:
    """The vertices of the Mien head that the model has: front of the skin, and of either eye."""
    found = []
    for name in ("skin", "eye_left", "eye_right"):
        at = np.arange(face.parts[name].start, face.parts[name].stop)
        x, y, z = face.template[at].T
        front = (z > -0.05) & (y < 0.07) & (y > -0.11) & (np.abs(x) < 0.068)
        found.append(at[front if name == "skin" else z >= np.median(z)])
    return found


def flame_arrays(face: Face) -> dict[str, Any]:
    """The arrays of a FLAME file: the Mien head's face and eyeballs, 12 expression directions, a
    jaw that turns about its joint, small correctives, five joints."""
    parts = kept_of(face)
    kept = np.concatenate(parts)
    place = np.full(len(face.template), -1)
    place[kept] = np.arange(len(kept))
    triangles = place[face.triangles]
    triangles = triangles[(triangles >= 0).all(axis=1)]
    template = face.template[kept].astype(np.float64)
    units = face.unit_names.index
    shapes = np.zeros((len(kept), 3, SHAPES + len(EXPRESSIONS)), np.float32)
    for k, name in enumerate(EXPRESSIONS):
        shapes[:, :, SHAPES + k] = face.unit_deltas[units(name), kept]
    opening = -face.unit_deltas[units("jawOpen"), kept, 1]
    jaw = np.clip(opening / np.quantile(opening, 0.98), 0, 1)
    regressor = np.zeros((5, len(kept)))
    lowest = np.argsort(template[:, 1])[:30]
    regressor[0, lowest] = regressor[1, lowest] = 1 / 30
    for joint, spot in ((2, (-0.03, -0.03, -0.03)), (2, (0.03, -0.03, -0.03))):
        regressor[joint, np.linalg.norm(template - spot, axis=1).argmin()] = 0.5
    weights = np.zeros((len(kept), 5))
    weights[:, 2], first = jaw, len(parts[0])
    for joint, size in ((3, len(parts[1])), (4, len(parts[2]))):
        regressor[joint, first : first + size] = 1 / size
        weights[first : first + size] = np.eye(5)[joint]
        first += size
    weights[:, 1] = 1 - weights.sum(axis=1)
    correctives = np.zeros((len(kept), 3, 36), np.float32)
    correctives[:, 2, 9 + 7] = 0.004 * jaw  # the jaw's entry (2, 1), the sine of opening
    return {
        "v_template": template + SHIFT,
        "f": triangles.astype(np.uint32),
        "shapedirs": shapes,
        "posedirs": correctives,
        "J_regressor": regressor,
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
        "weights": weights,
        "bs_type": "lrotmin",
    }


def masks_of(face: Face) -> dict[str, np.ndarray]:
    """FLAME_masks.pkl of that model."""
    skin, left, right = map(len, kept_of(face))
    place = np.full(len(face.template), -1)
    place[np.concatenate(kept_of(face))] = np.arange(skin + left + right)
    found = {name: place[at] for name, at in face.regions.items()}
    found = {name: at[(at >= 0) & (at < skin)] for name, at in found.items()}
    aside = face.template[kept_of(face)[0], 0][found["eyes"]]
    return {
        "lips": found["lips"],
        "face": np.concatenate([found["lower_face"], found["upper_face"]]),
        "left_eye_region": found["eyes"][aside > 0],
        "right_eye_region": found["eyes"][aside < 0],
        "left_eyeball": np.arange(skin, skin + left),
        "right_eyeball": np.arange(skin + left, skin + left + right),
    }


def write_flame(path, arrays) -> None:
    """Pickle the arrays as FLAME's files have them: chumpy's directions, scipy's sparse joints."""
    with foreign_modules() as (ch, select, csc):
        known = dict(arrays)
        if "shapedirs" in arrays:
            whole = np.asarray(arrays["shapedirs"])
            known["shapedirs"] = made(ch, x=whole, _dirty_vars=set(), _itr=None)
        if "posedirs" in arrays:
            posed = np.asarray(arrays["posedirs"])
            chosen = np.arange(posed.size).reshape(posed.shape[::-1]).transpose(2, 1, 0).ravel()
            inner = made(ch, x=posed.transpose(2, 1, 0).copy())
            known["posedirs"] = made(select, a=inner, idxs=chosen, preferred_shape=posed.shape)
        if "J_regressor" in arrays:
            dense = np.asarray(arrays["J_regressor"])
            columns, rows = np.nonzero(dense.T)
            ends = np.searchsorted(columns, np.arange(dense.shape[1] + 1)).astype(np.int32)
            known["J_regressor"] = made(csc, data=dense.T[columns, rows], indptr=ends, maxprint=50,
                                        indices=rows.astype(np.int32), _shape=dense.shape,
                                        format="csc")  # fmt: skip
        data = pickle.dumps(known, protocol=2)
    path.write_bytes(data.replace(b"numpy._core.", b"numpy.core."))


def made(kind, **state):
    """An object with this state."""
    one = kind()
    one.__dict__.update(state)
    return one


@contextmanager
def foreign_modules():
    """Stand-ins for chumpy and scipy, which are not here, as long as something is pickled."""
    kinds = {"chumpy.ch": "Ch", "chumpy.reordering": "Select", "scipy.sparse.csc": "csc_matrix"}
    found, before = [], dict(sys.modules)
    for module, name in kinds.items():
        words = module.split(".")
        for count in range(1, len(words) + 1):
            part = ".".join(words[:count])
            sys.modules[part] = types.ModuleType(part)
        found.append(type(name, (), {"__module__": module}))
        setattr(sys.modules[module], name, found[-1])
    try:
        yield found
    finally:
        for module in set(sys.modules) - set(before):
            del sys.modules[module]
        sys.modules.update(before)
