"""Whose face it is: a learned code for each actor, and their mean for one who is not known."""

import torch
from torch import Tensor, nn


class ActorCodes(nn.Module):
    """Shares of actors -> what their own way of speaking and looking adds to a net's input."""

    def __init__(self, actors: int, width: int):
        super().__init__()
        self.codes = nn.Parameter(torch.zeros(actors, width))

    def forward(self, shares: Tensor | None) -> Tensor:
        """shares (B, A), each row summing to 1 -> (B, 1, d); None, somebody unknown -> (1, 1, d).

        A known actor has a share of 1; equal shares are the mean that stands for the unknown.
        """
        if shares is None:
            return self.codes.mean(0)[None, None]
        return (shares @ self.codes)[:, None]


def actor_codes(actors: tuple[str, ...], width: int) -> ActorCodes | None:
    """The codes of a model that tells actors apart; None for one that does not."""
    return ActorCodes(len(actors), width) if actors else None


def coded(codes: ActorCodes | None, x: Tensor, shares: Tensor | None) -> Tensor:
    """Tokens x (B, T, d) with the actor's code added; unchanged where no actors are told apart."""
    return x if codes is None else x + codes(shares)
