"""What is asked of the densities of inference networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._check import only, require
from ._density import COUNT, require_line, require_plane
from ._network_cases import NetworkCase, close, network_cases

__all__ = ["CHECKS"]

ROWS, DRAWS = 4, 5
SCALES = (20.0, 1.0, 10.0, 2.0)
SOLVER = 0.005
SLOPE = 0.03
STEPS, MOST = (0.02, 0.001), 0.9

density = only(lambda config: "log_prob" in config.capabilities)


@density
def check_log_prob(config: Any) -> None:
    """`log_prob(targets (R, S, *event), conditions (R, 1, C))` gives finite `(R, S)`, each for itself, far ones too."""
    for case in network_cases(config):
        network, conditions = case.make(), case.given((ROWS, 1))
        targets = _points(case) * torch.tensor(SCALES)[:, None, None]
        with torch.no_grad():
            values = case.log_prob(network, targets, conditions)
            require(values.isfinite().all(), f"{case}: not finite: {values.tolist()}")
            for row in range(ROWS):
                given = None if conditions is None else conditions[row : row + 1]
                alone = case.log_prob(network, targets[row : row + 1, 2:3], given)
                alike = torch.allclose(alone, values[row : row + 1, 2:3], rtol=1e-3, atol=1e-2)
                require(alike, f"{case}: one alone has another density than among others")
            given = None if conditions is None else conditions.double()
            values = case.log_prob(network.double(), targets.double(), given)
            require(values.dtype == torch.float64, f"{case}: float64 gives {values.dtype}")


@density
def check_log_prob_inputs(config: Any) -> None:
    """The density depends on the targets and on the conditions."""
    for case in network_cases(config):
        network, targets, conditions = case.make(), _points(case), case.given((ROWS, 1))
        with torch.no_grad():
            values = case.log_prob(network, targets, conditions)
            require(not close(case.log_prob(network, targets + 0.5, conditions), values), f"{case}: targets do nothing")
            if conditions is not None:
                other = case.log_prob(network, targets, conditions + 0.5)
                require(not close(other, values), f"{case}: conditions do nothing")


@density
def check_log_prob_gradient(config: Any) -> None:
    """The gradient of `log_prob` in the targets is that of the density: detach nothing where gradients are on.

    At each point the better of two differences counts, a wide one for the sake of solvers and a narrow one; a tenth of
    the points may lie on kinks.
    """
    for case in network_cases(config):
        network = case.make().double()
        targets, conditions = _points(case).double(), case.given((ROWS, 1), torch.float64)
        inputs = targets.clone().requires_grad_()
        values = case.log_prob(network, inputs, conditions).sum()
        require(values.requires_grad, f"{case}: there is none")
        (found,) = torch.autograd.grad(values, inputs)
        with torch.no_grad():
            gaps = torch.stack([_gaps(case, network, targets, conditions, found, step) for step in STEPS]).amin(0)
        gap = float(gaps.flatten().quantile(MOST))
        require(gap < SLOPE, f"{case}: differences of the density give a slope that is off by {gap:.2g}")


@density
def check_log_prob_options(config: Any) -> None:
    """`log_prob` takes the options that `log_prob_options` describes, whose defaults change nothing, and no others."""
    for case in network_cases(config, 2):
        network, targets, conditions = case.make(), _points(case), case.given((ROWS, 1))
        defaults = config.log_prob_options().to_dict()
        with torch.no_grad():
            values = case.log_prob(network, targets, conditions)
            given = case.log_prob(network, targets, conditions, **defaults)
            require(torch.equal(given, values), f"{case}: {defaults} given by hand change the density")
            try:
                case.log_prob(network, targets, conditions, not_an_option=1)
            except TypeError:
                continue
        raise AssertionError(f"{case}: not_an_option=1 was accepted; call self.config.log_prob_options(**options)")


@only(lambda config: {"sample", "log_prob"} <= config.capabilities)
def check_density(config: Any) -> None:
    """The density integrates to one and is that of the draws, in one and in two dimensions.

    With the solver's defaults, 0.005 is allowed for its errors, in the mass and beside chance: five times
    what midpoint with 20 steps, or tolerances of 0.001, leaves.
    """
    for case in network_cases(config):
        network = case.make().double()
        with torch.no_grad():
            draws = case.draw(network, (0,), COUNT, dtype=torch.float64)[0]
            observed = case.given((1, 1), torch.float64)

            def log_prob(
                x: Tensor, network: Any = network, observed: Tensor | None = observed, case: NetworkCase = case
            ) -> Tensor:
                return case.log_prob(network, x[None], observed)[0]

            try:
                if case.shapes.target == (1,):
                    require_line(log_prob, draws, points=2_000, slack=SOLVER)
                else:
                    require_plane(log_prob, draws, points=60, slack=SOLVER)
            except AssertionError as error:
                raise AssertionError(f"{case}: {error}") from None


def _points(case: NetworkCase) -> Tensor:
    """Targets `(R, S, *event)` within two standard deviations or so."""
    return case.pairs(ROWS * DRAWS)[0].unflatten(0, (ROWS, DRAWS))


def _gaps(
    case: NetworkCase, network: Any, targets: Tensor, conditions: Tensor | None, found: Tensor, step: float
) -> Tensor:
    """By how much differences of the density over this step differ from its gradient `found`, relative to 1 + slope."""
    gaps = []
    for axis in range(targets.shape[-1]):
        move = torch.zeros_like(targets)
        move[..., axis] = step
        ahead, behind = (case.log_prob(network, targets + way * move, conditions) for way in (1, -1))
        slope = (ahead - behind) / (2 * step)
        gaps.append((slope - found[..., axis]).abs() / (1 + slope.abs()))
    return torch.stack(gaps, dim=-1)


CHECKS = (
    check_log_prob,
    check_log_prob_inputs,
    check_log_prob_gradient,
    check_log_prob_options,
    check_density,
)
