"""What a pack was trained to read, sampled: by it a description is told from what is far from all.

Nearness is the mean of a description's five greatest cosines to the sampled training wordings. The
least that counts as familiar leaves out 5 % of the validation wordings. `docs/LOG.md` says how well
that tells other texts apart, and what was tried beside it.
"""

from collections.abc import Sequence

import numpy as np

from mien.data.simulate.bank import Bank
from mien.data.simulate.compositions import compositions
from mien.features import ReadsText, shortened
from mien.packfile import Known

PER_STATE, COMPOSED = 12, 384
"""Wordings of each state and compositions in the sample: in float16 they stay under 1 MB."""
HELD_OUT_PER_STATE, HELD_OUT_COMPOSED = 10, 250
"""The same of the validation wordings that say what is familiar."""
UNFAMILIAR = 0.05
"""Share of the validation wordings that are left out."""


def sample_known(encoder: ReadsText, *, seed: int = 0, progress: bool = False) -> Known:
    """Sample the bank and the grammar: from `train` what is known, from `validation` what is near.

    It takes 2,100 encodings. The same seed gives the same sample.
    """
    random = np.random.default_rng([seed, 29])
    texts = sampled(random, "train", per_state=PER_STATE, composed=COMPOSED)
    held_out = sampled(
        random, "validation", per_state=HELD_OUT_PER_STATE, composed=HELD_OUT_COMPOSED
    )
    return index_of(texts, held_out, encoder, progress=progress)


def sampled(
    random: np.random.Generator, split: str, *, per_state: int, composed: int
) -> tuple[str, ...]:
    """Draw different wordings of a split, of every state as many, and compositions."""
    bank = Bank.load()
    texts = {}
    for state in bank.entries:
        listed = [wording.text for wording in bank.descriptions(state, split)]
        for place in random.permutation(len(listed))[:per_state]:
            texts[listed[place]] = True
    wanted = len(texts) + composed
    for drawn in compositions(random, split):
        if len(texts) == wanted:
            break
        texts[drawn.text] = True
    return tuple(texts)


def index_of(
    texts: Sequence[str],
    held_out: Sequence[str],
    encoder: ReadsText,
    *,
    progress: bool = False,
) -> Known:
    """Return the index of known texts, five or more; `held_out` ones say what counts as familiar.

    These mean the same as known texts do in other words, so that 5 % of the likes of them are
    called far. What is longer than the encoder can read counts with its first words.
    """
    texts, held_out = (
        [shortened(text, encoder) for text in listed] for listed in (texts, held_out)
    )
    embeddings = encoder.embed(texts, progress=progress).astype(np.float16)
    known = Known(tuple(texts), embeddings, 0.0)
    nearness = known.nearness(encoder.embed(held_out, progress=progress))
    return Known(known.texts, known.embeddings, round(float(np.quantile(nearness, UNFAMILIAR)), 4))
