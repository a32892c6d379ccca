"""The rules of articulation, each with a mouth that must show it; phones are planted."""

import numpy as np
import pytest

from mien import lips
from mien.data.clips import Phone
from mien.data.simulate import demands
from mien.data.simulate.actor import act, breathing, perform
from mien.data.simulate.articulation import Content, Style, articulate, stressed
from mien.data.simulate.expressions import STATES
from mien.data.simulate.targets import TARGETS, VOWELS
from mien.face import UNIT_NAMES, Face

FPS = 100.0


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


def spoken(text: str, seconds: float = 0.1, silence: float = 0.4) -> list[Phone]:
    """Phones of one length with silence around them."""
    names = ["pau", *text.split(), "pau"]
    lengths = [silence, *[seconds] * (len(names) - 2), silence]
    return in_a_row(names, lengths)


def in_a_row(names, lengths) -> list[Phone]:
    ends = np.cumsum(lengths)
    return [
        Phone(name, float(end - length), float(end))
        for name, end, length in zip(names, ends, lengths, strict=True)
    ]


def content_of(phones, face, *, style=None, stress=None, fps=FPS) -> Content:
    frames = int(phones[-1].end * fps)
    stress = None if stress is None else np.full(len(phones), float(stress))
    return articulate(phones, frames, fps=fps, style=style or Style(), face=face, prominence=stress)


def performed(phones, face, *, style=None, state="neutral", seed=0, fps=30.0) -> np.ndarray:
    return perform(
        phones, int(phones[-1].end * fps), fps=fps, state=STATES[state], level=1.0,
        style=style or Style(), seed=seed, face=face,
    ).weights.astype(float)  # fmt: skip


def at(phone: Phone, fps: float = FPS) -> int:
    return round(phone.centre * fps)


def unit(weights: np.ndarray, name: str) -> np.ndarray:
    return weights[..., UNIT_NAMES.index(name)]


# The table


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_the_table_says_how_far_the_lips_of_this_face_open(face, name):
    """A funnel opens the lips by itself; the table must not claim less than its shape gives."""
    wanted = [target.opening for target in TARGETS[name]]
    found = lips.gap_of(face.limit(stressed(name, 0.5, face)), face) * 1e3
    np.testing.assert_allclose(found, wanted, atol=0.2)


def test_diphthongs_are_two_targets_and_nothing_else_is():
    assert {n for n, row in TARGETS.items() if len(row) == 2} == {"ay", "aw", "ey", "ow", "oy"}
    assert len(VOWELS) == 16


def test_a_diphthong_travels_from_its_first_target_to_its_second(face):
    phones = spoken("t aw t", seconds=0.25)
    weights = content_of(phones, face).weights
    gap, pucker = lips.gap_of(weights, face), unit(weights, "mouthPucker")
    first, second = (round((phones[2].start + share * 0.25) * FPS) for share in (0.28, 0.85))
    assert gap[first] > gap[second] + 0.003
    assert pucker[second] > pucker[first] + 0.3


# Stress


def test_stress_opens_and_its_lack_goes_to_schwa(face):
    def gap(name, stress):
        phones = spoken(f"d {name} d", seconds=0.14)
        weights = content_of(phones, face, stress=stress).weights
        return lips.gap_of(face.limit(weights), face)[at(phones[2])] * 1e3

    for name in ("aa", "ae", "eh", "ow"):
        assert gap(name, 0.0) < gap(name, 0.5) - 0.8, name
        assert gap(name, 1.0) > gap(name, 0.5) + 0.5, name
    assert abs(gap("iy", 1.0) - gap("iy", 0.5)) < 0.8, "a close vowel stays close"
    schwa = TARGETS["ax"][0].opening
    assert abs(gap("aa", 0.0) - schwa) < 0.5 * abs(gap("aa", 0.5) - schwa)


def test_stress_rounds_and_spreads_more(face):
    weak, strong = (stressed("uw", amount, face)[0] for amount in (0.2, 0.9))
    assert unit(strong, "mouthPucker") > 1.3 * unit(weak, "mouthPucker")
    weak, strong = (stressed("iy", amount, face)[0] for amount in (0.2, 0.9))
    assert unit(strong, "mouthStretchLeft") > 1.3 * unit(weak, "mouthStretchLeft")


