"""Arrays out of a foreign pickle, without running anything that it asks for.

FLAME's files are pickles, and a pickle is a program: whoever wrote it may have it call anything.
Here every name that it may ask for is answered by an inert class of this module, which only keeps
what it is given, even for numpy's own arrays; every other name ends the reading. What is kept is
checked and then copied into arrays.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import MienError

NUMBERS = "biuf"
"""Kinds of numpy dtypes that are read: bool, whole numbers and floats."""


class _Inert:
    """Takes any arguments, and keeps the state that the pickle gives it."""

    arguments: tuple = ()
    state: Any = None

    def __new__(cls, *arguments: Any) -> Any:
        """Keep the arguments; there is nothing else to make."""
        made = super().__new__(cls)
        made.arguments = arguments
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Inert):
    """A numpy array: state is (version, shape, dtype, whether in Fortran's order, bytes)."""

    def array(self) -> np.ndarray:
        _, shape, dtype, fortran, data = self.state
        data = data.encode("latin1") if isinstance(data, str) else data
        values = np.frombuffer(data, dtype.dtype())
        return values.reshape(shape, order="F" if fortran else "C").copy()


class _Dtype(_Inert):
    """A numpy dtype: made from its name, such as "f8"; state[1] is its byte order."""

    def dtype(self) -> np.dtype:
        found = np.dtype(str(self.arguments[0]))
        if found.kind not in NUMBERS:
            raise ValueError(f"an array of {found} instead of numbers")
        order = self.state[1] if self.state else "|"
        return found.newbyteorder(order) if order in "<>" else found


class _Scalar(_Inert):
    """A single number: made from its dtype and bytes."""

    def array(self) -> np.ndarray:
        dtype, data = self.arguments
        data = data.encode("latin1") if isinstance(data, str) else data
        return np.frombuffer(data, dtype.dtype())[0]


class _Columns(_Inert):
    """A scipy sparse matrix in columns (or rows): its values, their rows, and where columns end."""

    by_columns = True

    def array(self) -> np.ndarray:
        data, indices, ends = (_plain(self.state[key]) for key in ("data", "indices", "indptr"))
        shape = _plain(self.state.get("_shape", self.state.get("shape")))
        across, along = shape if self.by_columns else shape[::-1]
        dense = np.zeros((along, across), data.dtype)
        dense[np.repeat(np.arange(along), np.diff(ends)), indices] = data
        return dense.T.copy() if self.by_columns else dense


class _Rows(_Columns):
    by_columns = False


class _Ch(_Inert):
    """A chumpy array: its state holds the numpy array as x."""

    def array(self) -> np.ndarray:
        return _plain(self.state["x"])


class _Select(_Inert):
    """A chumpy selection: the entries `idxs` of the flattened array `a`, in a new shape."""

    def array(self) -> np.ndarray:
        whole, chosen = (np.asarray(_plain(self.state[key])) for key in ("a", "idxs"))
        return whole.ravel()[chosen].reshape(_plain(self.state["preferred_shape"]))


class _Made(_Inert):
    """What pickles call to make an object: the class, which is one of these, is the first word."""

    def __new__(cls, kind: Any, *arguments: Any) -> Any:
        """Make the object, empty; its state follows."""
        if not (isinstance(kind, type) and issubclass(kind, _Inert)):
            raise ValueError("something else than an array")
        return kind.__new__(kind)


class _Buffer(_Inert):
    """An array as protocol 5 has it: made from (bytes, dtype, shape, order)."""

    def array(self) -> np.ndarray:
        data, dtype, shape, order = self.arguments
        values = np.frombuffer(data, dtype.dtype())
        return values.reshape(shape, order="F" if order == "F" else "C").copy()


class _Encoded(_Inert):
    """Bytes that Python 3 wrote for Python 2: text in Latin-1."""

    def __new__(cls, text: str, code: str) -> Any:
        """Return the bytes themselves."""
        return text.encode("latin1")


class _NoBytes(_Inert):
    """Bytes without any, as Python 3 wrote them for Python 2."""

    def __new__(cls) -> Any:
        """Return no bytes; there is nothing to make them from."""
        return b""


_CHUMPY = {("chumpy.ch", "Ch"): _Ch, ("chumpy.reordering", "Select"): _Select}
_SPARSE = {
    (module, f"{kind}_{form}"): answer
    for kind, answer in (("csc", _Columns), ("csr", _Rows))
    for module in (f"scipy.sparse.{kind}", f"scipy.sparse._{kind}")
    for form in ("matrix", "array")
}
_NUMPY = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Made for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Buffer for core in ("core", "_core")},
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
}
_PLAIN = {
    **{(module, "_reconstructor"): _Made for module in ("copy_reg", "copyreg")},
    **{(module, "object"): _Inert for module in ("__builtin__", "builtins")},
    **{(module, "bytes"): _NoBytes for module in ("__builtin__", "builtins")},
    **{(module, "set"): _Inert for module in ("__builtin__", "builtins")},
    ("_codecs", "encode"): _Encoded,
}
ANSWERS = {**_PLAIN, **_NUMPY, **_SPARSE, **_CHUMPY}
"""What is put in the place of each name, by (module, name)."""


class _Reader(pickle.Unpickler):
    """Unpickles with inert answers alone."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the answer to a name; MienError for any other."""
        if (module, name) not in ANSWERS:
            raise MienError(f"it asks to run {module}.{name}, which no array needs")
        return ANSWERS[module, name]


def read_arrays(path: Path) -> dict[str, Any]:
    """Read a pickled dict of arrays: numpy's, chumpy's and scipy's sparse ones become numpy's.

    Entries that are text or other plain values stay as they are; an array of objects is left out.
    Raises MienError for what is no such file, and for one that asks to run anything, by name.
    """
    try:
        with path.open("rb") as file:
            found = _Reader(file, encoding="latin1").load()
        if not isinstance(found, dict):
            raise ValueError("there is no dict of arrays in it")
        return {str(key): _plain(value) for key, value in found.items() if _is_readable(value)}
    except MienError as error:
        raise MienError(
            f"{path} is refused: {error}; get the file anew from where FLAME is given out"
        ) from None
    except OSError as error:
        raise MienError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # a damaged pickle fails in any way
        raise MienError(f"{path} cannot be read as a pickle of arrays ({error})") from error


def _is_readable(value: Any) -> bool:
    """Whether it is plain, or an array of numbers; anything else is nothing that we need."""
    if isinstance(value, _Array):
        return value.state[2].arguments[0][:1] not in "OSUV"
    return not isinstance(value, _Inert) or hasattr(value, "array")


def _plain(value: Any) -> Any:
    """Turn a kept array into numpy's; anything plain stays."""
    return value.array() if isinstance(value, _Inert) else value  # type: ignore[attr-defined]
