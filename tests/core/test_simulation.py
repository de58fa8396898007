"""make_simulator: chaining, seeds, given variables, and an error for everything that can go wrong."""

from __future__ import annotations

import functools
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from sbicore.errors import ConfigError, DataError, ShapeError, SimulatorError
from sbicore.simulation import BLOCK, make_simulator


def prior(rng):
    return {"theta": rng.normal(size=2), "k": int(rng.integers(5))}


def likelihood(theta, rng, scale=0.1):
    return {"x": theta + scale * rng.normal(size=2)}


def many_priors(n, rng):
    return {"theta": rng.normal(size=(n, 2))}


def many_likelihoods(theta, rng):
    return {"x": theta + rng.normal(size=theta.shape)}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def head(rows, n):
    return {name: values[:n] for name, values in rows.items()}


# chaining


def test_a_chain_gives_arrays_of_n_rows():
    rows = make_simulator([prior, likelihood]).sample(7, seed=1)
    assert {name: (values.shape, values.dtype.name) for name, values in rows.items()} == {
        "theta": ((7, 2), "float32"),
        "k": ((7,), "int64"),
        "x": ((7, 2), "float32"),
    }


def test_a_later_function_receives_what_earlier_ones_made():
    rows = make_simulator([prior, lambda theta, k: {"y": theta * k}]).sample(20, seed=1)
    np.testing.assert_allclose(rows["y"], rows["theta"] * rows["k"][:, None], rtol=1e-6)


def test_values_are_passed_on_in_full_precision():
    def times():
        return {"t": 1_700_000_000.25}

    assert make_simulator([times, lambda t: {"fraction": t % 1}]).sample(1, seed=1)["fraction"] == [0.25]


@pytest.mark.parametrize("vectorized", [False, True])
def test_a_function_gets_copies_and_may_reuse_its_own_array(vectorized):
    buffer = np.zeros(1)

    def counter(n=1):
        buffer[:] += 1
        return {"count": buffer if not vectorized else np.tile(buffer, (n, 1))}

    def spoil(count):
        count *= 0
        return {"x": count}

    n = 3 if not vectorized else 2 * BLOCK
    rows = make_simulator([counter, spoil], vectorized=vectorized).sample(n, seed=1)
    assert rows["count"][[0, -1], 0].tolist() == ([1, 3] if not vectorized else [1, 2])
    assert not rows["x"].any()


def test_callables_of_all_sorts():
    class Shift:
        def __call__(self, theta):
            return {"shifted": theta + 1}

        def method(self, theta):
            return {"moved": theta + 2}

    exact = functools.partial(likelihood, scale=0.0)
    rows = make_simulator(
        [prior, Shift(), Shift().method, exact, lambda **known: {"m": len(known)}],
    ).sample(4, seed=1)
    np.testing.assert_allclose(rows["shifted"] + 1, rows["moved"], rtol=1e-6)
    assert np.array_equal(rows["theta"], rows["x"])
    assert rows["m"].tolist() == [5] * 4


def test_whatever_has_sample_makes_rows_by_itself():
    class Foreign:
        def sample(self, n, *, seed=None):
            return {"theta": np.random.default_rng(seed).normal(size=(n, 2))}

    simulator = make_simulator([Foreign(), likelihood])
    assert repr(simulator) == "Simulator(Foreign -> likelihood)"
    rows = simulator.sample(BLOCK + 10, seed=1)
    assert rows["x"].shape == (BLOCK + 10, 2)
    assert len(np.unique(rows["theta"])) == 2 * (BLOCK + 10)
    assert same(rows, simulator.sample(BLOCK + 10, seed=1))


def test_nested_simulators_keep_their_own_vectorized():
    flat = make_simulator([make_simulator(many_priors, vectorized=True), likelihood])
    nested = make_simulator([flat, make_simulator(lambda x: {"sum": x.sum(1)}, vectorized=True)])
    rows = nested.sample(BLOCK + 5, seed=4)
    np.testing.assert_allclose(rows["sum"], rows["x"].sum(1), rtol=1e-5, atol=1e-6)
    assert same(flat.sample(5, seed=4), make_simulator(flat, vectorized=True).sample(5, seed=4))


def test_vectorized_functions_receive_blocks():
    sizes = []

    def count(n):
        sizes.append(n)
        return {"n_rows": np.full(n, n)}

    rows = make_simulator(count, vectorized=True).sample(2 * BLOCK + 1, seed=1)
    assert sizes == [BLOCK, BLOCK, 1]
    assert rows["n_rows"].tolist() == [BLOCK] * (2 * BLOCK) + [1]


def test_numbers_of_all_kinds_and_rows_that_mix_them():
    def kinds(rng):
        return {"half": np.float16(1), "flag": True, "mixed": 1 if rng.random() < 0.5 else 0.5, "huge": 1e300}

    rows = make_simulator(kinds).sample(50, seed=1)
    assert [rows[name].dtype.name for name in ("half", "flag", "mixed")] == ["float32", "bool", "float32"]
    assert set(rows["mixed"]) == {np.float32(1), np.float32(0.5)}
    assert np.isinf(rows["huge"]).all()