def test_a_stressed_vowel_gives_way_less(face):
    phones = spoken("s aa s", seconds=0.08)
    weak, strong = (np.array([0.5, 0.5, amount, 0.5, 0.5]) for amount in (0.5, 1.0))
    gaps = []
    for stress in (weak, strong):
        weights = articulate(
            phones, 100, fps=FPS, style=Style(), face=face, prominence=stress
        ).weights  # fmt: skip
        gaps.append(lips.gap_of(weights, face)[at(phones[2])])
    assert gaps[1] > 1.23 * gaps[0], "more than it grows"


def test_a_style_may_round_more_without_spreading_more(face):
    phones = spoken("uw s iy", seconds=0.14)
    usual, round_ = (content_of(phones, face, style=Style(rounding=r)).weights for r in (1, 1.1))
    ratios = [
        unit(round_, name).max() / unit(usual, name).max()
        for name in ("mouthPucker", "mouthStretchLeft")
    ]
    np.testing.assert_allclose(ratios, [1.1, 1.0], atol=0.01)


def test_consonants_keep_their_shape_under_stress(face):
    np.testing.assert_array_equal(stressed("sh", 0.0, face), stressed("sh", 1.0, face))


# Coarticulation


def test_fast_speech_undershoots(face):
    def gap(seconds):
        phones = spoken("t aa t iy t aa t", seconds)
        return lips.gap_of(content_of(phones, face).weights, face)[at(phones[2])]

    assert gap(0.06) < 0.9 * gap(0.2)


def test_rounding_begins_in_the_consonants_before_the_vowel(face):
    phones = spoken("s t uw", seconds=0.09)
    spread = spoken("s t iy", seconds=0.09)
    pucker, none = (unit(content_of(p, face).weights, "mouthPucker") for p in (phones, spread))
    assert pucker[round((phones[3].start - 0.1) * FPS)] > 0.25
    assert pucker[at(phones[2])] > 0.3
    assert none.max() < 0.02


def test_an_actor_may_look_further_ahead(face):
    phones = spoken("s t uw", seconds=0.09)
    usual, early = (content_of(phones, face, style=Style(ahead=a)).weights for a in (1.0, 1.4))
    frame = at(phones[1])
    assert unit(early, "mouthPucker")[frame] > 1.1 * unit(usual, "mouthPucker")[frame]


@pytest.mark.parametrize("consonant", ["t", "d", "n", "l", "k", "g", "ng"])
def test_consonants_of_the_tongue_leave_the_lips_to_the_vowels(face, consonant):
    for vowel, shape in (("uw", "mouthPucker"), ("iy", "mouthStretchLeft")):
        phones = spoken(f"{vowel} {consonant} {vowel}")
        amount = unit(content_of(phones, face).weights, shape)
        assert amount[at(phones[2])] > 0.88 * amount[at(phones[1])]


@pytest.mark.parametrize("consonant", ["s", "z", "sh", "zh", "ch", "jh"])
def test_sibilants_narrow_the_jaw_and_other_consonants_need_not(face, consonant):
    jaw = {}
    for name in (consonant, "k"):
        phones = spoken(f"aa {name} aa")
        jaw[name] = unit(content_of(phones, face).weights, "jawOpen")[at(phones[2])]
    assert jaw[consonant] < 0.06
    assert jaw["k"] > 0.15


def test_the_tip_of_the_tongue_shows_between_the_teeth(face):
    for text in ("aa th aa", "iy th iy", "ax dh ax"):
        phones = spoken(text)
        weights = face.limit(content_of(phones, face).weights)
        assert unit(weights, "tongueOut")[at(phones[2])] > 0.25, text
        assert unit(weights, "tongueOut")[at(phones[1]) - 2] < 0.2, text


# Contacts


