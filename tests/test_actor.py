"""What the simulated actor's mouth and face do; phones are planted, so no flite is needed."""

import numpy as np
import pytest

from mien import lips
from mien.data.clips import Phone
from mien.data.simulate.actor import SETTLE, envelope, perform
from mien.data.simulate.articulation import Style, articulate
from mien.data.simulate.expressions import STATES, State
from mien.data.simulate.targets import TARGETS, VOWELS
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

FPS = 30.0
ARPABET = """
    aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w
    y z zh
"""


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


def phones_of(text: str, seconds: float = 0.1, silence: float = 0.4) -> list[Phone]:
    """Phones of one length with silence around them."""
    names = ["pau", *text.split(), "pau"]
    lengths = [silence, *[seconds] * (len(names) - 2), silence]
    ends = np.cumsum(lengths)
    return [
        Phone(n, float(end - length), float(end))
        for n, end, length in zip(names, ends, lengths, strict=True)
    ]


def babble(seed: int, syllables: int = 10) -> list[Phone]:
    """Random syllables, every second one with a labial, of 40 to 160 ms a phone."""
    random = np.random.default_rng(seed)
    others = sorted(set(TARGETS) - VOWELS - {"pau"})
    names, lengths = ["pau"], [0.3]
    for k in range(syllables):
        names += [str(random.choice(list("pbmfv") if k % 2 else others))]
        names += [str(random.choice(sorted(VOWELS)))]
        lengths += list(random.uniform(0.04, 0.16, 2))
    ends = np.cumsum([*lengths, 0.3])
    starts = np.concatenate([[0.0], ends[:-1]])
    return [
        Phone(n, float(s), float(e)) for n, s, e in zip([*names, "pau"], starts, ends, strict=True)
    ]


def act(phones, face, state="neutral", level=1.0, seed=0, stop=None):
    frames = int(np.ceil(phones[-1].end * FPS))
    return perform(
        phones,
        frames,
        fps=FPS,
        state=STATES[state],
        level=level,
        style=Style(),
        seed=seed,
        face=face,
        stop=stop,
    )


def shown_in(phone: str, unit: str, state: str, face: Face) -> float:
    """The weight of a unit in the middle of a long phone between others, or ("pau") before it."""
    phones = phones_of("t iy t aa p ao t", seconds=0.25, silence=1.2)
    weights = act(phones, face, state).weights
    time = 0.95 if phone == "pau" else next(p.centre for p in phones if p.name == phone)
    return float(weights[round(time * FPS), UNIT_NAMES.index(unit)])


def gaps_within(phone: Phone, gap: np.ndarray, margin: float) -> np.ndarray:
    times = np.arange(len(gap)) / FPS
    return gap[(times >= phone.start - margin) & (times <= phone.end + margin)]


# Articulation


def test_every_phone_has_a_target():
    assert {*ARPABET.split(), "ax", "pau"} == set(TARGETS)


def test_a_phone_alone_reaches_its_opening(face):
    """The table is in millimetres on the face, whatever the face's jawOpen does."""
    for name in sorted(VOWELS):
        phones = phones_of(name, seconds=0.8)
        content = articulate(phones, 48, fps=FPS, style=Style(), face=face)
        gap = lips.gap_of(content.weights, face) * 1e3
        first = round((0.4 + 0.8 * (0.25 if len(TARGETS[name]) == 2 else 0.5)) * FPS)
        assert gap[first] == pytest.approx(TARGETS[name][0].opening, abs=1.6), name


def test_open_vowels_are_open_and_rounding_shows(face):
    phones = phones_of("aa t iy t uw", seconds=0.25)
    content = articulate(phones, 62, fps=FPS, style=Style(), face=face)
    centres = [round(phone.centre * FPS) for phone in phones if phone.name in VOWELS]
    aa, iy, uw = lips.gap_of(content.weights, face)[centres]
    assert 0.008 < aa < 0.013
    assert 0.002 < iy < 0.006
    assert 0.002 < uw < 0.006
    pucker, smile = (UNIT_NAMES.index(unit) for unit in ("mouthPucker", "mouthSmileLeft"))
    assert content.weights[centres[2], pucker] > 0.4
    assert content.weights[centres[1], pucker] < 0.1
    assert content.weights[centres[1], smile] > content.weights[centres[0], smile]


