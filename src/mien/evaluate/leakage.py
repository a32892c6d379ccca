"""Does the voice leak into the expression, and the description into the lips?

A held-out sentence is spoken as state n would be and as state m would be (`acted`). Either speech
is animated under a wording of either state, and the simulated actor gives the truth of all four.
Uncrossed, speech and description are of one state; crossed, of two. A sentence's crossed and
uncrossed animations so have the same two descriptions and the same two speeches, and neither is
favoured by an easier one. With independent prosody nothing of a state is heard, so that their
ratio is 1 but for chance, whatever the pack: that is the control of the confounded one.

The pull says what the ratio cannot: how far a crossed animation went from its own truth toward that
of the state that is heard, as a share of the way, less how far an uncrossed one goes toward a state
neither heard nor asked for, which is what a timid face does.

Lips: what two descriptions change in them, less what they change in the actor's, is looked at where
both expressions have their full level. An expression may move the place where lips rest, and an
error there is one of the expression, counted above; so each lip vertex's mean over time is taken
away. What is left follows the words, and is held against the range of the lips in neutral speech.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.data.simulate import prosody
from mien.data.simulate.bank import Bank
from mien.errors import MienError
from mien.evaluate.acted import Acted, paired, spoken
from mien.evaluate.lips import Animates
from mien.evaluate.samples import Estimate, estimate, ratio
from mien.evaluate.shown import average, marked, table
from mien.evaluate.strength import first_open
from mien.face import Face
from mien.settled import NEUTRAL

PAIRS = 40
LEAST_STEADY = audio.seconds_to_frame(0.5)
"""Frames of full expression that a speech must have for its lips to count."""
RANGE = (5.0, 95.0)  # per cent
RATIO_TARGETS = {"independent": 1.15, "confounded": 1.3}
LIPS_TARGET = 0.15


@dataclass(frozen=True, eq=False)
class Case:
    """One speech under two descriptions: of the state that it is spoken under, and of another.

    Weights (T, U) in [0, 1], found and true, and the frames in which both truths are steady.
    """

    own: np.ndarray
    own_truth: np.ndarray
    other: np.ndarray
    other_truth: np.ndarray
    neutral: np.ndarray
    """the truth under neutral"""
    steady: slice


@dataclass(frozen=True)
class Leak:
    """What leaks with one kind of prosody. A case is a sentence, of two speeches and four
    animations; of the lips' differences, a speech. Errors are metres, root mean square."""

    prosody: str
    crossed: Estimate
    """over the vertices of the face's basis and all frames, as the next two"""
    uncrossed: Estimate
    apart: Estimate
    """how far the two truths of a speech are from each other: the crossed error of a face that
    follows the voice alone"""
    ratio: Estimate
    """crossed over uncrossed"""
    pull: Estimate
    """toward the state that is heard: 0 where the description alone decides, 1 where the voice"""
    lips_crossed: Estimate
    """over the vertices of the region lips"""
    lips_uncrossed: Estimate
    lips_ratio: Estimate
    lips_range: float
    """metres: the middle 90 % of each lip coordinate in neutral speech, root mean square"""
    difference: Estimate
    """of the lips under two descriptions less the actor's, without its mean, over the range"""
    difference_with_rest: Estimate
    """the same with its mean over time, which is where the lips rest"""
    excess: Estimate
    """root mean square difference of the lips under two descriptions, less the actor's root mean
    square: by how much more, or less, descriptions move the lips; over the range"""


