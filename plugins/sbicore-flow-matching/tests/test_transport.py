"""Mini-batch optimal transport: who is paired with whom, and what becomes of the noise."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from sbicore_flow_matching import FlowMatching
from sbicore_flow_matching.transport import pairing, repaired
from sbicore_flow_matching.transport_options import TransportOptions

import sbicore
from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

PLAIN = TransportOptions(condition_ratio=None)
EVERY = [
    TransportOptions(),
    PLAIN,
    TransportOptions(partial_factor=0.3),
    TransportOptions(method="sinkhorn"),
    TransportOptions(method="sinkhorn", partial_factor=0.3, max_steps=1),
    TransportOptions(block_size=2),
]


def rows(count, size=2, conditions=3, seed=0):
    """Noise, targets, and conditions that depend on the targets."""
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(count, size))
    mixed = targets @ rng.normal(size=(size, conditions)) + 0.3 * rng.normal(size=(count, conditions))
    return rng.normal(size=(count, size)), targets, mixed


def distances(left, right):
    return np.square(left[:, None] - right[None]).sum(-1)


def cost_of(partners, cost):
    return cost[partners, np.arange(len(cost))].sum()


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


class TestExact:
    @pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
    def test_pairs_are_those_of_least_cost(self, count):
        for seed in range(10):
            noise, targets, _ = rows(count, seed=seed)
            cost = distances(noise, targets)
            best = min(permutations(range(count)), key=lambda order: cost_of(list(order), cost))
            assert pairing(noise, targets, None, PLAIN).tolist() == list(best)

    @pytest.mark.parametrize("count", [128, 257])
    def test_the_cost_is_never_above_that_of_the_noise_as_drawn(self, count):
        for seed in range(5):
            noise, targets, conditions = rows(count, seed=seed)
            after = [repaired(*tensors(noise, targets, conditions), options).numpy() for options in EVERY[:2]]
            before = np.square(noise - targets).sum()
            assert all(np.square(paired - targets).sum() <= before for paired in after)
            assert np.square(after[1] - targets).sum() < 0.5 * before

    def test_large_offsets_and_tiny_scales_are_paired_alike(self):
        noise, targets, conditions = rows(64)
        expected = pairing(noise, targets, conditions, TransportOptions())
        for scale, offset in ((1e-6, 0.0), (1e6, 0.0), (1.0, 1e6)):
            assert (pairing(noise, targets, scale * conditions + offset, TransportOptions()) == expected).mean() > 0.95

    def test_equal_rows_have_some_pairing(self):
        same = np.ones((20, 2))
        for options in EVERY:
            assert sorted(pairing(same, same, same, options, np.random.default_rng(1))) == list(range(20))
            assert sorted(pairing(same, 0 * same, same, options, np.random.default_rng(1))) == list(range(20))


class TestEveryRowOfNoise:
    @pytest.mark.parametrize("options", EVERY, ids=str)
    @pytest.mark.parametrize("count", [1, 2, 3, 130])
    def test_is_used_once(self, options, count):
        for seed in range(3):
            noise, targets, conditions = tensors(*rows(count, seed=seed))
            paired = repaired(noise, targets, conditions, options, torch.Generator().manual_seed(seed))
            assert torch.equal(paired.sort(0).values, noise.sort(0).values)
            assert {tuple(row) for row in paired.tolist()} == {tuple(row) for row in noise.tolist()}

    def test_stays_in_its_block_and_blocks_are_of_about_one_size(self):
        noise, targets, _ = tensors(*rows(290))
        paired = repaired(noise, targets, None, PLAIN)
        for start, stop in ((0, 97), (97, 194), (194, 290)):
            block = slice(start, stop)
            expected = noise[block][
                torch.from_numpy(pairing(noise[block].numpy(), targets[block].numpy(), None, PLAIN))
            ]
            assert torch.equal(paired[block], expected)

    def test_stays_in_place_where_a_block_is_not_finite(self):
        for value in (float("nan"), float("inf")):
            for which in range(3):
                given = tensors(*rows(256))
                given[which][3, 1] = value
                paired = repaired(*given, TransportOptions())
                torch.testing.assert_close(paired[:128], given[0][:128], equal_nan=True, rtol=0, atol=0)
                assert not torch.equal(paired[128:], given[0][128:])

    def test_keeps_its_gradient_and_its_event(self):
        noise, targets = torch.randn(2, 30, 4, 3, generator=torch.Generator().manual_seed(1)).unbind()
        noise.requires_grad_()
        paired = repaired(noise, targets, None, PLAIN)
        assert paired.shape == noise.shape
        paired.square().sum().backward()
        torch.testing.assert_close(noise.grad, 2 * noise.detach())


class TestPartial:
    def test_the_cheapest_share_is_paired_at_least_cost(self):
        for seed in range(10):
            noise, targets, _ = rows(5, seed=seed)
            cost = distances(noise, targets)
            best = min(
                sum(cost[i, j] for i, j in zip(left, right, strict=True))
                for left in combinations(range(5), 2)
                for right in permutations(range(5), 2)
            )
            options = TransportOptions(partial_factor=0.4, condition_ratio=None)
            partners = pairing(noise, targets, None, options, np.random.default_rng(seed))
            assert np.sort(cost[partners, np.arange(5)])[:2].sum() == pytest.approx(best, rel=1e-9)

    @pytest.mark.parametrize("method", [{"method": "exact"}, {"method": "sinkhorn", "regularization": 1e-3}])
    def test_the_others_are_paired_at_random(self, method):
        """Noise that equals the targets in another order: half of it finds its equal, and chance finds about one."""
        rng = np.random.default_rng(1)
        targets = rng.normal(size=(200, 8))
        options = TransportOptions(**method, partial_factor=0.5, condition_ratio=None)
        partners = pairing(targets[::-1], targets, None, options, rng)
        found = partners == np.arange(200)[::-1]
        assert 100 <= found.sum() <= 105
        assert abs(np.corrcoef(partners[~found], np.flatnonzero(~found))[0, 1]) < 4 / np.sqrt(100)


class TestConditions:
    @pytest.mark.parametrize("ratio", [0.003, 0.01, 0.1])
    def test_the_wanted_share_of_pairs_attracts(self, ratio):
        from sbicore_flow_matching.transport import _conditional

        noise, targets, conditions = rows(128)
        cost = _conditional(distances(noise, targets), conditions, ratio)
        attracted = (cost <= cost.diagonal()[:, None] + 1e-9).sum() - 128
        assert attracted == round(ratio * 128 * 127)

    @pytest.mark.parametrize("count", [97, 128])
    def test_each_of_several_classes_is_paired_for_itself(self, count):
        noise, targets, _ = rows(count)
        group = np.arange(count) % 7
        one_point = np.where(group[:, None] == 0, 0.5, targets)
        for classes in (np.eye(7), np.random.default_rng(1).normal(size=(7, 50)) + 1e4):
            for given in (targets, one_point):
                partners = pairing(noise, given, classes[group], TransportOptions())
                for own in (np.flatnonzero(group == k) for k in range(1, 7)):
                    assert np.array_equal(partners[own], own[pairing(noise[own], given[own], None, PLAIN)])
                assert (partners[group == 0] % 7 == 0).all()

    def test_noise_rarely_moves_where_all_conditions_are_far_apart(self):
        noise, targets, _ = rows(128)
        partners = pairing(noise, targets, 100 * np.eye(128), TransportOptions(condition_ratio=1e-4))
        assert (partners != np.arange(128)).mean() < 0.05

    def test_paired_noise_stays_independent_of_the_condition(self):
        """The largest entry of corr(noise, x) over 200 batches of 128 within four standard errors of zero.

        theta ~ N(0, I), x = theta + N(0, 0.25 I), where plain transport gives about 0.85.
        """
        rng = np.random.default_rng(1)
        theta, noise = rng.normal(size=(2, 200 * 128, 2))
        x = (theta + 0.5 * rng.normal(size=theta.shape)) / np.sqrt(1.25)
        found = {}
        for name, options in (("aware", TransportOptions()), ("plain", PLAIN)):
            paired = repaired(*tensors(noise, theta, x), options).numpy()
            found[name] = np.abs(paired.T @ x / len(x)).max()
        assert found["aware"] < 4 / np.sqrt(len(x))
        assert found["plain"] > 0.7


class TestSinkhorn:
    def test_the_generator_draws_the_pairs(self):
        given = tensors(*rows(64))
        options = TransportOptions(method="sinkhorn")
        one, same, other = (repaired(*given, options, generator(seed)) for seed in (1, 1, 2))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)

    def test_with_little_regularization_pairs_are_nearly_the_exact_ones(self):
        for conditions in (None, rows(64)[2]):
            noise, targets, _ = rows(64)
            sharp = TransportOptions(method="sinkhorn", regularization=1e-3, max_steps=3000)
            partners = pairing(noise, targets, conditions, sharp, np.random.default_rng(1))
            exact = pairing(noise, targets, conditions, TransportOptions())
            cost = distances(noise, targets)
            assert (partners == exact).mean() > 0.8
            assert cost_of(partners, cost) == pytest.approx(cost_of(exact, cost), rel=0.05)

    def test_with_much_regularization_pairs_are_random(self):
        """The mean cost of 200 independent pairings, within four standard errors."""
        noise, targets, _ = rows(64)
        cost = distances(noise, targets)
        rng = np.random.default_rng(1)
        blunt = TransportOptions(method="sinkhorn", regularization=1e4)
        found = [cost_of(pairing(noise, targets, None, blunt, rng), cost) / 64 for _ in range(200)]
        assert np.mean(found) == pytest.approx(cost.mean(), abs=4 * np.std(found) / np.sqrt(200))

    def test_one_row_among_two_is_drawn_from_the_plan(self):
        """With two rows the plan is exp(-d / reg) against 1, d the difference of the costs of the two pairings."""
        noise, targets = np.array([[0.0], [1.0]]), np.array([[0.2], [0.6]])
        cost = distances(noise, targets)
        options = TransportOptions(method="sinkhorn", regularization=1.0, max_steps=1000)
        rng = np.random.default_rng(1)
        kept = np.mean([pairing(noise, targets, None, options, rng)[0] == 0 for _ in range(1000)])
        gap = (cost[0, 1] + cost[1, 0] - cost[0, 0] - cost[1, 1]) / (2 * cost.mean())
        expected = 1 / (1 + np.exp(-gap))
        assert kept == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 1000))


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"method": "exakt"}, "did you mean 'exact'"),
            ({"method": None}, "unknown choice None"),
            ({"block_size": 1}, "must be >= 2"),
            ({"block_size": 64.5}, "whole number"),
            ({"condition_ratio": 0.0}, "must be > 0"),
            ({"condition_ratio": 0.5}, "must be < 0.5"),
            ({"partial_factor": 0.0}, "must be > 0"),
            ({"partial_factor": 1.5}, "must be <= 1"),
            ({"method": "sinkhorn", "regularization": 0.0}, "must be > 0"),
            ({"method": "sinkhorn", "max_steps": 0}, "must be >= 1"),
            ({"regularization": 0.1}, "is of method 'sinkhorn'"),
            ({"max_steps": 10}, "is of method 'sinkhorn'"),
            ({"metod": "exact"}, "did you mean 'method'"),
        ],
    )
    def test_impossible_ones_are_refused_with_their_path(self, options, words):
        with pytest.raises(ConfigError, match=words) as caught:
            FlowMatching(use_optimal_transport=True, optimal_transport_kwargs=options)
        assert "optimal_transport_kwargs" in str(caught.value)

    def test_the_switch_takes_true_or_false(self):
        with pytest.raises(ConfigError, match="True or False"):
            FlowMatching(use_optimal_transport="exact")

    def test_the_library_is_imported_when_it_is_needed(self):
        code = "import sys, sbicore_flow_matching.module; sys.exit('ot' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def network(**options):
    torch.manual_seed(0)
    config = FlowMatching(subnet_kwargs={"widths": [8]}, use_optimal_transport=True, **options)
    return config.build(Shapes(target=(2,), conditions=(3,)))


def generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def seen(monkeypatch):
    """The noise that a loss uses: the path at t = 1."""
    monkeypatch.setattr("sbicore_flow_matching.module.rand", lambda shape, generator, like: like.new_zeros(shape))

    def noise(flow, targets, conditions, seed):
        met = []
        hook = flow.backbone.register_forward_pre_hook(lambda _, given: met.append(given[0]))
        flow.loss(targets, conditions, generator=generator(seed))
        hook.remove()
        return met[0]

    return noise


class TestNetwork:
    def test_paths_start_at_noise_of_the_base_in_another_order(self, seen):
        _, targets, conditions = (t.float() for t in tensors(*rows(100)))
        for base in ("normal", "student_t", {"name": "mixture", "components": 3}):
            flow = network(base_distribution=base, optimal_transport_kwargs={"condition_ratio": None})
            drawn = flow.base.sample((100, 2), generator=generator(1), like=targets)
            paired = seen(flow, targets, conditions, 1)
            torch.testing.assert_close(paired.sort(0).values, drawn.sort(0).values, rtol=0, atol=1e-4)
            assert (paired - targets).square().sum() < 0.7 * (drawn - targets).square().sum()

    @pytest.mark.parametrize("options", EVERY, ids=str)
    def test_the_generator_alone_decides(self, seen, options):
        _, targets, conditions = (t.float() for t in tensors(*rows(50)))
        flow = network(optimal_transport_kwargs=options)
        one, same, other = (seen(flow, targets, conditions, seed) for seed in (1, 1, 2))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)

    def test_validation_is_paired_as_well(self, seen):
        _, targets, conditions = (t.float() for t in tensors(*rows(50)))
        assert torch.equal(
            seen(network().train(), targets, conditions, 1), seen(network().eval(), targets, conditions, 1)
        )


def model(**options):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        **{
            "use_optimal_transport": True,
            "inference_variables": ["theta"],
            "inference_conditions": ["x"],
            **options,
        },
    )


def data(count=500):
    _, targets, conditions = rows(count)
    return {"theta": targets, "x": conditions}


def fitted(**options):
    flow = model(**options)
    history = flow.fit(data(), epochs=3, batch_size=64, seed=1, progress=False)
    return flow, history


class TestFit:
    def test_is_the_same_for_the_same_seed(self):
        states = [fitted()[0].state_dict() for _ in range(2)]
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

    @pytest.mark.parametrize(
        "options",
        [
            {"base_distribution": "mixture"},
            {"inference_conditions": None},
            {"optimal_transport_kwargs": {"method": "sinkhorn", "partial_factor": 0.5}},
        ],
        ids=str,
    )
    def test_works_for_other_bases_and_methods_and_without_conditions(self, options):
        flow, without = model(**options), "inference_conditions" in options
        rows = {"theta": data()["theta"]} if without else data()
        history = flow.fit(rows, epochs=3, batch_size=64, seed=1, progress=False)
        assert np.isfinite(history.loss).all()
        conditions = None if without else {"x": [0.0, 0.0, 0.0]}
        assert np.isfinite(flow.sample(conditions, 5, progress=False)["theta"]).all()

    def test_weights_are_refused_before_any_work(self):
        weighted = {**data(), "sample_weight": np.ones(500)}

        class Simulator:
            def sample(self, n, *, seed=None):
                return {**data(n), "sample_weight": np.ones(n)}

        for given in (weighted, Simulator(), [weighted]):
            flow = model()
            with pytest.raises(ConfigError, match="Rows cannot have weights with use_optimal_transport=True"):
                flow.fit(given, epochs=1, progress=False)
            assert not flow.is_built
        with pytest.raises(ConfigError, match="'sample_weight'"):
            model().fit(data(), validation_data=weighted, epochs=1, progress=False)
        model(use_optimal_transport=False).fit(weighted, epochs=1, progress=False)
