"""Do the lips do what is heard? Pure measures of curves over time against phones in seconds.

Frame t shows the moment t / fps. `gap (T,)` is `Face.gap`: how far the lips stand apart near the
midline, less what they do at rest. `width (T,)` is the distance between the mouth's corners, `bite
(T,)` is `Face.lip_to_teeth`, `lips (T, L, 3)` are the vertices of the region lips. Arrays are in
metres, results in the units that each measure names. Phones and moments after the last frame are
not counted.
"""

import math
from collections.abc import Collection, Sequence

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.data.phones import SILENCE
from mien.errors import MienError
from mien.evaluate.samples import Share, correlation, precedence, spearman

CONTACT = (-1.5e-3, 1.0e-3)  # metres; below the first the lips are in each other
BILABIALS = frozenset(["p", "b", "m"])
LABIODENTALS = frozenset(["f", "v"])
NEAR = 0.040  # seconds around a phone in which its contact counts: a frame, and the aligner errs

BITE_TOLERANCE = 1.0e-3
"""Metres beyond the face's own f. At rest the lip is 4 mm further from the teeth than in its f;
f and v of the first pack lie within 0.7 mm or beyond 1.7 mm, so the limit cuts between the two."""

HEIGHTS: tuple[tuple[str, ...], ...] = (
    ("iy", "uw"),  # close: i, u
    ("ih", "uh"),  # near-close: ɪ, ʊ
    ("ey", "ow"),  # close-mid: e, o
    ("ax", "ah", "er"),  # mid: ə, ɝ; CMUdict writes ə and ʌ as AH, in running speech mostly ə
    ("eh", "ao", "oy"),  # open-mid: ɛ, ɔ
    ("ae",),  # near-open: æ
    ("aa", "ay", "aw"),  # open: ɑ, a
)
"""Vowels by height, from close to open, as on the chart of the International Phonetic Association
(Handbook of the IPA, 1999; chart of 2020). A diphthong stands at its first element."""

OPENNESS = {name: rank for rank, names in enumerate(HEIGHTS, start=1) for name in names}
VOWELS = tuple(OPENNESS)
DIPHTHONGS = frozenset(["ay", "aw", "oy", "ey", "ow"])
FIRST_ELEMENT, SECOND_ELEMENT = 0.3, 0.8  # share of a diphthong at which its elements are read
FEWEST = 3  # times that a vowel must be said for its mean to count in the order

ROUND, SPREAD = ("uw", "ow", "w"), ("iy", "eh")

LONG_SILENCE = 0.3  # seconds; in shorter ones the mouth is on its way
SILENCE_MARGIN = 0.15  # seconds at each end of a silence in which the mouth may still move

LAG_REACH = 10  # frames to both sides
JITTER_HERTZ = 10.0
VOICE_HERTZ = (80.0, 1000.0)  # where the voice is loud and hissing is not
VOICE_SECONDS = 0.04
VOICE_FLOOR = 1e-8  # power, 80 dB below full scale


# Closures