@dataclass(frozen=True)
class Leakage:
    """One `Leak` for each kind of prosody."""

    leaks: tuple[Leak, ...]

    def rows(self) -> dict[str, Any]:
        """Return the numbers as plain data, ready for JSON."""
        return {one.prosody: asdict(one) for one in self.leaks}

    def markdown(self) -> str:
        """Return a Markdown table with the targets; a miss is bold."""
        heads = ["prosody", "uncrossed, mm", "crossed, mm", "crossed ÷ uncrossed", "pull",
                 "two truths apart, mm"]  # fmt: skip
        lip_heads = ["prosody", "lips uncrossed, mm", "lips crossed, mm", "crossed ÷ uncrossed",
                     f"lip difference ÷ range, ≤ {LIPS_TARGET:g}", "with its mean",
                     "excess ÷ range"]  # fmt: skip
        faces = [
            [one.prosody, _millimetres(one.uncrossed), _millimetres(one.crossed),
             _held(one.ratio, RATIO_TARGETS[one.prosody]), average(one.pull),
             _millimetres(one.apart)]
            for one in self.leaks
        ]  # fmt: skip
        lips = [
            [one.prosody, _millimetres(one.lips_uncrossed), _millimetres(one.lips_crossed),
             average(one.lips_ratio),
             _held(one.difference, LIPS_TARGET, digits=3),
             average(one.difference_with_rest, digits=3), average(one.excess, digits=3)]
            for one in self.leaks
        ]  # fmt: skip
        ranges = ", ".join(f"{1e3 * one.lips_range:.1f} mm ({one.prosody})" for one in self.leaks)
        wanted = ", ".join(f"≤ {most:g} {kind}" for kind, most in RATIO_TARGETS.items())
        return (
            f"{table(heads, faces)}\n\n{table(lip_heads, lips)}\n\nWanted of the face's crossed ÷ "
            f"uncrossed: {wanted}. Lip range: {ranges}. In brackets cases and the 95 % interval."
        )


def leakage(
    animator: Animates,
    *,
    pairs: int = PAIRS,
    wordings: str = "train",
    kinds: Iterable[str] = prosody.KINDS,
    bank: Bank | None = None,
    progress: bool = False,
) -> Leakage:
    """Speak, animate and compare `pairs` held-out sentences with each kind of prosody.

    A state is asked for by its first wording of the split `wordings` that leaves the level open.
    By default that is a training wording, because reading is measured elsewhere; states without
    one are left out. Raises MienError for less than one pair, and where a speech program is
    missing.
    """
    if pairs < 1:
        raise MienError(f"{pairs} pairs leave nothing to compare; give 1 or more, 40 is usual")
    asked = state_wordings(bank or Bank.load(), wordings)
    drawn = paired(list(asked), pairs, np.random.default_rng(0))
    leaks = []
    for kind in kinds:
        said = tqdm(spoken(drawn, kind), f"cross {kind}", len(drawn), disable=not progress)
        leaks.append(leak(animator, said, asked, kind))
    return Leakage(tuple(leaks))


def state_wordings(bank: Bank, split: str) -> dict[str, str]:
    """Return the first wording of each state that leaves the level open, where it has one."""
    found = {state: first_open(bank.descriptions(state, split)) for state in bank.entries}
    return {state: wording.text for state, wording in found.items() if wording}


def leak(
    animator: Animates,
    pairs: Iterable[tuple[Acted, Acted]],
    wordings: Mapping[str, str],
    kind: str,
) -> Leak:
    """Animate pairs of one sentence under the wordings (by state) of both its states; compare."""
    cases = [
        (crossed(animator, first, second.state, wordings),
         crossed(animator, second, first.state, wordings))
        for first, second in pairs
    ]  # fmt: skip
    return compared(cases, animator.face, kind)


def crossed(animator: Animates, said: Acted, other: str, wordings: Mapping[str, str]) -> Case:
    """Animate a speech under a wording of its own state and one of another, beside the truths."""
    features = animator.encode_speech(said.speech)
    own_truth, other_truth = (said.performed(state, animator.face) for state in (said.state, other))
    starts, stops = zip(own_truth.steady, other_truth.steady, strict=True)
    found = [
        animator.animate(said.speech, wordings[state], features=features).weights
        for state in (said.state, other)
    ]
    return Case(
        own=found[0],
        own_truth=own_truth.weights,
        other=found[1],
        other_truth=other_truth.weights,
        neutral=said.performed(NEUTRAL, animator.face).weights,
        steady=slice(max(starts), min(stops)),
    )


