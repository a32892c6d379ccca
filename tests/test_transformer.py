"""The sequence form, which trains, and the step form, which runs, are one function."""

import pytest
import torch

from mien.model.autoencoder import AutoEncoder
from mien.model.pooler import TextPooler
from mien.model.predictors import Audio2Con, Step, Text2Exp
from mien.model.settings import ModelSettings
from mien.model.transformer import CrossAttention, SelfAttention, banded

SMALL = ModelSettings(
    width=16, heads=2, layers=2, feature_size=8, window=6, decoder_window=3, speech_reach=2,
    speech_size=12, text_size=10, text_latents=3, coefficients=5, text_dropout=0.3,
)  # fmt: skip
FRAMES = 20


@pytest.fixture
def step() -> Step:
    """All nets with every parameter drawn, so that no zero hides a mistake."""
    torch.manual_seed(0)
    nets = Audio2Con(SMALL), Text2Exp(SMALL), AutoEncoder(SMALL).decoder
    for net in nets:
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.4)
    return Step(SMALL, *nets, scale=0.01).eval()


def drawn(batch: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    speech = torch.randn(batch, FRAMES + 2 * SMALL.speech_reach, SMALL.speech_size)
    text = torch.randn(batch, SMALL.text_latents, SMALL.text_size)
    return speech, text, torch.rand(batch, 1)


@torch.no_grad()
def free_run(step: Step, speech, text, level) -> torch.Tensor:
    past, *memory = step.start(len(speech))
    frames = []
    for t in range(FRAMES):
        past, *memory = step(past, speech[:, t : t + SMALL.speech_rows], text, level, *memory)
        frames.append(past)
    return torch.stack(frames, dim=1)


def test_stepping_is_the_sequence_form(step):
    """Guards the caches: ages, windows longer than what was seen, and windows that roll over."""
    speech, text, level = drawn()
    made = free_run(step, speech, text, level) / step.scale
    past = torch.cat([torch.zeros_like(made[:, :1]), made[:, :-1]], dim=1)
    with torch.no_grad():
        content = step.audio2con(past, speech)
        hidden = torch.ones_like(past[:, :, :1])
        expression = step.text2exp(past, text[:, None], level[:, None], hidden)
        again = step.decoder(content, expression)
    assert made.abs().max() > 0.1
    assert torch.allclose(made, again, atol=1e-4)


def test_a_batch_is_its_rows_one_by_one(step):
    speech, text, level = drawn()
    whole = free_run(step, speech, text, level)
    for row in range(len(speech)):
        one = slice(row, row + 1)
        alone = free_run(step, speech[one], text[one], level[one])
        assert torch.allclose(whole[one], alone, atol=1e-6)


def test_speech_beyond_the_reach_changes_nothing_earlier(step):
    speech, text, level = drawn()
    before = free_run(step, speech, text, level)
    changed = speech.clone()
    changed[:, 14:] *= -1.0  # heard first by the frame whose window ends there
    after = free_run(step, changed, text, level)
    first = 14 - 2 * SMALL.speech_reach
    assert torch.equal(before[:, :first], after[:, :first])
    assert not torch.allclose(before[:, first], after[:, first])


def test_the_state_has_a_fixed_size(step):
    speech, text, level = drawn(1)
    past, *memory = step.start()
    sizes = [m.shape for m in memory]
    for t in range(FRAMES):
        past, *memory = step(past, speech[:, t : t + SMALL.speech_rows], text, level, *memory)
        assert [m.shape for m in memory] == sizes


def test_banded_sees_only_its_band():
    bias = torch.tensor([[1.0, 2.0, 3.0]])
    spread = banded(bias, 4, 4, -2)[0]
    for i in range(4):
        for j in range(4):
            inside = -2 <= j - i <= 0
            assert spread[i, j] == (bias[0, j - i + 2] if inside else float("-inf"))


def test_self_attention_is_the_slow_sum():
    torch.manual_seed(0)
    attention = SelfAttention(4, 1, window=3, causal=True)
    torch.nn.init.normal_(attention.bias)
    x = torch.randn(1, 7, 4)
    q, k, v = attention.query_key_value(x)[0].chunk(3, dim=-1)
    rows = []
    for t in range(7):
        seen = range(max(0, t - 2), t + 1)
        score = torch.stack([q[t] @ k[s] / 2 + attention.bias[0, s - t + 2] for s in seen])
        rows.append(sum(w * v[s] for w, s in zip(score.softmax(0), seen, strict=True)))
    assert torch.allclose(attention(x)[0], attention.out(torch.stack(rows)), atol=1e-6)


def test_cross_attention_along_speech_is_the_one_with_own_rows():
    torch.manual_seed(0)
    attention = CrossAttention(8, 2, rows=5)
    torch.nn.init.normal_(attention.bias)
    x, memory = torch.randn(2, 9, 8), torch.randn(2, 13, 8)
    own = memory.unfold(1, 5, 1).transpose(2, 3)
    assert torch.allclose(attention.along(x, memory), attention(x, own), atol=1e-6)


def test_padding_of_a_description_is_not_read():
    torch.manual_seed(0)
    pooler = TextPooler(SMALL).eval()
    tokens = torch.randn(1, 6, SMALL.text_size)
    short = pooler(tokens[:, :4], torch.zeros(1, 4))
    padding = torch.tensor([[0.0, 0.0, 0.0, 0.0, -torch.inf, -torch.inf]])
    assert torch.allclose(pooler(tokens, padding), short, atol=1e-6)
