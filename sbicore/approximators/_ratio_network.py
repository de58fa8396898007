"""The classifier of ratios and its contrastive loss."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from ..backbone import Backbone
from ..config import InferenceNetworkConfig, frozen
from ..errors import ConfigError, ShapeError
from ..fields import component, flag, integer, number
from ..randomness import rand
from ..references import Reference
from ..shapes import Shapes

__all__ = ["RatioModule", "RatioNetwork"]

BALANCE = 100.0
"""Weight of the balance condition in the loss: lambda of arXiv:2208.13624, section 3."""


@frozen(kw_only=True)
class RatioNetwork(InferenceNetworkConfig):
    """A classifier that tells the parameters behind an observation from others: of `RatioApproximator` alone."""

    name: ClassVar[str] = "ratio"
    approximator: ClassVar[str] = "RatioApproximator"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Miller, Benjamin Kurt and Weniger, Christoph and Forré, Patrick",
            title="Contrastive Neural Ratio Estimation",
            year=2022,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2210.06170",
        ),
        Reference(
            authors="Delaunoy, Arnaud and Hermans, Joeri and Rozet, François and Wehenkel, Antoine and Louppe, Gilles",
            title="Towards Reliable Simulation-Based Inference with Balanced Neural Ratio Estimation",
            year=2022,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2208.13624",
        ),
    )

    subnet: Any = component(
        "subnet",
        {"name": "mlp", "widths": [128] * 5},
        doc="The body; it reads parameters and conditions. Deep, since a ratio is a function of both together.",
    )
    K: int = integer(5, ge=1, doc="Contrastive parameters that an observation is compared with.")
    gamma: float = number(1.0, gt=0.0, doc="Odds that one of the K belongs to the observation against that none does.")
    balanced: bool = flag(False, doc="Add the balance condition to the loss, for ratios that are rather too flat.")

    @property
    def couples_rows(self) -> str:
        """Parameters of other rows stand for the prior."""
        return "contrastive parameters"

    def build(self, shapes: Shapes) -> Any:
        """A `RatioModule`."""
        return RatioModule(self, shapes)


class RatioModule(nn.Module):
    """`h(theta, x)`, the logarithm of `p(theta | x) / p(theta)`.

    Args:
        config: a `RatioNetwork`.
        shapes: target and conditions, vectors.

    Raises:
        ConfigError: there are no conditions.
        ShapeError: targets that are no vectors.
    """

    def __init__(self, config: RatioNetwork, shapes: Shapes) -> None:
        super().__init__()
        if shapes.conditions is None:
            raise ConfigError(
                "A ratio compares parameters with an observation, and there is none\n"
                "Give inference_conditions=[...], or summary_variables=[...] with a summary_network."
            )
        if len(shapes.target) != 1:
            raise ShapeError(
                f"Ratios are of vectors of parameters, and these have shape {shapes.target}\n"
                "Flatten them, or train a network that draws.",
                got=shapes.target,
            )
        self.config = config
        self.event = shapes.target
        self.backbone = Backbone(config.subnet, Shapes(target=shapes.target, conditions=shapes.conditions, output=1))

    def log_ratio(self, targets: Tensor, conditions: Tensor) -> Tensor:
        """`(*, D), (*, C) -> (*)`; leading axes broadcast."""
        found: Tensor = self.backbone(targets, conditions=conditions)
        return found.squeeze(-1)

    def loss(self, targets: Tensor, conditions: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Contrastive loss of each row, `(B, D), (B, C) -> (B,)`: arXiv:2210.06170, eq. 7.

        The K contrastive parameters of a row are those of other rows, drawn without replacement: of the rows that
        follow it in a circle at K random distances, the same for all rows. So each row serves K times.

        Raises:
            ConfigError: fewer rows than K + 1.
        """
        rows = len(targets)
        require_rows_beside(self.config.K, rows, "A batch")
        distances = rand((rows - 1,), generator, targets).argsort()[: self.config.K] + 1
        others = (torch.arange(rows, device=targets.device).unsqueeze(1) + distances) % rows
        candidates = torch.cat([targets.unsqueeze(1), targets[others]], dim=1)
        logits = self.log_ratio(candidates, conditions.unsqueeze(1))
        loss = contrastive_loss(logits, self.config.gamma)
        return loss + BALANCE * imbalance(logits).square() if self.config.balanced else loss


def contrastive_loss(logits: Tensor, gamma: float) -> Tensor:
    """Loss `(B,)` from `h (B, 1 + K)`, that of the row's own parameters first (arXiv:2210.06170, eq. 7)."""
    count = logits.shape[1] - 1
    log_gamma, log_count = math.log(gamma), math.log(count)

    def log_total(h: Tensor) -> Tensor:
        return torch.logaddexp(torch.logsumexp(h, 1) + log_gamma, h.new_tensor(log_count))

    joint = log_total(logits[:, :count]) - log_gamma - logits[:, 0]
    marginal = log_total(logits[:, 1:]) - log_count
    return (marginal + gamma * joint) / (1 + gamma)


def imbalance(logits: Tensor) -> Tensor:
    """How far `E_joint[d] + E_marginal[d]` is from 1, for `d = sigmoid(h)` (arXiv:2208.13624, eq. 5)."""
    d = logits.sigmoid()
    return d[:, 0].mean() + d[:, 1:].mean() - 1


def require_rows_beside(count: int, rows: int, what: str) -> None:
    """Enough rows for K contrastive parameters each.

    Raises:
        ConfigError: there are not.
    """
    if rows <= count:
        raise ConfigError(
            f"{what} of {rows} {'row' if rows == 1 else 'rows'} has not the K={count} other parameters that each is "
            f"compared with\nTake K below {max(2, rows)}, or more rows."
        )