def test_the_lower_lip_slides_to_the_teeth_and_back(face):
    """It used to jump by 0.54 in a frame, and its speed by 0.65."""
    for offset in np.linspace(0, 1 / 30, 5):
        lengths = [0.4 + offset, 0.12, 0.09, 0.12, 0.4]
        phones = in_a_row(["pau", "aa", "f", "aa", "pau"], lengths)
        roll = unit(performed(phones, face), "mouthRollLower")
        assert np.abs(np.diff(roll)).max() < 0.42
        assert np.abs(np.diff(roll, 2)).max() < 0.42
        assert roll.max() > 0.7


def test_a_bite_is_over_when_the_lips_must_meet():
    phones = in_a_row(["pau", "ah", "v", "m", "uw", "pau"], [0.3, 0.06, 0.08, 0.07, 0.13, 0.3])
    times = np.arange(0, 0.9, 1 / 30)
    shut, bitten = demands.closure(phones, times), demands.labiodental(phones, times)
    assert shut.max() == bitten.max() == 1.0
    assert bitten[shut == 1.0].max() < 0.2


def test_like_phones_in_a_row_are_one_contact():
    phones = in_a_row(["pau", "ae", "p", "b", "ae", "pau"], [0.3, 0.1, 0.12, 0.09, 0.1, 0.3])
    times = np.arange(0, 0.9, 0.005)
    shut = demands.closure(phones, times)
    held = shut[(times > phones[2].start) & (times < phones[3].start + 0.05)]
    assert held.min() == 1.0


@pytest.mark.parametrize("effort", [0.7, 1.3])
def test_effort_scales_the_mouth_but_not_its_contacts(face, effort):
    phones = spoken("d aa b uw f eh m iy v aa", seconds=0.12)
    usual = performed(phones, face)
    weights = performed(phones, face, style=Style(effort=effort))
    vowels = [at(phone, 30.0) for phone in phones if phone.name in VOWELS]
    ratio = lips.gap_of(weights[vowels], face).mean() / lips.gap_of(usual[vowels], face).mean()
    assert ratio == pytest.approx(effort, abs=0.12)
    rounded = at(phones[4], 30.0)
    pucker = unit(weights, "mouthPucker")[rounded] / unit(usual, "mouthPucker")[rounded]
    assert pucker == pytest.approx(effort, abs=0.15)
    own_f = face.lip_to_teeth(face.weights_to_vertices(lips.f_pose()))
    for phone in phones:
        here = weights[round(phone.start * 30) : round(phone.end * 30) + 1]
        if phone.name in "bm":
            assert np.abs(lips.gap_of(here, face)).min() < 0.001
        if phone.name in "fv":
            assert face.lip_to_teeth(face.weights_to_vertices(here)).min() < own_f + 0.0005


def test_a_side_speaks_a_little_more(face):
    phones = spoken("iy s iy")
    even, left = (content_of(phones, face, style=Style(side=side)).weights for side in (0.0, 1.0))
    stretch = [unit(left, f"mouthStretch{side}").max() for side in ("Left", "Right")]
    assert stretch[0] > 1.1 * stretch[1]
    apart = face.weights_to_vertices(left) - face.weights_to_vertices(even)
    assert 1e-4 < np.linalg.norm(apart, axis=2).max() < 1e-3


# Rest


def test_nothing_moves_inside_a_pause(face):
    """Lips left their rest 0.39 s before a b, and were seen to."""
    for first, second in (("m", "b"), ("aa", "p"), ("v", "w"), ("f", "m")):
        phones = in_a_row(
            ["pau", "aa", first, "pau", second, "aa", "pau"], [0.6, 0.2, 0.1, 0.6, 0.1, 0.2, 0.6]
        )
        for state in ("neutral", "laughing", "terrified"):
            shown = face.weights_to_vertices(performed(phones, face, state=state, seed=3))
            moving = np.diff(shown[:, face.regions["lips"]], axis=0)
            speed = np.sqrt((moving**2).sum(2).mean(1)) * 30 * 1e3
            inside = slice(int(np.ceil(1.05 * 30)), int(1.35 * 30))
            assert speed[inside].max() < 1.0, (first, second, state)


