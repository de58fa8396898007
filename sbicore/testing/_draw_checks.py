"""What is asked of the draws of inference networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..randomness import RowGenerators, generator_for
from ._check import only, require
from ._network_cases import ROWS, NetworkCase, close, network_cases

__all__ = ["CHECKS"]

COUNT, LARGE = 2_000, 6.0

draws = only(lambda config: "sample" in config.capabilities)


@draws
def check_sample(config: Any) -> None:
    """`sample((R, S), conditions (R, 1, C))` gives finite draws `(R, S, *event)` in the precision of the weights."""
    for case in network_cases(config):
        network = case.make()
        for rows, count in ((ROWS, 5), ((0,), 1)):
            found = case.draw(network, rows, count)
            require(found.isfinite().all(), f"{case}: not finite")
            alike = len(found.flatten(0, 1).unique(dim=0)) < len(rows) * count
            require(not alike, f"{case}: some of {len(rows)} x {count} draws are alike")
        found = case.draw(network.double(), dtype=torch.float64)
        require(found.dtype == torch.float64, f"{case}: weights in float64 give {found.dtype}")


@draws
def check_sample_randomness(config: Any) -> None:
    """Generators decide the draws, one for all or one for each row; without any, torch's default generator does."""
    for case in network_cases(config):
        network = case.make()
        state = torch.get_rng_state()
        first = case.draw(network)
        require(torch.equal(torch.get_rng_state(), state), f"{case}: torch's default generator is touched")
        require(torch.equal(case.draw(network), first), f"{case}: the same generators give other draws")
        require(not close(case.draw(network, seed=1), first), f"{case}: other generators give the same draws")
        for default in (False, True):
            what = "torch.manual_seed" if default else "one generator"
            found = [_drawn(case, network, seed, default=default) for seed in (1, 1, 2)]
            require(torch.equal(found[0], found[1]), f"{case}: {what} does not fix the draws")
            require(not close(found[0], found[2]), f"{case}: {what} of another seed gives the same draws")
            require(not close(found[0][0], found[0][1]), f"{case}: {what} gives all rows the same noise")


@draws
def check_sample_rows(config: Any) -> None:
    """A row of draws depends on its own generator and its own conditions alone, and goes on where it stopped."""
    for case in network_cases(config):
        network = case.make()
        together = case.draw(network)
        for row in ROWS:
            alone = case.draw(network, (row,))
            require(close(alone[0], together[row]), f"{case}: a row alone has other draws than among others")
        require(
            close(case.draw(network, ROWS[::-1]), together.flip(0)), f"{case}: the order of rows changes their draws"
        )
        conditions = case.given((1, 1))
        shared = None if conditions is None else conditions.expand(len(ROWS), -1, -1)
        with torch.no_grad():
            same = network.sample((len(ROWS), 5), shared, generator=RowGenerators(0, [(row,) for row in ROWS]))
            require(not close(same[0], same[1]), f"{case}: rows with generators of their own have the same noise")
            generators = [generator_for(0)]
            first, second = (network.sample((1, 5), conditions, generator=generators) for _ in range(2))
            require(not close(first, second), f"{case}: a second call repeats the draws of the first")


@draws
def check_sample_independence(config: Any) -> None:
    """The draws of a row are independent of one another.

    Looked at are neighbours and halves among 2,000; a correlation of 0.134 is six standard errors.
    """
    for case in network_cases(config, 1):
        values = case.draw(case.make(), (0,), COUNT).flatten()
        for apart in (1, COUNT // 2):
            found = float(torch.corrcoef(torch.stack([values[:-apart], values[apart:]]))[0, 1])
            require(abs(found) < LARGE / COUNT**0.5, f"{case}: draws {apart} apart have the correlation {found:.2f}")


@draws
def check_sample_conditions(config: Any) -> None:
    """Draws depend on the conditions."""
    for case in network_cases(config):
        if case.shapes.conditions is not None:
            network = case.make()
            require(not close(case.draw(network, shift=0.5), case.draw(network)), f"{case}: conditions have no effect")


@draws
def check_sample_options(config: Any) -> None:
    """`sample` takes the options that `sample_options` describes, whose defaults change nothing, and no others."""
    for case in network_cases(config, 2):
        network = case.make()
        defaults = config.sample_options().to_dict()
        given = case.draw(network, **defaults)
        require(torch.equal(given, case.draw(network)), f"{case}: {defaults} given by hand change the draws")
        try:
            case.draw(network, not_an_option=1)
        except TypeError:
            continue
        raise AssertionError(f"{case}: not_an_option=1 was accepted; call self.config.sample_options(**options)")


@draws
def check_report(config: Any) -> None:
    """What `report` receives, `evaluations` and `steps` where there are any, has one number a row."""
    for case in network_cases(config, 2):
        network = case.make()
        report: dict[str, Any] = {}
        generators = RowGenerators(0, [(row,) for row in ROWS])
        with torch.no_grad():
            network.sample((len(ROWS), 5), case.given((len(ROWS), 1)), generator=generators, report=report)
        require(report.keys() <= {"evaluations", "steps"}, f"{case}: it holds {', '.join(map(str, report))}")
        for name, value in report.items():
            fits = isinstance(value, Tensor) and value.shape == (len(ROWS),) and (value >= 0).all()
            require(fits, f"{case}: {name} of {len(ROWS)} rows is {value!r}")


def _drawn(case: NetworkCase, network: Any, seed: int, *, default: bool) -> Tensor:
    """Draws for equal conditions, from one generator or torch's default one."""
    conditions = case.given((1, 1))
    shared = None if conditions is None else conditions.expand(len(ROWS), -1, -1)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network.sample((len(ROWS), 5), shared, generator=None if default else generator_for(seed))


CHECKS = (
    check_sample,
    check_sample_randomness,
    check_sample_rows,
    check_sample_independence,
    check_sample_conditions,
    check_sample_options,
    check_report,
)
