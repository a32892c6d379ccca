"""Arrays kept on disk by what they were made from: an answer is computed once, whoever asks."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.errors import MienError


@dataclass(frozen=True)
class Cache:
    """A folder of .npy files, each named by the sha256 of what it was made from.

    Several processes may use one folder: a file appears whole, and all would write the same.
    """

    folder: Path

    @classmethod
    def of(cls, folder: Path | str | None) -> "Cache | None":
        """A cache in a folder, which is made when it is needed; None for None."""
        return None if folder is None else cls(Path(folder))

    def get(self, made_from: tuple[object, ...], make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return what is kept for `made_from` (bytes count as they are), else make and keep it.

        A file that is damaged is made anew. Raises MienError where the folder cannot be written.
        """
        path = self._path(made_from)
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):  # not there, or damaged
            values = make()
        self._write(path, values)
        return values

    def _path(self, made_from: tuple[object, ...]) -> Path:
        digest = hashlib.sha256()
        for part in made_from:
            content = part if isinstance(part, bytes) else repr(part).encode()
            digest.update(len(content).to_bytes(8, "little"))
            digest.update(content)
        name = digest.hexdigest()
        return self.folder / name[:2] / f"{name[2:]}.npy"

    def _write(self, path: Path, values: np.ndarray) -> None:
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, suffix=".part", delete=False
            ) as stream:
                temporary = stream.name
                np.save(stream, values, allow_pickle=False)
            os.replace(temporary, path)
        except OSError as error:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            raise MienError(
                f"the cache {self.folder} cannot be written ({error.strerror}); free space, or "
                "name another folder"
            ) from error
