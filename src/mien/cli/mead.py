"""mien prepare mead: MEAD's recordings into a corpus."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mien.cli.options import add_jobs, number, whole
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.data.mead import Recording
    from mien.data.mead_corpus import Prepared
    from mien.data.mead_faces import Way
    from mien.face import Face


def add(sources: argparse._SubParsersAction) -> None:
    """Add the source to `mien prepare`."""
    source = sources.add_parser("mead", help="the dataset MEAD, as distributed")
    source.add_argument("root", type=Path, help="the folder with M003, …, or their tar archives")
    source.add_argument("corpus", type=Path, help="folder to write or to add to")
    _add_faces(source)
    choice = source.add_argument_group("which recordings (lists are separated by commas)")
    choice.add_argument("--actors", type=_words, default=(), help="such as M003,W009; default all")
    choice.add_argument("--emotions", type=_words, default=(), help="MEAD's names; default all")
    choice.add_argument("--levels", type=_levels, default=(), help="of 1,2,3; default all")
    choice.add_argument("--views", type=_words, default=("front",), help="default front")
    choice.add_argument(
        "--sound", choices=("auto", "video", "audio"), default="auto",
        help="of the video, of the audio folder, or the video's where it has one (default)",
    )  # fmt: skip
    said = source.add_argument_group("what they say, and who is tested")
    said.add_argument(
        "--groups", choices=("sound", "numbers"), default="sound",
        help="what tells that recordings say the same; default sound",
    )  # fmt: skip
    said.add_argument("--sentences", type=Path, help="a table of sentences instead of mien's own")
    said.add_argument(
        "--split", choices=("paper", "sentence", "actor"), default="paper",
        help="15 %% are for testing: of the clips as in the paper (default), sentences or actors",
    )  # fmt: skip
    said.add_argument(
        "--validation", type=_share, default=0.0, help="share of the rest for it; default 0"
    )
    said.add_argument("--seed", type=whole, default=0, help="of the split; default 0")
    add_jobs(source)
    source.set_defaults(act=_mead)


def _add_faces(source: argparse.ArgumentParser) -> None:
    faces = source.add_argument_group("how faces are seen: one of")
    ways = faces.add_mutually_exclusive_group(required=True)
    ways.add_argument("--tracker", choices=("mediapipe",), help="MediaPipe; needs --model")
    ways.add_argument(
        "--reconstruction", nargs=2, metavar=("emoca", "DIR"), help="EMOCA's codes; needs --face"
    )
    ways.add_argument("--vertices", type=Path, metavar="DIR", help="arrays; needs --face")
    faces.add_argument("--model", type=Path, help="MediaPipe's face_landmarker.task")
    faces.add_argument(
        "--face", type=Path,
        help="the face that moves: FLAME's file for its codes, a mesh (.obj) or face for vertices",
    )  # fmt: skip
    faces.add_argument("--masks", type=Path, help="FLAME_masks.pkl, for its lips and face")
    faces.add_argument(
        "--smoothing", choices=("savitzky-golay", "one-euro", "none"), default="savitzky-golay",
        help="what takes the tremble away; default savitzky-golay",
    )  # fmt: skip
    faces.add_argument("--largest", action="store_true", help="of two faces track the larger")


def _mead(options: argparse.Namespace) -> None:
    from mien.data import mead, mead_corpus, mead_groups

    if options.corpus.is_file():
        raise MienError(f"{options.corpus} is a file; the corpus, a folder, comes last")
    orders = mead_groups.read_orders(options.sentences)
    _check(options)
    found = mead.recordings(options.root, pictures=options.tracker is not None)
    wanted = mead.select(
        found,
        actors=options.actors,
        labels=options.emotions,
        levels=options.levels,
        views=options.views,
    )
    way, face = _way(options, wanted)
    settings = mead_corpus.Settings(
        split=options.split,
        validation=options.validation,
        seed=options.seed,
        sound=options.sound,
        by_sound=options.groups == "sound",
    )
    done = mead_corpus.prepare(
        options.corpus,
        found,
        wanted,
        way,
        face,
        settings=settings,
        orders=orders,
        workers=options.jobs,
        scheduler=options.dask,
        progress=True,
    )
    _tell(options.corpus, done)


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be meant before anything is read."""
    if options.tracker and options.model is None:
        raise MienError("--tracker mediapipe needs --model face_landmarker.task")
    if options.reconstruction and options.reconstruction[0] != "emoca":
        raise MienError(f"there is no reconstruction {options.reconstruction[0]!r}; emoca is one")
    if not options.tracker and options.face is None:
        raise MienError("codes and vertices need --face: FLAME's file, a mesh or a face")
    if options.largest and not options.tracker:
        raise MienError("--largest is for --tracker; EMOCA has chosen its face already")


