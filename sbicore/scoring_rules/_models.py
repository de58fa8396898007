"""Rules that compare models: targets `(B, M)` say by a one which of M models is true.

All are lowest in expectation where the logits f are the log posterior probabilities of the models, up to a constant.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["BrierRule", "CrossEntropyRule", "ExponentialRule", "LogisticRule", "PolynomialRule"]

_LARGEST = 60.0
"""Exponents beyond are cut: their gradient would say nothing but that the model is wrong."""


class _ModelRule:
    """Logits from one head; probabilities beside them."""

    def __init__(self) -> None:
        self.statistics = {"logits": "free", "probs": "free"}

    def heads(self, target: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """One logit for each model."""
        return {"logits": target}

    def link(self, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits, and probabilities that sum to one."""
        return {"logits": raw["logits"], "probs": raw["logits"].softmax(-1)}

    def summarize(self, draws: Tensor) -> dict[str, Tensor]:
        """Shares of the models in `draws (N, M)`."""
        probs = draws.mean(0)
        return {"logits": probs.log(), "probs": probs}


class CrossEntropyRule(_ModelRule):
    """The log score."""

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        return -(estimates["logits"].log_softmax(-1) * targets).sum(-1)


class PolynomialRule(_ModelRule):
    """Tsallis scores."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        log_p, a = estimates["logits"].log_softmax(-1), self.alpha
        true = (log_p * targets).sum(-1)
        return (a - 1) / a * (a * log_p).exp().sum(-1) - ((a - 1) * true).exp()


class BrierRule(_ModelRule):
    """The squared distance."""

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        return (estimates["logits"].softmax(-1) - targets).square().sum(-1)


class _PairRule(_ModelRule):
    """A sum over the other models of a function of their lead over the true one."""

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        logits = estimates["logits"]
        lead = logits - (logits * targets).sum(-1, keepdim=True)
        return (self._penalty(lead) * (1 - targets)).sum(-1)

    def _penalty(self, lead: Tensor) -> Tensor:
        """Elementwise."""
        raise NotImplementedError


class ExponentialRule(_PairRule):
    """arXiv:2305.11241, table 1."""

    def _penalty(self, lead: Tensor) -> Tensor:
        return (0.5 * lead).clamp_max(_LARGEST).exp()


class LogisticRule(_PairRule):
    """With alpha = 0 the log score of each pair."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha

    def _penalty(self, lead: Tensor) -> Tensor:
        if self.alpha == 0:
            return softplus(lead)
        return (self.alpha * softplus(lead / (self.alpha + 1))).clamp_max(_LARGEST).exp()