def compared(cases: Iterable[tuple[Case, Case]], face: Face, kind: str) -> Leak:
    """Return what leaks in the cases of each sentence: its two speeches."""
    pairs = list(cases)
    every = [case for pair in pairs for case in pair]

    def over_sentences(values: list[tuple[float, ...]]) -> np.ndarray:
        """Values (n,) of each speech -> their means over the sentence's two: (sentences, n)."""
        return np.array(values).reshape(len(pairs), 2, -1).mean(axis=1)

    faces = over_sentences([face_errors(case, face) for case in every])
    lips = over_sentences([lip_errors(case, face) for case in every])
    pulls = over_sentences([way(case, face) for case in every])
    extent = lips_range([case.neutral for case in every], face)
    steady = [case for case in every if case.steady.stop - case.steady.start >= LEAST_STEADY]
    differences = np.array([lip_differences(case, face) for case in steady]).reshape(-1, 3) / extent
    return Leak(
        prosody=kind,
        crossed=estimate(faces[:, 0]),
        uncrossed=estimate(faces[:, 1]),
        apart=estimate(faces[:, 2]),
        ratio=estimate(faces[:, :2], ratio),
        pull=estimate(pulls, ratio),
        lips_crossed=estimate(lips[:, 0]),
        lips_uncrossed=estimate(lips[:, 1]),
        lips_ratio=estimate(lips, ratio),
        lips_range=extent,
        difference=estimate(differences[:, 0]),
        difference_with_rest=estimate(differences[:, 1]),
        excess=estimate(differences[:, 2]),
    )


def face_errors(case: Case, face: Face) -> tuple[float, float, float]:
    """Return the errors crossed and uncrossed, and how far the truths are apart: metres, root mean
    square over the vertices of the face's basis.

    The basis is orthonormal, so the length of coefficients is that of all displacements.
    """
    pairs = (
        (case.other, case.other_truth),
        (case.own, case.own_truth),
        (case.own_truth, case.other_truth),
    )
    lengths = (
        np.linalg.norm(face.weights_to_coefficients(a - b), axis=1)
        / np.sqrt(len(face.basis_vertices))
        for a, b in pairs
    )
    crossed, uncrossed, apart = (float(np.sqrt(np.mean(length**2))) for length in lengths)
    return crossed, uncrossed, apart


def way(case: Case, face: Face) -> tuple[float, float]:
    """Return how far the case goes along the way between its truths, times the way's square, and
    that square: square metres. Their ratio is `Leak.pull`.

    Crossed toward the speech's own state, less uncrossed toward the other one.
    """
    own, own_truth, other, other_truth = (
        face.weights_to_coefficients(weights)
        for weights in (case.own, case.own_truth, case.other, case.other_truth)
    )
    toward = own_truth - other_truth
    along = ((other - other_truth) + (own - own_truth)) * toward
    return float(along.sum(axis=1).mean()), float((toward**2).sum(axis=1).mean())


def lip_errors(case: Case, face: Face) -> tuple[float, float]:
    """Return the errors crossed and uncrossed over the vertices of the region lips, metres."""
    return (
        _root_mean_square(lip_moves(case.other - case.other_truth, face)),
        _root_mean_square(lip_moves(case.own - case.own_truth, face)),
    )


def lip_differences(case: Case, face: Face) -> tuple[float, float, float]:
    """Return, over the steady frames and metres: what two descriptions change in the lips less
    what they change in the actor's, without and with its mean over time; and the root mean square
    of the one change less that of the other."""
    made = lip_moves((case.other - case.own)[case.steady], face)
    true = lip_moves((case.other_truth - case.own_truth)[case.steady], face)
    left = made - true
    return (
        _root_mean_square(left - left.mean(axis=0)),
        _root_mean_square(left),
        _root_mean_square(made) - _root_mean_square(true),
    )


def lips_range(speeches: Iterable[np.ndarray], face: Face) -> float:
    """Return the range of the lips in weights (T, U) of several speeches, metres: from the 5 % to
    the 95 % quantile of each coordinate, root mean square over the vertices."""
    low, high = np.percentile(
        np.concatenate([lip_moves(weights, face) for weights in speeches]), RANGE, axis=0
    )
    return _root_mean_square(high - low)


def lip_moves(weights: np.ndarray, face: Face) -> np.ndarray:
    """Weights (T, U), or their differences -> displacements (T, L, 3) of the lips, metres."""
    deltas = face.unit_deltas[:, face.regions["lips"]].astype(np.float64)
    return np.tensordot(weights, deltas, axes=1)


def _root_mean_square(vectors: np.ndarray) -> float:
    """Return the root of the mean squared length of vectors (..., 3)."""
    return float(np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=-1).mean()))


def _millimetres(one: Estimate) -> str:
    return average(one, scale=1e3, digits=3)


def _held(one: Estimate, most: float, *, digits: int = 2) -> str:
    """Return an estimate, in bold where it is above the most that is wanted."""
    return marked(average(one, digits=digits), not one.value > most)