def test_rounding_begins_before_the_sound_and_silence_is_rest(face):
    phones = phones_of("s t uw", seconds=0.12, silence=0.6)
    content = articulate(phones, 48, fps=FPS, style=Style(), face=face)
    pucker = content.weights[:, UNIT_NAMES.index("mouthPucker")]
    assert pucker[round(phones[2].start * FPS)] > 0.08
    assert not content.weights[:12].any()
    assert not content.weights[-5:].any()
    assert not content.speaking[[0, -1]].any()


def test_diphthongs_move(face):
    phones = phones_of("d ay d", seconds=0.24)
    content = articulate(phones, 45, fps=FPS, style=Style(), face=face)
    gap = lips.gap_of(content.weights, face)
    first, second = (round((0.64 + part * 0.24) * FPS) for part in (0.3, 0.85))
    assert gap[first] > gap[second] + 0.002


def test_demands_hold_at_the_phone_and_let_go_beside_it(face):
    phones = phones_of("aa b aa f aa", seconds=0.16)
    content = articulate(phones, 48, fps=FPS, style=Style(), face=face)
    frames = [round(phone.centre * FPS) for phone in phones[1:-1]]
    np.testing.assert_allclose(content.closure[frames], [0, 1, 0, 0, 0], atol=0.05)
    np.testing.assert_allclose(content.labiodental[frames], [0, 0, 0, 1, 0], atol=0.05)


def test_no_closure_falls_between_two_frames(face):
    """A b of 25 ms is shorter than a frame and must still be seen."""
    for offset in np.linspace(0, 1 / FPS, 9):
        start = 0.5 + offset
        phones = [
            Phone("pau", 0.0, 0.3), Phone("aa", 0.3, start), Phone("b", start, start + 0.025),
            Phone("aa", start + 0.025, 1.0),
        ]  # fmt: skip
        content = articulate(phones, 30, fps=FPS, style=Style(), face=face)
        assert content.closure.max() == 1.0


# Lips