def contact_recall(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> Share:
    """Return how many p, b, m have a frame in contact (-1.5 to 1 mm) within the phone ± 40 ms."""
    touching = _touching(_curve(gap, "gap"))
    spans = _near(phones, BILABIALS, len(gap), fps=fps)
    return Share(sum(bool(touching[first:stop].any()) for first, stop in spans), len(spans))


def penetration(gap: np.ndarray) -> Share:
    """Return how many frames have the lips in each other: a gap under -1.5 mm.

    Frames hang together, so the true interval is wider than Wilson's.
    """
    gap = _curve(gap, "gap")
    return Share(int((gap < CONTACT[0]).sum()), len(gap))


def closures(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> np.ndarray:
    """Return how long the lips stay shut for each p, b, m that has contact, (n, 2), seconds:
    the closure's own length, and the phone's.

    Shut is a gap of at most 1 mm; its ends are found between frames, on straight lines. Of several
    closures within the phone ± 40 ms the longest counts. A p, b or m beside a pause or another one
    is left out, because they share their closure.
    """
    gap, found = _curve(gap, "gap"), []
    touching = _touching(gap)
    for place, phone in enumerate(phones):
        beside = {p.name for p in phones[max(place - 1, 0) : place + 2] if p is not phone}
        if phone.name not in BILABIALS or beside & {SILENCE, *BILABIALS}:
            continue
        first, stop = _span(phone.start - NEAR, phone.end + NEAR, len(gap), fps=fps)
        if touching[first:stop].any():
            found.append((_closure_at(gap, first, stop) / fps, phone.end - phone.start))
    return np.array(found).reshape(-1, 2)


def labiodentals(bite: np.ndarray, phones: Sequence[Phone], *, own_f: float, fps: float) -> Share:
    """Return how many f, v bring the lower lip to the teeth within the phone ± 40 ms.

    `own_f` is `Face.lip_to_teeth` of the face's own f, metres; up to 1 mm more counts.
    """
    bite = _curve(bite, "bite")
    close = bite <= own_f + BITE_TOLERANCE
    spans = _near(phones, LABIODENTALS, len(bite), fps=fps)
    return Share(sum(bool(close[first:stop].any()) for first, stop in spans), len(spans))


# Vowels


def false_contacts(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> Share:
    """Return how many vowels have a shut mouth (a gap of 1 mm or less) at their centre."""
    gap = _curve(gap, "gap")
    frames = [audio.seconds_to_frame(p.centre, fps) for p in phones if p.name in VOWELS]
    centres = gap[[frame for frame in frames if frame < len(gap)]]
    return Share(int((centres <= CONTACT[1]).sum()), len(centres))


def vowel_gaps(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> np.ndarray:
    """Return which vowel and how open, for each one said: (n, 2), place in `VOWELS` and gap in mm.

    A vowel is read at its centre, a diphthong at 30 % of its length, where its first element is.
    """
    return _cases(_curve(gap, "gap"), phones, VOWELS, fps, second=False)


def openness_order(cases: np.ndarray) -> float:
    """Return Spearman's rho in [-1, 1] of the vowels' mean gaps with their openness.

    `cases` are those of `vowel_gaps`; vowels said less than three times do not count.
    """
    said = [(k, cases[cases[:, 0] == k, 1]) for k in np.unique(cases[:, 0]).astype(int)]
    said = [(OPENNESS[VOWELS[k]], float(gaps.mean())) for k, gaps in said if len(gaps) >= FEWEST]
    return spearman(*np.array(said).T) if len(said) > 1 else math.nan


def rounding_widths(width: np.ndarray, phones: Sequence[Phone], *, fps: float) -> np.ndarray:
    """Return the mouth's width in rounded (uw, ow, w) and spread sounds (iy, eh): (n, 2), 1 for
    rounded or 0, and mm.

    Read at the centre, in ow at 80 % of its length, where its second element is.
    """
    cases = _cases(_curve(width, "width"), phones, (*ROUND, *SPREAD), fps, second=True)
    cases[:, 0] = cases[:, 0] < len(ROUND)
    return cases


def narrowing(cases: np.ndarray) -> float:
    """Return by how many mm the mouth is narrower in rounded sounds than in spread ones.

    `cases` are those of `rounding_widths`; NaN where one kind is missing.
    """
    rounded, spread = _kinds(cases)
    return float(spread.mean() - rounded.mean()) if len(rounded) and len(spread) else math.nan


def told_apart(cases: np.ndarray) -> float:
    """Return how often, of a rounded and a spread sound, the rounded one is narrower, in [0, 1].

    0.5 is chance. `cases` are those of `rounding_widths`; NaN where one kind is missing.
    """
    return precedence(*_kinds(cases))


# Time


def lag(curve: np.ndarray, reference: np.ndarray) -> float:
    """Return by how many frames the curve (T,) comes after the reference (T,).

    The place of the largest correlation within ±10 frames, refined by a parabola through it and
    its neighbours. NaN where the curves are too short or one of them does not vary.
    """
    if len(curve) != len(reference):
        raise MienError(
            f"curves of {len(curve)} and {len(reference)} frames; equal ones are wanted"
        )
    if len(curve) < 3 * LAG_REACH:
        return math.nan
    shifts = range(-LAG_REACH, LAG_REACH + 1)
    r = np.array([_shifted_correlation(curve, reference, shift) for shift in shifts])
    if not np.isfinite(r).all():
        return math.nan
    best = int(r.argmax())
    if best in (0, len(r) - 1):
        return float(best - LAG_REACH)
    before, at, after = r[best - 1 : best + 2]
    bend = before - 2 * at + after
    return float(best - LAG_REACH + (0.5 * (before - after) / bend if bend else 0.0))


def voicing(speech: np.ndarray, frames: int, *, fps: float) -> np.ndarray:
    """Return the loudness of the voice (T,) in dB: the power from 80 to 1000 Hz in the 40 ms around
    each frame's moment, at least -80."""
    size = audio.seconds_to_samples(VOICE_SECONDS)
    centres = np.round(audio.frame_times(frames, fps) * audio.SPEECH_RATE).astype(int)
    around = np.pad(np.asarray(speech, float), size)
    windows = around[centres[:, None] + np.arange(size) + size - size // 2] * np.hanning(size)
    power = np.abs(np.fft.rfft(windows, axis=1) / size) ** 2
    hertz = np.fft.rfftfreq(size, 1 / audio.SPEECH_RATE)
    inside = (hertz >= VOICE_HERTZ[0]) & (hertz <= VOICE_HERTZ[1])
    return 10 * np.log10(power[:, inside].sum(1) + VOICE_FLOOR)


# Stillness


def silent_speeds(lips: np.ndarray, phones: Sequence[Phone], *, fps: float) -> np.ndarray:
    """Return the lips' speed at each step between frames inside long silences, (steps,), mm/s.

    A step's speed is the root mean square over the vertices. Silences of more than 0.3 s count,
    less 0.15 s at each end, but not one before the first sound, where the expression still arrives.
    Empty where there is no such silence.
    """
    speeds = np.sqrt((np.diff(_vertices(lips), axis=0) ** 2).sum(2).mean(1)) * fps * 1e3
    spans = _silences(phones, len(lips), fps)
    inside = [speeds[first : stop - 1] for first, stop in spans]
    return np.concatenate([np.zeros(0), *inside])


def rest_contacts(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> Share:
    """Return how many frames inside long silences (as in `silent_speeds`) have a shut mouth."""
    gap = _curve(gap, "gap")
    spans = _silences(phones, len(gap), fps)
    shut = sum(int((gap[first:stop] <= CONTACT[1]).sum()) for first, stop in spans)
    return Share(shut, sum(stop - first for first, stop in spans))


def jitter(lips: np.ndarray, *, fps: float) -> float:
    """Return how much the lips tremble, mm: the part of their movement above 10 Hz, as the root
    mean square over frames and vertices.

    Speech itself hardly moves the lips so fast, save where it shuts them: compare with the truth's.
    NaN at 20 frames a second or less, which cannot show 10 Hz, and for less than a second.
    """
    lips = _vertices(lips)
    if fps <= 2 * JITTER_HERTZ or len(lips) < fps:
        return math.nan
    # The mirrored course joins its own end smoothly; else the jump there would look like tremor.
    course = np.concatenate([lips, lips[::-1]]) - lips.mean(0)
    spectrum = np.fft.rfft(course, axis=0)
    spectrum[np.fft.rfftfreq(len(course), 1 / fps) < JITTER_HERTZ] = 0
    quick = np.fft.irfft(spectrum, len(course), axis=0)[: len(lips)]
    return float(np.sqrt((quick**2).sum(2).mean())) * 1e3


# Frames and spans


def _curve(curve: np.ndarray, name: str) -> np.ndarray:
    if curve.ndim != 1:
        raise MienError(
            f"the {name} is {curve.shape}; one number for each frame, in metres, is wanted"
        )
    return curve


def _vertices(lips: np.ndarray) -> np.ndarray:
    if lips.ndim != 3 or lips.shape[2] != 3:
        raise MienError(f"lips are {lips.shape}; (frames, vertices, 3) is wanted")
    return lips


def _touching(gap: np.ndarray) -> np.ndarray:
    return (gap >= CONTACT[0]) & (gap <= CONTACT[1])


def _span(start: float, end: float, frames: int, *, fps: float) -> tuple[int, int]:
    """Return (first, stop): the frames whose moments lie in [start, end] seconds, and exist."""
    first = max(0, math.ceil(start * fps - 1e-9))
    return first, min(frames, math.floor(end * fps + 1e-9) + 1)


def _near(
    phones: Sequence[Phone], names: Collection[str], frames: int, *, fps: float
) -> list[tuple[int, int]]:
    """Return the frames, first and stop, of each named phone ± 40 ms."""
    spans = [
        _span(phone.start - NEAR, phone.end + NEAR, frames, fps=fps)
        for phone in phones
        if phone.name in names
    ]
    return [(first, stop) for first, stop in spans if first < stop]


def _silences(phones: Sequence[Phone], frames: int, fps: float) -> list[tuple[int, int]]:
    """Return (first, stop) frames of the silences that are long, without their margins."""
    spans = [
        _span(phone.start + SILENCE_MARGIN, phone.end - SILENCE_MARGIN, frames, fps=fps)
        for phone in phones
        if phone.name == SILENCE and phone.start > 0 and phone.end - phone.start > LONG_SILENCE
    ]
    return [(first, stop) for first, stop in spans if first < stop]


def _cases(
    curve: np.ndarray, phones: Sequence[Phone], names: Sequence[str], fps: float, *, second: bool
) -> np.ndarray:
    """Return (n, 2): the place in `names` of each phone that is there, and the curve there in mm.

    A phone is read at its centre, a diphthong where its first or its second element is.
    """
    element = SECOND_ELEMENT if second else FIRST_ELEMENT
    found = []
    for phone in phones:
        if phone.name not in names:
            continue
        part = element if phone.name in DIPHTHONGS else 0.5
        moment = phone.start + part * (phone.end - phone.start)
        if (frame := audio.seconds_to_frame(moment, fps)) < len(curve):
            found.append((names.index(phone.name), curve[frame] * 1e3))
    return np.array(found, float).reshape(-1, 2)


def _kinds(cases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the widths of the rounded and of the spread sounds."""
    return cases[cases[:, 0] == 1, 1], cases[cases[:, 0] == 0, 1]


def _closure_at(gap: np.ndarray, first: int, stop: int) -> float:
    """Return the length in frames of the longest shut run that enters frames first to stop."""
    edges = np.diff(np.pad((gap <= CONTACT[1]).astype(int), 1))
    starts, ends = (np.flatnonzero(edges == step).tolist() for step in (1, -1))
    runs = [(a, b) for a, b in zip(starts, ends, strict=True) if a < stop and b > first]
    return max(_crossing(gap, b) - _crossing(gap, a) for a, b in runs)


def _crossing(gap: np.ndarray, edge: int) -> float:
    """Return the moment, in frames, at which the gap passes 1 mm between edge - 1 and edge."""
    if edge in (0, len(gap)):
        return min(edge, len(gap) - 1)
    before, after = gap[edge - 1], gap[edge]
    return edge - 1 + (CONTACT[1] - before) / (after - before)


def _shifted_correlation(curve: np.ndarray, reference: np.ndarray, shift: int) -> float:
    """Return the correlation of the curve, `shift` frames later, with the reference."""
    late, early = (curve, reference) if shift >= 0 else (reference, curve)
    return correlation(late[abs(shift) :], early[: len(early) - abs(shift)])
