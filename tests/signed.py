"""A face without named units: six of the Mien head's movements as orthonormal components."""

from mien.face import UNIT_NAMES, Face
from mien.faces.components import face_of_components, orthonormal

MOVES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "mouthPucker", "mouthClose")


def signed_face(face: Face) -> Face:
    deltas = face.unit_deltas[[UNIT_NAMES.index(name) for name in MOVES]]
    rows = orthonormal(deltas.reshape(len(MOVES), -1)).reshape(deltas.shape)
    return face_of_components(
        "six ways", face.template, face.triangles, rows, deltas[0], parts=face.parts
    )
