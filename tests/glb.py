"""Reading .glb files back with other people's readers."""

import subprocess

import numpy as np
import pygltflib
import pytest

VALIDATE = """
const text = require('fs').readFileSync(process.argv[1]);
require('gltf-validator').validateBytes(new Uint8Array(text)).then(
  report => console.log(report.issues.numErrors, report.issues.numWarnings))
"""

COMPONENTS = {5126: "<f4", 5121: "<u1", 5123: "<u2", 5125: "<u4"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A .glb through pygltflib's reader, and accessors resolved by the letter of the standard."""

    def __init__(self, path):
        self.path = path
        gltf = pygltflib.GLTF2.load_from_bytes(path.read_bytes())
        assert gltf is not None
        self.gltf, self.data = gltf, gltf.binary_blob() or b""

    def array(self, number):
        accessor = self.gltf.accessors[number]
        width = WIDTHS[accessor.type]
        values = np.zeros((accessor.count, width))
        if accessor.bufferView is not None:
            values = self._view(accessor.bufferView, accessor.componentType).reshape(-1, width)
        if accessor.sparse is not None:
            indices, moved = accessor.sparse.indices, accessor.sparse.values
            rows = self._view(indices.bufferView, indices.componentType)
            assert (np.diff(rows.astype(int)) > 0).all()
            values[rows] = self._view(moved.bufferView, accessor.componentType).reshape(-1, width)
        if accessor.min:
            assert np.allclose(values.min(0), accessor.min)
            assert np.allclose(values.max(0), accessor.max)
        return values

    def _view(self, number, component):
        view = self.gltf.bufferViews[number]
        return np.frombuffer(
            self.data[view.byteOffset : view.byteOffset + view.byteLength], COMPONENTS[component]
        )


def glb_issues(path):
    """Errors and warnings that the Khronos validator counts, such as "0 0"; skips without it."""
    try:
        run = ["node", "-e", VALIDATE, str(path)]
        found = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"node with gltf-validator is not installed ({type(error).__name__})")
    return found.stdout.strip()
