"""The sizes of the networks; a pack and a checkpoint carry them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSettings:
    """Sizes of E_con, E_exp, D, Audio2Con, Text2Exp and the small networks beside them."""

    width: int = 128
    """Channels d of every transformer."""
    heads: int = 4
    """Attention heads."""
    layers: int = 4
    """Blocks of each net; the paper has four."""
    feature_size: int = 64
    """Size of the content feature and of the expression feature."""
    window: int = 64
    """Frames that Audio2Con and Text2Exp see of the past, the current one included."""
    decoder_window: int = 16
    """Frames that D sees of the features, this one included; shorter than stage 1's crops."""
    encoder_window: int = 16
    """Frames that the encoders of stage 1 see to either side, the current one included."""
    speech_reach: int = 6
    """Speech frames seen before and after the current one."""
    speech_size: int = 384
    """Channels of speech_features; training sets it to its speech encoder's."""
    text_size: int = 384
    """Channels of the text encoder's tokens and of text_features; training sets it likewise."""
    text_rank: int = 8
    """Rank of the differences that tune the text encoder."""
    text_latents: int = 8
    """Rows of text_features."""
    text_width: int = 192
    """Channels of the blocks that read the tokens."""
    text_layers: int = 2
    """Those blocks."""
    text_dropout: float = 0.2
    """Share of the tokens' values hidden while training: wordings are few, and never all seen."""
    speech_dropout: float = 0.1
    """Share of the speech_features' values hidden while training: voices are few too."""
    demands_width: int = 96
    """Channels of the network that hears what speech demands of the lips."""
    coefficients: int = 52
    """Coefficients K of the face's basis; training sets it to its corpus's."""
    actors: tuple[str, ...] = ()
    """Actors whose ways Audio2Con and Text2Exp tell apart, each by a learned code; none: all are
    one."""

    @property
    def speech_rows(self) -> int:
        """Speech frames that one step sees."""
        return 2 * self.speech_reach + 1