def test_the_solver_agrees_with_its_slow_twin(face):
    """Twin: projected gradient with tiny steps."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(4, 9))
    gram, pull = rows @ rows.T + np.eye(4), random.normal(size=(5, 4)) * 5
    lowest, highest = -random.random((5, 4)), random.random((5, 4))
    found = lips._bounded_change(gram, pull, lowest, highest, lips.SWEEPS)
    twin = np.zeros_like(found)
    for _ in range(20000):
        twin = np.clip(twin + 0.002 * (pull - twin @ gram), lowest, highest)
    np.testing.assert_allclose(found, twin, atol=1e-6)


def test_opening_is_exact(face):
    weights = np.random.default_rng(1).random((50, 52)) * 0.2
    floor = np.linspace(-0.002, 0.012, 50)
    opened = lips.open_to(weights, floor, face)
    before, after = lips.gap_of(weights, face), lips.gap_of(opened, face)
    np.testing.assert_allclose(after, np.maximum(before, floor), atol=1e-9)
    np.testing.assert_allclose(after, face.gap(face.weights_to_vertices(opened)), atol=1e-6)


def test_a_closure_wins_over_lips_that_are_lifted_as_far_as_they_go(face):
    """Limits cut what the solver raised; the other units must then make up for it."""
    lifted = np.zeros((6, 52))
    for k, unit in enumerate(UNIT_NAMES):
        if unit.startswith(("mouthUpperUp", "mouthLowerDown", "mouthFunnel", "mouthShrugUpper")):
            lifted[:, k] = np.linspace(0.2, 1.0, 6)
    none, full = np.zeros(6), np.ones(6)
    assert lips.gap_of(face.limit(lifted), face).min() > 0.002
    shut = lips.meet_demands(lifted, closure=full, labiodental=none, floor=none, face=face)
    assert np.abs(lips.gap_of(shut, face)).max() < 0.0006


def test_a_vowel_wins_over_lips_that_are_held_shut(face):
    held = np.zeros((1, 52))
    for unit in ("jawOpen", "mouthClose", "mouthPressLeft", "mouthPressRight", "mouthRollLower"):
        held[:, UNIT_NAMES.index(unit)] = 0.3
    none, floor = np.zeros(1), np.array([0.004])
    assert lips.gap_of(face.limit(held), face) < 0.001
    opened = lips.meet_demands(held, closure=none, labiodental=none, floor=floor, face=face)
    assert lips.gap_of(opened, face) == pytest.approx(0.004, abs=3e-4)


# The actor


@pytest.mark.parametrize("level", [1 / 3, 1.0, 1.5])
def test_lips_meet_for_p_b_m_under_every_expression_and_never_for_vowels(face, level):
    """The promise of the simulator: ≥ 99 % contact, ≤ 1 % penetration, ≤ 3 % false contacts."""
    met, centred, through, false, bitten = [], [], [], [], []
    own_f = face.lip_to_teeth(face.weights_to_vertices(lips.f_pose()))
    for k, state in enumerate(STATES):
        phones = babble(seed=k)
        weights = act(phones, face, state, level, seed=k).weights
        gap = lips.gap_of(weights.astype(float), face)
        through.append(gap < -0.0015)
        assert np.mean(through[-1]) <= 0.02, state
        for phone in phones:
            here = gap[round(phone.centre * FPS)]
            if phone.name in "pbm":
                near = gaps_within(phone, gap, 0.04)
                met.append(((near <= 0.001) & (near >= -0.0015)).any())
                assert met[-1], f"{state}: {phone}"
                centred.append(-0.0015 <= here <= 0.001)
            elif phone.name in VOWELS:
                false.append(here <= 0.001)
            elif phone.name in "fv":
                frame = round(phone.centre * FPS)
                lip = face.lip_to_teeth(face.weights_to_vertices(weights[frame]))
                bitten.append(lip < own_f + 0.001)
    assert np.mean(met) >= 0.99
    assert np.mean(centred) >= 0.9
    assert np.mean(np.concatenate(through)) <= 0.01
    assert np.mean(false) <= 0.03
    assert np.mean(bitten) >= 0.95


def test_speech_stays_readable_under_an_expression(face):
    """An expression that draws the lips together must not mumble; a clenched jaw may, a little."""
    tight = {"mouthClose": 0.25, "mouthRollLower": 0.5, "mouthShrugLower": 0.6}
    clenched = tight | {"mouthPressLeft": 1.0, "mouthPressRight": 1.0}
    phones = babble(seed=5, syllables=20)
    frames = int(np.ceil(phones[-1].end * FPS))
    centres = [round(phone.centre * FPS) for phone in phones if phone.name in VOWELS]

    def mean_gap(weights: dict[str, float]) -> float:
        state = State("tight", weights, 0.1)
        shown = perform(
            phones, frames, fps=FPS, state=state, level=1.0, style=Style(), seed=0, face=face
        )
        return float(lips.gap_of(shown.weights.astype(float), face)[centres].mean())

    neutral = mean_gap({})
    assert mean_gap(tight) > 0.8 * neutral
    assert 0.45 * neutral < mean_gap(clenched) < 0.75 * neutral


def test_weights_keep_the_limits(face):
    weights = act(babble(seed=2), face, "laughing", 1.5).weights
    assert weights.dtype == np.float32
    np.testing.assert_allclose(face.limit(weights), weights, atol=1e-5)


def test_a_mouth_in_neutral_silence_breathes_and_stays_shut(face):
    weights = act([Phone("pau", 0.0, 20.0)], face).weights
    lips_moved = (face.weights_to_vertices(weights) - face.template)[:, face.regions["lips"]]
    moved = np.linalg.norm(lips_moved, axis=-1)
    assert not weights[0].any(), "a clip begins at the neutral"
    assert 0.0001 < moved.max() < 0.001
    assert np.abs(lips.gap_of(weights.astype(float), face)).max() < 0.0007


def test_an_expression_in_silence_is_still(face):
    silence = [Phone("pau", 0.0, 4.0)]
    shown = act(silence, face, "happy")
    moving = face.weights_to_vertices(shown.weights[shown.steady[0] :])[:, face.regions["lips"]]
    speed = np.linalg.norm(np.diff(moving, axis=0), axis=-1).mean(axis=1) * FPS
    assert speed.max() < 0.002
    gap = lips.gap_of(shown.weights.astype(float), face)
    assert np.abs(gap).max() < 0.0015


def test_the_expression_arrives_and_then_stays(face):
    state = STATES["angry"]
    shown = act([Phone("pau", 0.0, 3.0)], face, "angry", 2 / 3)
    start, stop = shown.steady
    assert state.onset * FPS <= start <= (state.onset + SETTLE + 0.2) * FPS
    assert stop == 90
    brow = UNIT_NAMES.index("browDownLeft")
    wanted = state.weights["browDownLeft"] * 2 / 3
    assert shown.weights[0, brow] == 0
    np.testing.assert_allclose(shown.weights[start:, brow], wanted, rtol=0.25)
    assert np.std(shown.weights[start:, brow]) > 0.002, "a mask"


def test_the_envelope_rises_to_its_apex_settles_and_decays():
    state = State("x", {"browInnerUp": 0.5}, onset=0.5, decay=0.4, apex=0.1)
    times = np.array([-0.1, 0.0, 0.25, 0.5, 0.5 + SETTLE, 1.9, 2.0, 2.2, 2.4, 3.0])
    shares = envelope(times, state, stop=2.0)
    np.testing.assert_allclose(shares, [0, 0, 0.55, 1.1, 1, 1, 1, 0.5, 0, 0], atol=1e-12)
    assert envelope(times, state)[-1] == 1.0


def test_a_performance_decays_from_its_stop_and_says_so(face):
    """Training feeds the level times the envelope: it must be what the face shows."""
    state, silence = STATES["surprised"], [Phone("pau", 0.0, 4.0)]
    held, shown = act(silence, face, "surprised"), act(silence, face, "surprised", stop=2.0)
    np.testing.assert_array_equal(shown.weights[:60], held.weights[:60])
    assert held.steady[1] == 120
    assert shown.steady == (held.steady[0], 60)
    np.testing.assert_allclose(shown.envelope[slice(*shown.steady)], 1.0, atol=1e-6)
    assert 1.0 < shown.envelope.max() <= 1.0 + state.apex + 1e-6
    assert not shown.envelope[int((2.0 + state.decay) * FPS) + 2 :].any()
    assert shown.envelope.dtype == np.float32
    brow = UNIT_NAMES.index("browOuterUpLeft")
    alive = held.weights[60:, brow] / held.envelope[60:]
    np.testing.assert_allclose(shown.weights[60:, brow], alive * shown.envelope[60:], atol=1e-5)


def test_an_expression_may_stop_before_it_is_whole(face):
    shown = act([Phone("pau", 0.0, 2.0)], face, "tired", stop=0.5)
    assert shown.steady[0] == shown.steady[1]
    assert 0.05 < shown.envelope.max() < 0.9


@pytest.mark.parametrize("stop", [0.0, -1.0, np.nan, np.inf])
def test_a_wrong_stop_is_refused(face, stop):
    with pytest.raises(MienError, match=r"the expression stops at .* give seconds above 0"):
        act([Phone("pau", 0.0, 1.0)], face, "happy", stop=stop)


def test_no_face_is_even(face):
    """Small life: the sides differ a little, differently in each take; a wink stays one-sided."""
    silence, differences = [Phone("pau", 0.0, 3.0)], []
    left, right = (UNIT_NAMES.index(f"browOuterUp{side}") for side in ("Left", "Right"))
    for seed in range(12):
        mean = act(silence, face, "surprised", seed=seed).weights[45:].mean(axis=0)
        differences.append(mean[left] / mean[right] - 1)
    assert 0.02 < np.std(differences) < 0.15
    assert not act(silence, face, "wink_left").weights[:, UNIT_NAMES.index("eyeBlinkRight")].any()


# Expression and speech


def test_a_smile_spreads_the_lips_of_a_vowel(face):
    phones = phones_of("t aa t", seconds=0.4)
    frame = round(phones[2].centre * FPS)
    corners = [face.template[face.regions["lips"], 0].argmin()]
    corners += [face.template[face.regions["lips"], 0].argmax()]

    def width(state: str) -> float:
        vertices = face.weights_to_vertices(act(phones, face, state, seed=1).weights[frame])
        return float(np.ptp(vertices[face.regions["lips"]][corners, 0]))

    assert width("happy") > width("neutral") + 0.004


@pytest.mark.parametrize("state", ["teeth_bared", "seething", "cold", "menacing"])
def test_clenched_teeth_limit_the_jaw(face, state):
    assert shown_in("aa", "jawOpen", state, face) < 0.93 * shown_in("aa", "jawOpen", "happy", face)


def test_the_tongue_waits_for_a_pause_or_an_open_vowel(face):
    tongue = {p: shown_in(p, "tongueOut", "tongue_out", face) for p in ("pau", "p", "iy", "aa")}
    assert tongue["pau"] > 0.7
    assert tongue["p"] == tongue["iy"] == 0
    assert 0.2 < tongue["aa"] < tongue["pau"]


def test_cheeks_are_puffed_only_behind_shut_lips(face):
    puff = {p: shown_in(p, "cheekPuff", "cheeks_puffed", face) for p in ("pau", "p", "iy", "aa")}
    assert puff["pau"] > 0.8
    assert puff["p"] > 0.4
    assert puff["iy"] == puff["aa"] == 0


def test_a_kiss_gives_way_to_spread_vowels_and_a_bite_to_open_ones(face):
    kiss = {p: shown_in(p, "mouthPucker", "kissing", face) for p in ("pau", "iy", "aa")}
    assert kiss["iy"] < 0.75 * kiss["aa"] < 0.75 * kiss["pau"]
    bite = {p: shown_in(p, "mouthRollLower", "lip_bitten", face) for p in ("pau", "aa")}
    assert bite["aa"] < 0.6 * bite["pau"]


def test_shut_eyes_stay_shut_whatever_is_said(face):
    """Guards lids that drift: a few hundredths less and the white shows."""
    blink = UNIT_NAMES.index("eyeBlinkLeft")
    for seed in range(4):
        shown = act(babble(seed=seed), face, "eyes_closed", seed=seed)
        assert shown.weights[shown.steady[0] :, blink].min() > 0.93


def test_content_does_not_depend_on_the_expression_where_the_mouth_is_free(face):
    """Truth of another expression is one more call: brows follow the state, not the words."""
    first, second = (act(babble(seed=s), face, "brow_left", seed=3).weights for s in (1, 2))
    frames = min(len(first), len(second))
    brows = [k for k, name in enumerate(UNIT_NAMES) if name.startswith("brow")]
    np.testing.assert_array_equal(first[:frames, brows], second[:frames, brows])


def test_a_performance_is_a_pure_function(face):
    phones = babble(seed=9)
    first, again = (act(phones, face, "sad", seed=4).weights for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(act(phones, face, "sad", seed=5).weights - first).max() > 1e-3