def test_idle_motion_is_tiny_and_stops_for_contacts(face):
    phones = in_a_row(["pau", "aa", "m", "aa", "f", "pau"], [2.0, 0.1, 0.15, 0.1, 0.15, 2.0])
    content = content_of(phones, face, fps=30.0)
    alive = breathing(content, 30.0, seed=1)
    apart = face.weights_to_vertices(alive.weights) - face.weights_to_vertices(content.weights)
    moved = np.linalg.norm(apart[:, face.regions["lips"]], axis=2)
    held = (content.closure == 1) | (content.labiodental == 1)
    assert held.sum() >= 4
    np.testing.assert_array_equal(moved[held], 0.0)
    assert 1e-4 < moved.max() < 1e-3
    other = breathing(content, 30.0, seed=2)
    assert np.abs(other.weights - alive.weights).max() > 1e-3


# Content of another origin


def test_act_shuts_and_bites_where_a_captured_content_says_so(face):
    """A capture's jaw never quite shut; nothing here knows a phone."""
    frames = 60
    weights = np.zeros((frames, 52))
    weights[:, UNIT_NAMES.index("jawOpen")] = 0.2
    closure, labiodental = np.zeros(frames), np.zeros(frames)
    closure[20:24], labiodental[40:44] = 1.0, 1.0
    captured = Content(
        weights=weights,
        closure=closure,
        labiodental=labiodental,
        floor=np.zeros(frames),
        speaking=np.ones(frames),
    )
    own_f = face.lip_to_teeth(face.weights_to_vertices(lips.f_pose()))
    for state in ("neutral", "laughing", "angry", "seething"):
        shown = act(captured, fps=30.0, state=STATES[state], level=1.0, seed=0, face=face).weights
        gap = lips.gap_of(shown.astype(float), face)
        assert np.abs(gap[20:24]).max() < 0.001, state
        teeth = face.lip_to_teeth(face.weights_to_vertices(shown[40:44]))
        assert teeth.max() < own_f + 0.001, state
        free = np.r_[25:40, 45:60]
        assert gap[free].min() > 0.5 * lips.gap_of(weights[:1], face)[0], state
    neutral = act(captured, fps=30.0, state=STATES["neutral"], level=0.0, seed=0, face=face)
    np.testing.assert_allclose(neutral.weights[30], weights[30], atol=1e-6)


def test_an_expression_that_parts_the_lips_does_not_gape_in_speech(face):
    """Bared teeth made every vowel half as open again, and iy like eh."""
    phones = spoken("iy t eh d iy s ih t uw", seconds=0.14)
    vowels = [at(phone, 30.0) for phone in phones if phone.name in VOWELS]
    usual = lips.gap_of(performed(phones, face)[vowels], face).mean()
    for state in ("angry", "terrified", "disgusted", "laughing"):
        shown = lips.gap_of(performed(phones, face, state=state)[vowels], face).mean()
        assert shown < 1.45 * usual, state


def test_rounded_lips_still_shut_under_bared_teeth(face):
    """The jaw that was given back was missing to mouthClose, and p stayed open by 1.1 mm."""
    phones = in_a_row(["pau", "r", "uw", "p", "r", "pau"], [0.9, 0.12, 0.14, 0.07, 0.07, 0.4])
    weights = perform(
        phones, 51, fps=30.0, state=STATES["angry"], level=1.5, style=Style(), seed=1, face=face,
        prominence=np.full(6, 0.85),
    ).weights  # fmt: skip
    gap = lips.gap_of(weights.astype(float), face)
    assert gap[round(phones[3].start * 30) : round(phones[3].end * 30) + 1].min() < 0.0007


def test_an_open_expression_gives_way_to_speech_without_a_jump(face):
    """The jaw once dropped by a sixth of its range in the first frame of speech."""
    still = np.zeros(90)
    begins = Content(
        weights=np.zeros((90, 52)),
        closure=still,
        labiodental=still,
        floor=still,
        speaking=np.clip((np.arange(90) - 45) / 30, 0.0, 1.0),
    )
    shown = act(begins, fps=30.0, state=STATES["terrified"], level=1.0, seed=0, face=face)
    jaw = unit(shown.weights.astype(float), "jawOpen")[30:]
    assert jaw[0] > 0.15 > 0.05 > jaw[-1]
    assert np.abs(np.diff(jaw)).max() < 0.02
