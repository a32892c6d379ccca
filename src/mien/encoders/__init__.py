"""Encoders by name: the default ones of `mien.features`, and the paper's, wav2vec 2.0 and CLIP.

Recipes name a kind ("wav2vec2"); a pack records an encoder's whole name, which begins with what
tells its kind and holds a sum of its weights: other weights make other features, and are refused.
Where a kind's weights lie is said by a path, else by the environment (`MIEN_WAV2VEC2`, `MIEN_CLIP`,
`MIEN_WHISPER`, `MIEN_MINILM`), else they are the usual ones.
"""

import os
from pathlib import Path

from mien.encoders.cache import Cache
from mien.encoders.clip import ClipTextEncoder
from mien.encoders.wav2vec2 import Wav2Vec2Encoder
from mien.errors import MienError
from mien.features import HearsSpeech, ReadsText, SpeechEncoder, TextEncoder
from mien.packfile import Card

SPEECH_ENCODERS = ("whisper", "wav2vec2")
TEXT_ENCODERS = ("minilm", "clip")


def speech_encoder(
    name: str, path: Path | str | None = None, *, cache: Path | str | None = None
) -> HearsSpeech:
    """Return the speech encoder of this name.

    Args:
        name: "whisper" or "wav2vec2".
        path: folder of its weights; for wav2vec2 also a hub id such as
            "facebook/wav2vec2-base-960h", which is the default.
        cache: folder in which wav2vec2's features are kept by content; None keeps none.

    Raises MienError for an unknown name, and where the weights are missing or are others.
    """
    _check_name(name, SPEECH_ENCODERS, "speech")
    path = path or _from_environment(name)
    if name == "whisper":
        return SpeechEncoder.load(path)
    return Wav2Vec2Encoder.load(path, cache=Cache.of(cache))


def text_encoder(
    name: str, path: Path | str | None = None, *, cache: Path | str | None = None
) -> ReadsText:
    """Return the text encoder of this name.

    Args:
        name: "minilm" or "clip".
        path: folder of its weights; for clip also a hub id such as
            "openai/clip-vit-base-patch32", which is the default.
        cache: folder in which clip's tokens are kept by content; None keeps none.

    Raises MienError for an unknown name, and where the weights are missing or are others.
    """
    _check_name(name, TEXT_ENCODERS, "text")
    path = path or _from_environment(name)
    if name == "minilm":
        return TextEncoder.load(path)
    return ClipTextEncoder.load(path, cache=Cache.of(cache))


def for_pack(
    card: Card, speech_path: Path | str | None = None, text_path: Path | str | None = None
) -> tuple[HearsSpeech, ReadsText]:
    """Return the encoders that a pack's card names; the paths are as above.

    Without a path, a folder that the pack was trained with is used where it still exists. A name
    of no known kind gives the default encoder, which `Animator` then refuses with both names.
    """
    speech = _kind(card.speech_encoder, SPEECH_ENCODERS)
    text = _kind(card.text_encoder, TEXT_ENCODERS)
    return (
        speech_encoder(speech, speech_path or _from_environment(speech) or _hint(card, "speech")),
        text_encoder(text, text_path or _from_environment(text) or _hint(card, "text")),
    )


def _hint(card: Card, which: str) -> str | None:
    """The folder of an encoder in the recipe that the pack was trained by, if it is there."""
    recipe = card.provenance.get("encoders")
    path = recipe.get(f"{which}_path") if isinstance(recipe, dict) else None
    return path if isinstance(path, str) and os.path.isdir(path) else None


def _kind(recorded: str, kinds: tuple[str, ...]) -> str:
    """The kind of encoder that a card's name begins with; the default one where it is unknown."""
    return next((kind for kind in kinds if recorded.startswith(f"{kind} ")), kinds[0])


def _check_name(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        raise MienError(f"there is no {what} encoder {name!r}; name one of {', '.join(known)}")


def _from_environment(name: str) -> str | None:
    return os.environ.get(f"MIEN_{name.upper()}") or None