def test_nan_is_left_to_whoever_counts_it():
    assert np.isnan(make_simulator(lambda: {"x": np.nan}).sample(2, seed=1)["x"]).all()


# seeds


@pytest.mark.parametrize("source", [[prior, likelihood], lambda: {"x": np.random.normal()}])
def test_rows_depend_on_the_seed_and_not_on_n(source):
    simulator = make_simulator(source)
    rows = simulator.sample(BLOCK + 3, seed=1)
    assert same(head(rows, 5), simulator.sample(5, seed=1))
    assert not np.array_equal(rows["x"], simulator.sample(BLOCK + 3, seed=2)["x"])
    assert len(np.unique(rows["x"])) == rows["x"].size


def test_whole_blocks_do_not_depend_on_n():
    simulator = make_simulator([many_priors, many_likelihoods], vectorized=True)
    rows = simulator.sample(2 * BLOCK + 7, seed=1)
    assert same(head(rows, 2 * BLOCK), simulator.sample(2 * BLOCK, seed=1))
    assert len(np.unique(rows["theta"])) == rows["theta"].size


def test_functions_have_streams_of_their_own():
    functions = [lambda rng: {"a": rng.normal()}, lambda rng: {"b": rng.normal()}]
    rows = make_simulator(functions).sample(2_000, seed=1)
    assert abs(np.corrcoef(rows["a"], rows["b"])[0, 1]) < 5 / np.sqrt(2_000)


def test_global_generators_are_seeded_and_put_back():
    def draws():
        return {"x": [random.random(), np.random.random(), torch.rand(()).item()]}

    def states():
        return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()

    def fails():
        draws()
        raise ValueError

    before = states()
    simulator = make_simulator(draws)
    rows = simulator.sample(3, seed=1)
    assert states() == before
    assert len(np.unique(rows["x"])) == 9
    assert same(rows, simulator.sample(3, seed=1))
    with pytest.raises(SimulatorError):
        make_simulator(fails).sample(3, seed=1)
    assert states() == before


def test_without_a_seed_torch_decides():
    simulator = make_simulator(prior)
    torch.manual_seed(5)
    one, two = simulator.sample(3), simulator.sample(3)
    torch.manual_seed(5)
    assert same(one, simulator.sample(3))
    assert not np.array_equal(one["theta"], two["theta"])


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigError, match="seed"):
        make_simulator(prior).sample(3, seed=seed)


def test_importing_it_imports_numpy_at_most():
    code = "import sbicore.simulation, sys; print({'torch', 'attrs', 'tqdm', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# given


@pytest.mark.parametrize("vectorized", [False, True])
def test_given_variables_replace_what_functions_make(vectorized):
    calls = []

    def first(rng, n=1):
        calls.append(n)
        return {"theta": rng.normal(size=(n, 2) if vectorized else 2)}

    theta = np.arange(2.0 * (BLOCK + 2)).reshape(-1, 2)
    simulator = make_simulator([first, functools.partial(likelihood, scale=0)], vectorized=vectorized)
    rows = simulator.sample(len(theta), seed=1, given={"theta": theta})
    assert np.array_equal(rows["x"], theta.astype(np.float32))
    assert np.array_equal(rows["theta"], rows["x"])
    assert len(calls) == 1


def test_the_same_seed_gives_the_same_noise_around_given_values():
    simulator = make_simulator([prior, likelihood])
    rows = simulator.sample(5, seed=1)
    again = simulator.sample(5, seed=1, given={"theta": rows["theta"]})
    np.testing.assert_allclose(again["x"], rows["x"], rtol=1e-5)
    assert np.array_equal(again["k"], rows["k"])


def test_an_argument_may_come_from_given_alone():
    rows = make_simulator(likelihood).sample(2, seed=1, given={"theta": torch.zeros(2, 2)})
    assert rows["x"].shape == (2, 2)


def test_given_must_have_n_rows_and_a_known_name():
    simulator = make_simulator([prior, likelihood])
    with pytest.raises(ShapeError, match=r"theta has shape \(3, 2\), expected \(4, ...\)"):
        simulator.sample(4, seed=1, given={"theta": np.zeros((3, 2))})
    with pytest.raises(DataError, match="did you mean 'theta'"):
        simulator.sample(4, seed=1, given={"thta": np.zeros((4, 2))})
    with pytest.raises(SimulatorError, match="dtype object"):
        simulator.sample(1, seed=1, given={"theta": [None]})


# errors


def raises(error, source, *fragments, vectorized=False, n=3):
    with pytest.raises(error) as caught:
        make_simulator(source, vectorized=vectorized).sample(n, seed=7)
    message = str(caught.value)
    assert len(message.split("\n")) <= 3
    for fragment in fragments:
        assert fragment in message
    return caught.value