def _way(options: argparse.Namespace, wanted: list["Recording"]) -> tuple["Way", "Face"]:
    """Return how faces are seen, and the face whose weights that gives."""
    from mien.data import mead_faces
    from mien.data.clips import FACE
    from mien.face import DEFAULT_PATH, Face

    kept = options.corpus / FACE
    if options.tracker:
        return _tracked(options)
    if options.reconstruction:
        folder = Path(options.reconstruction[1])
        face = Face.load(kept) if kept.is_file() else _flame_face(options)
        return mead_faces.Emoca(folder, options.face, kept, options.smoothing), face
    if kept.is_file():
        face = Face.load(kept)
    elif options.face.suffix.lower() == ".obj":
        face = _mesh_face(options, wanted)
    else:
        face = _read(options)
    if not kept.is_file() and face.fingerprint == Face.load().fingerprint:
        kept = DEFAULT_PATH
    return mead_faces.Vertices(options.vertices, kept, options.smoothing), face


def _tracked(options: argparse.Namespace) -> tuple["Way", "Face"]:
    from mien.data import mead_faces, video
    from mien.face import Face

    with video.MediaPipe(options.model):
        pass  # what is missing is said once, and not of each recording
    face = _read(options) if options.face else Face.load()
    if face.signed:
        raise MienError(f"{face.name!r} has no units of MediaPipe's; give a face that has them")
    way = mead_faces.Tracked(options.model, face.unit_names, options.largest, options.smoothing)
    return way, face


def _read(options: argparse.Namespace) -> "Face":
    from mien import faces

    return faces.read(options.face, masks=options.masks)


def _flame_face(options: argparse.Namespace) -> "Face":
    from mien.faces.flame import Flame

    flame = Flame.read(options.face)
    face = flame.to_face(options.masks)
    _tell_residual(face, flame.residual(face))
    return face


def _mesh_face(options: argparse.Namespace, wanted: list["Recording"]) -> "Face":
    """Return a face of a mesh that moves as the arrays of the wanted recordings do."""
    from mien.data import vertices
    from mien.faces.ict import read_obj

    template, triangles = read_obj(options.face)
    arrays = []
    for recording in wanted:
        try:
            arrays.append(vertices.find(options.vertices, recording))
        except MienError:
            continue  # it will be lost, with this reason
    face, residual = vertices.make_face(options.face.stem, template, triangles, arrays)
    _tell_residual(face, residual)
    return face


def _tell_residual(face: "Face", residual: float) -> None:
    print(
        f"mien: {1e3 * residual:.3f} mm a vertex of what {face.name} does lie outside its "
        f"{len(face.unit_names)} components",
        file=sys.stderr,
    )


def _tell(corpus: Path, done: "Prepared") -> None:
    """Print what was done, and what was found of each actor's sentences."""
    for actor, groups in done.groups:
        checked = (
            f"{groups.checked} recordings found to say what a neutral one says, {groups.moved} of "
            f"them not by their number; {groups.doubtful} left alone"
            if groups.checked
            else "unchecked"
        )
        print(f"{actor}: numbered as {groups.order!r}; {checked}")
    print(
        f"{corpus}: {done.clips} clips written ({done.seconds / 60:.1f} min), {done.there} "
        f"recordings were there, {done.lost} are lost (lost.txt tells why), {done.unseen:.1f} s "
        "left out because no face was seen"
    )


def _words(text: str) -> tuple[str, ...]:
    """Words between commas; for argparse."""
    return tuple(word for word in text.replace(" ", "").split(",") if word)


def _levels(text: str) -> tuple[int, ...]:
    return tuple(whole(word) for word in _words(text))


def _share(text: str) -> float:
    """A number from 0 to below 1; for argparse."""
    if not 0 <= number(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to below 1")
    return float(text)
