"""Solver options: whose win, and where steps end."""

import pytest
import torch

from sbicore.errors import ConfigError
from sbicore.solver import SolverOptions, spaced

WIDTH = 0.02


def flow(t, x, rows):
    """The exact field of flow matching from noise at t = 1 to a normal of sd WIDTH at t = 0."""
    return x * (t - (1 - t) * WIDTH**2) / (((1 - t) * WIDTH) ** 2 + t**2)


class TestSpaced:
    def test_ends_are_exact_and_steps_equal_in_the_root(self):
        assert spaced(1.0, 0.0, 4, 2.0) == [1.0, 0.5625, 0.25, 0.0625, 0.0]
        assert spaced(0.0, 1.0, 4, 2.0) == [0.0, 0.0625, 0.25, 0.5625, 1.0]
        assert spaced(0.3, 0.7, 7, 3.0)[0::7] == [0.3, 0.7]

    def test_one_is_equal_steps(self):
        assert spaced(0.0, 1.0, 5, 1.0) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


class TestIntegrate:
    @pytest.mark.parametrize("method", ["midpoint", "tsit5"])
    def test_as_many_steps_and_evaluations_as_equal_ones(self, method):
        x = torch.ones(2, 3, dtype=torch.float64)
        spread, equal = (
            SolverOptions(method=method, steps=10, spacing=s).integrate(flow, x, 1.0, 0.0) for s in (2.0, 1.0)
        )
        assert spread.steps.tolist() == equal.steps.tolist() == [10, 10]
        assert bool((spread.evaluations >= equal.evaluations).all())
        assert spread.state.shape == equal.state.shape

    def test_short_steps_near_the_data_keep_a_narrow_posterior(self):
        """Its width by 20 steps of midpoint and by 5 of rk4, equal ones and spaced (computed by hand in float64)."""
        x = torch.ones(1, 1, dtype=torch.float64)
        for method, steps, expected in (("midpoint", 20, [0.819, 0.996]), ("rk4", 5, [1.492, 0.995])):
            widths = [
                float(SolverOptions(method=method, steps=steps, spacing=s).integrate(flow, x, 1.0, 0.0).state) / WIDTH
                for s in (1.0, 2.0)
            ]
            assert widths == pytest.approx(expected, abs=5e-4)

    def test_a_tuple_of_parts_is_carried_through(self):
        start = (torch.ones(2, 1, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))

        def both(t, state, rows):
            return flow(t, state[0], rows), torch.ones_like(state[1])

        _, time = SolverOptions(method="rk4", steps=6, spacing=3.0).integrate(both, start, 0.0, 1.0).state
        assert time.tolist() == pytest.approx([1.0, 1.0])

    def test_a_method_without_steps_takes_its_own_number(self):
        x = torch.ones(1, 1, dtype=torch.float64)
        assert SolverOptions(method="rk4", spacing=2.0).integrate(flow, x, 1.0, 0.0).steps.tolist() == [10]


class TestWho:
    DEFAULT = SolverOptions(method="midpoint", steps=20)
    CONTROLLED = SolverOptions(method="dopri5", rtol=1e-4, atol=2e-4)

    def test_spacing_of_a_call_wins_over_that_of_the_network(self):
        chosen = SolverOptions(spacing=1.0).over(SolverOptions(spacing=3.0, steps=5)).completed(self.DEFAULT)
        assert (chosen.spacing, chosen.steps, chosen.method.name) == (1.0, 5, "midpoint")

    def test_spacing_alone_keeps_method_and_steps(self):
        chosen = SolverOptions(spacing=3.0).completed(self.DEFAULT)
        assert (chosen.spacing, chosen.steps, chosen.method.name) == (3.0, 20, "midpoint")

    def test_controlled_steps_have_no_spacing(self):
        with pytest.raises(ConfigError, match="not of controlled ones"):
            SolverOptions(rtol=1e-3, spacing=2.0)
        chosen = SolverOptions(rtol=1e-3).over(SolverOptions(spacing=3.0)).completed(self.DEFAULT)
        assert (chosen.spacing, chosen.method.name) == (None, "dopri5")

    def test_inherited_spacing_leaves_a_controlled_default_as_it_is(self):
        chosen = SolverOptions().over(SolverOptions(spacing=3.0)).completed(self.CONTROLLED)
        assert chosen == self.CONTROLLED.replace(steps="adaptive")
        chosen = SolverOptions(method="tsit5").over(SolverOptions(spacing=3.0)).completed(self.DEFAULT)
        assert (chosen.spacing, chosen.method.name) == (None, "tsit5")
        chosen = SolverOptions(steps=9).over(SolverOptions(spacing=3.0)).completed(self.CONTROLLED)
        assert (chosen.spacing, chosen.steps, chosen.rtol) == (3.0, 9, None)

    @pytest.mark.parametrize("inherited", [{}, {"spacing": 3.0}, {"rtol": 1e-2}, {"method": "tsit5"}])
    def test_spacing_that_is_given_needs_steps(self, inherited):
        with pytest.raises(ConfigError, match="not of controlled ones"):
            SolverOptions(spacing=2.0).over(SolverOptions(**inherited)).completed(self.CONTROLLED)
        chosen = SolverOptions(spacing=2.0, steps=9).over(SolverOptions(**inherited)).completed(self.CONTROLLED)
        assert (chosen.spacing, chosen.steps) == (2.0, 9)

    def test_an_adaptive_method_without_steps_has_no_spacing(self):
        with pytest.raises(ConfigError, match=r"not of controlled ones\nLeave spacing out, or give steps="):
            SolverOptions(method="dopri5", spacing=3.0)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"rtol": 1e-3}, (1e-3, 2e-4)),
            ({"atol": 1e-3}, (1e-4, 1e-3)),
            ({"steps": "adaptive"}, (1e-4, 2e-4)),
            ({"method": "dopri5"}, (1e-4, 2e-4)),
            ({"method": "dopri5", "rtol": 1e-3}, (1e-3, 2e-4)),
            ({"method": "tsit5", "rtol": 1e-3}, (1e-3, None)),
            ({"steps": 10}, (None, None)),
        ],
    )
    def test_the_default_gives_the_tolerance_that_is_not_given_to_its_own_method(self, given, expected):
        chosen = SolverOptions(**given).completed(self.CONTROLLED)
        assert (chosen.rtol, chosen.atol) == expected
        assert chosen.asks_adaptive == (given.get("steps") != 10)