@pytest.mark.parametrize("n", [0, -1, 2.0, True, None, "3"])
def test_n_is_a_positive_whole_number(n):
    raises(DataError, prior, "n must be", n=n)


def test_numpy_integers_will_do():
    assert len(make_simulator(prior).sample(np.int64(3), seed=np.int32(1))["k"]) == 3


def test_a_function_that_raises_is_named_with_its_row():
    def fails(k):
        raise ZeroDivisionError("k is two\nor more")

    message = "fails raised ZeroDivisionError in row 0 (seed 7): k is two\nIt received: k="
    error = raises(SimulatorError, [lambda: {"k": 2}, fails], message)
    assert isinstance(error.__cause__, ZeroDivisionError)

    def fails_later(rng, counts=[]):  # noqa: B006
        counts.append(1)
        return {"x": 1 // (5 - len(counts))}

    raises(SimulatorError, fails_later, "in row 4 ", n=9)


@pytest.mark.parametrize("result", [None, 1.0, np.zeros(3), {}, {1: 2}, [("x", 1)]])
def test_a_function_returns_a_dict(result):
    def odd():
        return result

    raises(SimulatorError, odd, "odd returned", "not a dict")


@pytest.mark.parametrize("value", ["text", None, object(), 1j, [[1], [1, 2]], np.array([None])])
def test_variables_are_real_numbers(value):
    raises(SimulatorError, lambda: {"x": value}, "x, returned by", "Make it a real number")


def test_rows_have_one_shape():
    def ragged(rng, lengths=iter([2, 2, 3])):  # noqa: B008
        return {"x": np.zeros((1, next(lengths)))}

    error = raises(ShapeError, ragged, "ragged returned x with shape (1, 3) in row 2", "(1, 2) before")
    assert (error.variable, error.expected, error.got) == ("x", (1, 2), (1, 3))


def test_rows_may_differ_in_length():
    def ragged(rng):
        return {"x": rng.normal(size=rng.integers(1, 4))}

    simulator = make_simulator(ragged)
    many = simulator.sample(1500, seed=1)["x"]
    assert many.shape == (1500,)
    assert {row.shape for row in many} == {(1,), (2,), (3,)}
    for one, other in zip(simulator.sample(5, seed=1)["x"], many, strict=False):
        np.testing.assert_array_equal(one, other)


def test_rows_have_the_same_variables():
    def fickle(rng):
        return {"a" if rng.random() < 0.5 else "b": 1}

    raises(SimulatorError, fickle, "Before it had returned", n=50)


def test_an_argument_that_nobody_makes():
    raises(SimulatorError, [prior, lambda thta: {"x": thta}], "'thta'", "did you mean 'theta'", "theta, k")
    raises(SimulatorError, lambda rng, n: {"x": n}, "'n'", "vectorized=True")


def test_two_functions_of_one_variable():
    raises(SimulatorError, [prior, lambda: {"theta": 1.0}], "prior and <lambda> both make theta")
    simulator = make_simulator(prior)
    raises(SimulatorError, [simulator, simulator], "both make")


@pytest.mark.parametrize("shape", [(), (14,), (3, 2, 2)])
def test_vectorized_functions_return_n_rows(shape):
    def wrong(n):
        return {"x": np.zeros(shape)}

    message = f"wrong returned x with shape {shape}"
    error = raises(ShapeError, wrong, message, "(4, ...)", vectorized=True, n=4)
    assert error.variable == "x"


def test_vectorized_functions_keep_the_shape_of_a_row():
    def wrong(n):
        return {"x": np.zeros((n, 2 if n == BLOCK else 3))}

    raises(ShapeError, wrong, "(3,)", "(2,)", vectorized=True, n=BLOCK + 1)


def test_a_vectorized_function_must_know_how_many_rows():
    raises(SimulatorError, lambda rng, scale=1: {"x": 1}, "neither `n` nor a variable", vectorized=True)


def test_names_with_a_meaning_of_their_own():
    raises(SimulatorError, lambda: {"rng": 1}, "'rng'")
    raises(SimulatorError, lambda n: {"n": np.zeros(n)}, "'n'", vectorized=True)
    later = make_simulator(lambda n: {"x": np.zeros(n)}, vectorized=True)
    raises(SimulatorError, [lambda: {"n": 5}, later], "variable n")
    rows = make_simulator([lambda: {"n": 5}, lambda n: {"x": np.zeros(n)}]).sample(2, seed=1)
    assert rows["x"].shape == (2, 5)


@pytest.mark.parametrize("source", [[], 3, "prior", [prior, None], int, lambda theta, /: {"x": theta}])
def test_only_functions_can_be_run(source):
    raises(SimulatorError, source)


def test_progress_is_shown_on_request(capsys):
    make_simulator([prior, likelihood]).sample(3, seed=1)
    assert capsys.readouterr().err == ""
    make_simulator([prior, likelihood]).sample(3, seed=1, progress=True)
    assert "3.0/3.0" in capsys.readouterr().err
