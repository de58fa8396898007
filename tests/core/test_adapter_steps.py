"""What single steps make of shapes, categories, missing values and functions, and what they refuse."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sbicore import Adapter
from sbicore.errors import ConfigError, DataError, SbicoreError, ShapeError

F64 = torch.float64

SHAPES: list[tuple[Adapter, tuple[int, ...], tuple[int, ...]]] = [
    (Adapter().as_set("v"), (), (1, 1)),
    (Adapter().as_set("v"), (5,), (5, 1)),
    (Adapter().as_set("v"), (5, 3), (5, 3)),
    (Adapter().as_time_series("v"), (5,), (5, 1)),
    (Adapter().expand_dims("v", axis=0), (5,), (1, 5)),
    (Adapter().expand_dims("v", axis=1), (4, 3), (4, 1, 3)),
    (Adapter().expand_dims("v", axis=-1), (), (1,)),
    (Adapter().squeeze("v", axis=0), (1, 5), (5,)),
    (Adapter().squeeze("v", axis=-1), (1,), ()),
    (Adapter().take("v", [3, 1]), (5,), (2,)),
    (Adapter().take("v", [-1], axis=0), (5, 3), (1, 3)),
    (Adapter().one_hot("v", 3), (), (3,)),
    (Adapter().one_hot("v", 3), (5,), (5, 3)),
    (Adapter().as_simplex("v"), (5,), (4,)),
    (Adapter().as_covariance_matrix("v"), (2, 3, 3), (2, 6)),
    (Adapter().as_correlation_matrix("v"), (3, 3), (3,)),
    (Adapter().broadcast("v", to="im"), (), (4, 5, 1)),
    (Adapter().broadcast("v", to="im"), (3,), (4, 5, 3)),
    (Adapter().broadcast("v", to="im"), (1, 3), (4, 5, 3)),
    (Adapter().broadcast("v", to="im", exclude=None), (), (4, 5, 2)),
    (Adapter().broadcast("v", to="im", expand="right", exclude=0), (7,), (7, 5, 2)),
    (Adapter().broadcast("v", to="im", expand="right"), (4,), (4, 5, 1)),
    (Adapter().broadcast("v", to="im", expand=1), (4, 3), (4, 5, 3)),
    (Adapter().broadcast("v", to="im", expand=(0, -1), exclude=None), (5,), (4, 5, 2)),
]


@pytest.mark.parametrize(("adapter", "before", "after"), SHAPES)
@pytest.mark.parametrize("leading", [(), (6,), (2, 3)])
def test_shapes(adapter: Adapter, before: tuple[int, ...], after: tuple[int, ...], leading: tuple[int, ...]) -> None:
    bound = adapter.bind({"v": before, "im": (4, 5, 2)})
    assert bound.events_out["v"] == after
    forward = bound.forward({"v": torch.ones((*leading, *before))})["v"]
    assert forward.shape == (*leading, *after)
    if "take" not in repr(adapter):
        assert bound.inverse({"v": forward})["v"].shape == (*leading, *before)


UNFIT: list[tuple[Adapter, str]] = [
    (Adapter().squeeze("v", axis=0), "step 1 (squeeze) needs an axis of length 1; 'v' has shape (3,)"),
    (Adapter().squeeze("v", axis=1), "needs an axis of length 1"),
    (Adapter().expand_dims("v", axis=3), "needs an event with enough axes; 'v' has shape (3,)"),
    (Adapter().take("v", [3]), "step 1 (take) needs an axis that has these indices; 'v' has shape (3,)"),
    (Adapter().take("v", [2, -1]), "needs an axis that has these indices"),
    (Adapter().take("v", [0], axis=1), "needs an axis that has these indices"),
    (Adapter().as_simplex("s"), "(as_simplex) needs an axis of at least 2 shares; 's' has shape (1,)"),
    (Adapter().as_covariance_matrix("v"), "needs square matrices as the last two axes; 'v' has shape (3,)"),
    (Adapter().as_covariance_matrix("im"), "needs square matrices as the last two axes; 'im' has shape (4, 5, 2)"),
    (Adapter().as_precision_matrix("v"), "step 1 (as_precision_matrix) needs square matrices"),
    (Adapter().as_correlation_matrix("im"), "needs square matrices of at least 2 rows"),
    (Adapter().split("v", ["a", "b"], 2), "cannot cut axis -1 of 'v', which has shape (3,), by 2"),
    (Adapter().split("v", ["a", "b"], [3]), "cannot cut axis -1 of 'v', which has shape (3,), by (3,)"),
    (Adapter().split("v", ["a", "b"], [1], axis=2), "cannot cut axis 2"),
    (Adapter().broadcast("v", "im", expand="right"), "cannot repeat 'v' of shape (3,) along 'im' of shape (4, 5, 2)"),
    (Adapter().broadcast("im", "v"), "and 0 new ones are needed"),
    (Adapter().broadcast("v", "im", expand=(0, 0)), "expand=(0, 0), exclude=-1"),
    (Adapter().apply("im", "torch.linalg:vector_norm"), "(apply) got () from 'torch.linalg:vector_norm' for 'im'"),
]


@pytest.mark.parametrize(("adapter", "message"), UNFIT)
def test_shapes_that_a_step_cannot_take(adapter: Adapter, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        adapter.bind({"v": (3,), "s": (1,), "im": (4, 5, 2)})
    assert message in str(caught.value)
    assert len(str(caught.value).split("\n")) <= 3


BAD: list[tuple[Any, str]] = [
    (lambda a: a.constrain("v", 0, 1, method="softplus"), "'softplus' is not for two bounds  @ $.constrain"),
    (lambda a: a.constrain("v", 0, method="logit"), "'logit' is not for one bound  @ $.constrain.method\nChoices: sof"),
    (lambda a: a.constrain("v", 0, method="sofplus"), "did you mean 'softplus'?"),
    (lambda a: a.constrain("v", 0, inclusive="upp"), "unknown choice 'upp'  @ $.constrain.inclusive\nChoices: both"),
    (lambda a: a.constrain("v", 0, epsilon=0), "must be > 0, got 0.0  @ $.constrain.epsilon"),
    (lambda a: a.one_hot("v"), "takes num_classes or categories, one of the two"),
    (lambda a: a.one_hot("v", 3, [1, 2, 3]), "takes num_classes or categories, one of the two"),
    (lambda a: a.one_hot("v", 1), "must be >= 2, got 1  @ $.one_hot.num_classes"),
    (lambda a: a.one_hot("v", categories=[1, 1]), "expected two or more different categories, got [1, 1]"),
    (lambda a: a.take("v", []), "must not be empty  @ $.take.indices"),
    (lambda a: a.take("v", [0, 0]), "0 is given twice"),
    (lambda a: a.take("v", [0.5]), "expected whole numbers, got 0.5"),
    (lambda a: a.split("v", ["a"], 2), "makes 2 parts, and into names 1  @ $.split.indices_or_sections"),
    (lambda a: a.split("v", ["a", "b"], [0]), "must increase from above 0, got [0]"),
    (lambda a: a.split("v", ["a", "b"], "2"), "expected a number of parts or where to cut, got '2'"),
    (lambda a: a.broadcast("v", "im", expand="up"), "expected 'left', 'right' or axes, got 'up'  @ $.broadcast.expand"),
    (lambda a: a.as_covariance_matrix("v", diag_kwargs={"lower": 1}), "'lower' is settled: the diagonal is above 0"),
    (lambda a: a.as_covariance_matrix("v", diag_kwargs={"method": "logit"}), "@ $.as_covariance_matrix.diag_kwargs"),
    (lambda a: a.apply("v", "expp"), "unknown function 'expp'; did you mean 'exp'?"),
    (lambda a: a.apply("v", lambda x: x), "which has no name to save it under and find it again: nothing is pickled"),
    (lambda a: a.apply("v", "exp", inverse=lambda x: x), "nothing is pickled  @ $.apply.inverse\nDefine it in a mod"),
    (lambda a: a.apply("v", torch.ones(3).log), "nothing is pickled  @ $.apply.forward"),
    (lambda a: a.apply("v", 3), "expected the name of a function, got 3"),
    (lambda a: a.apply("v", "nowhere:f"), "cannot import 'nowhere:f': No module named 'nowhere'"),
    (lambda a: a.apply("v", "math:nothing"), "It must be where it was, as 'nothing' in the module 'math'."),
    (lambda a: a.apply("v", "math:pi"), "'math:pi' is no function but float"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "message"), BAD)
def test_bad_arguments_are_refused_at_once(build: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Adapter())
    assert message in str(caught.value)
    assert len(str(caught.value).split("\n")) <= 3


def test_split_cuts_as_numpy_does() -> None:
    x = torch.arange(24.0).reshape(2, 3, 4)
    for cuts, axis, names in ((2, -1, "ab"), ([1, 3], 1, "abc"), ([1], 0, "ab")):
        bound = Adapter().split("v", list(names), cuts, axis=axis).bind({"v": (3, 4)})
        parts = bound.forward({"v": x})
        for name, part in zip(names, np.split(x.numpy(), cuts, axis=axis + 1 if axis >= 0 else axis), strict=True):
            assert torch.equal(parts[name], torch.as_tensor(part))
            assert part.shape[1:] == bound.events_out[name]
        assert torch.equal(bound.inverse(parts)["v"], x)
    with pytest.raises(DataError, match=r"step 1 \(split\) needs 'b'\nFound: a"):
        bound.inverse({"a": torch.ones(1, 4)})
    with pytest.raises(DataError, match="would overwrite 'x'"):
        Adapter().split("v", ["x", "y"], 2).bind({"v": (2,), "x": ()})


def test_take_cannot_bring_back_what_it_left_out() -> None:
    bound = Adapter().take("v", [0, 2]).bind({"v": (3,), "w": ()})
    assert bound.inverse({"w": torch.ones(2)}).keys() == {"w"}
    with pytest.raises(DataError, match=r"step 1 \(take\) cannot bring back what it leaves out of 'v'"):
        bound.inverse({"v": torch.ones(5, 2)})


def test_broadcast_repeats_along_the_other_axes() -> None:
    bound = Adapter().broadcast("v", to="im", expand=1).bind({"v": (4, 3), "im": (4, 5, 2)})
    v = torch.randn(6, 4, 3)
    forward = bound.forward({"v": v})["v"]
    assert torch.equal(forward, v[:, :, None].expand(6, 4, 5, 3))
    assert torch.equal(bound.inverse({"v": forward})["v"], v)


def test_categories() -> None:
    bound = Adapter().one_hot("v", categories=[5, -1, 7]).bind({"v": ()})
    v = torch.tensor([7, 5, -1, 5])
    forward = bound.forward({"v": v})["v"]
    assert torch.equal(forward, torch.eye(3)[[2, 0, 1, 0]])
    assert torch.equal(bound.inverse({"v": forward + 0.3 * torch.rand(4, 3)})["v"], v.float())
    missing = bound.forward({"v": torch.tensor([math.nan, 5.0])})["v"]
    assert missing[0].isnan().all()
    assert torch.equal(missing[1], torch.tensor([1.0, 0.0, 0.0]))


@pytest.mark.parametrize(
    ("adapter", "values", "message"),
    [
        (Adapter().one_hot("v", 3), [0.0, 3.0, 2.0, 8.0], "does not know 3, 8 of 'v'\nKnown categories: 0, 1, 2"),
        (Adapter().one_hot("v", 3), [0.5], "does not know 0.5 of 'v'"),
        (Adapter().one_hot("v", categories=[4, 2]), [1.0], "Known categories: 4, 2"),
        (Adapter().one_hot("v", 100), [-1.0], "Known categories: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..., 95"),
    ],
)
def test_categories_never_seen(adapter: Adapter, values: list[float], message: str) -> None:
    with pytest.raises(DataError) as caught:
        adapter.bind({"v": ()}).forward({"v": torch.tensor(values)})
    assert message in str(caught.value)
    assert len(str(caught.value).split("\n")) <= 3


def test_nan_is_replaced_and_told() -> None:
    v = torch.tensor([[1.0, math.nan], [math.inf, 0.0]])
    bound = Adapter().nan_to_num("v", default_value=-9.0).bind({"v": (2,)})
    assert torch.equal(bound.forward({"v": v})["v"], torch.tensor([[1.0, -9.0], [math.inf, 0.0]]))
    bound = Adapter().nan_to_num("v", return_mask=True).bind({"v": (2,), "w": ()})
    assert bound.events_out == {"v": (2,), "w": (), "mask_v": (2,)}
    forward = bound.forward({"v": v})
    assert torch.equal(forward["mask_v"], torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    back = bound.inverse(forward)
    assert list(back) == ["v"]
    torch.testing.assert_close(back["v"], v, equal_nan=True)
    assert bound.forward({"w": torch.ones(2)}).keys() == {"w"}
    assert not bound.inverse({"v": forward["v"]})["v"].isnan().any()
    with pytest.raises(DataError, match="would overwrite 'mask_v'\nChoose another mask_prefix"):
        Adapter().nan_to_num("v", return_mask=True).bind({"v": (), "mask_v": ()})


MATRICES = {
    "not symmetric": [[2.0, 0.5], [0.1, 2.0]],
    "not positive definite": [[1.0, 2.0], [2.0, 1.0]],
    "singular": [[1.0, 1.0], [1.0, 1.0]],
    "not finite": [[math.nan, 0.0], [0.0, 1.0]],
    "infinite": [[math.inf, 0.0], [0.0, 1.0]],
}


@pytest.mark.parametrize("method", ["as_covariance_matrix", "as_precision_matrix", "as_correlation_matrix"])
@pytest.mark.parametrize("bad", [*MATRICES, "factor", "diagonal"])
def test_other_matrices_become_nan_and_spoil_nothing(method: str, bad: str) -> None:
    cholesky = bad in ("factor", "diagonal")
    bound = getattr(Adapter(), method)("v", cholesky=cholesky).bind({"v": (2, 2)})
    other = {"factor": [[1.0, 0.2], [0.0, 1.0]], "diagonal": [[1.0, 0.0], [0.0, -1.0]], **MATRICES}[bad]
    v = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], other], dtype=F64, requires_grad=True)
    forward, log_dets = bound.log_det({"v": v})
    assert forward["v"][0].isfinite().all()
    assert forward["v"][1].isnan().all()
    assert log_dets["v"].isnan().tolist() == [False, True]
    (gradient,) = torch.autograd.grad(forward["v"].nansum() + log_dets["v"].nansum(), v)
    assert gradient[0].isfinite().all()


def test_a_covariance_is_no_correlation_and_shares_add_up() -> None:
    v = 2 * torch.eye(3)
    assert Adapter().as_correlation_matrix("v").bind({"v": (3, 3)}).forward({"v": v})["v"].isnan().all()
    shares = torch.tensor([[0.2, 0.8], [0.2, 0.7], [0.0, 1.0], [-0.1, 1.1], [math.nan, 1.0]])
    for method in ("simplex", "stick"):
        bound = Adapter().as_simplex("v", method=method).bind({"v": (2,)})
        forward, log_dets = bound.log_det({"v": shares})
        assert forward["v"].isnan().any(-1).tolist() == [False, True, True, True, True]
        assert log_dets["v"].isnan().tolist() == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("inclusive", "finite"),
    [("both", "11"), (True, "11"), ("lower", "10"), ("upper", "01"), ("none", "00"), (None, "00"), (False, "00")],
)
@pytest.mark.parametrize("epsilon", [None, 1e-3])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_bounds_that_are_possible_values(
    inclusive: Any, finite: str, epsilon: float | None, dtype: torch.dtype
) -> None:
    bound = Adapter().constrain("v", -0.7, 0.1, inclusive=inclusive, epsilon=epsilon).bind({"v": ()})
    ends = torch.tensor([-0.7, 0.1], dtype=dtype)
    y = bound.forward({"v": ends})["v"]
    assert [str(int(value)) for value in y.isfinite()] == list(finite)
    for end, value in zip(ends, y, strict=True):
        if value.isfinite():
            torch.testing.assert_close(bound.inverse({"v": value})["v"], end, rtol=0, atol=1e-6)
            assert epsilon is None or value.abs() < math.log(0.802 / epsilon)
    x = bound.inverse({"v": torch.tensor([-1e4, -20.0, 20.0, 1e4], dtype=dtype)})["v"].double()
    assert ((x >= -0.7) & (x <= 0.1)).all()
    if "lower" not in str(inclusive) and finite[0] == "0":
        assert (x > -0.7).all()
    if finite[1] == "0":
        assert (x < 0.1).all()


def test_values_between_a_bound_and_where_epsilon_moved_it_end_on_the_bound() -> None:
    bound = Adapter().constrain("v", lower=0, method="exp", epsilon=0.5).bind({"v": ()})
    torch.testing.assert_close(bound.forward({"v": torch.tensor(0.0)})["v"], torch.tensor(math.log(0.5)))
    assert bound.inverse({"v": torch.tensor([-9.0, math.log(0.4)])})["v"].tolist() == [0.0, 0.0]


def test_types_stay_where_nothing_is_computed() -> None:
    v = torch.arange(6).reshape(2, 3)
    for adapter in (Adapter().expand_dims("v", 0), Adapter().as_set("v"), Adapter().take("v", [1])):
        assert adapter.bind({"v": (3,)}).forward({"v": v})["v"].dtype == torch.int64
    assert Adapter().map_dtype("v", "int32").bind({"v": (3,)}).forward({"v": v})["v"].dtype == torch.int32


class TestFunctions:
    @pytest.fixture
    def module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "functions_of_mine.py"
        path.write_text(
            "import torch\n"
            "def cube(x): return x**3\n"
            "def root(y): return y.sign() * y.abs() ** (1 / 3)\n"
            "def moments(x): return torch.stack([x.mean(-1), x.std(-1)], dim=-1)\n"
            "def broken(x): raise ValueError('no such thing')\n"
            "def cumulated(x): return x.sum(-1)\n"
            "def array(x): return x.numpy()\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "functions_of_mine", raising=False)
        return path

    @pytest.mark.parametrize(
        "name", ["exp", "log1p", "sqrt", "square", "tan", "sinh", "tanh", "logit", "erf", "reciprocal", "negative"]
    )
    def test_pairs(self, name: str) -> None:
        bound = Adapter().apply("v", name).bind({"v": (2,)})
        v = torch.tensor([[0.1, 0.7], [0.9, 0.5]], dtype=F64)
        torch.testing.assert_close(bound.inverse(bound.forward({"v": v}))["v"], v)

    def test_yours_by_path_or_by_itself(self, module: Path) -> None:
        adapter = Adapter().apply("v", "functions_of_mine:cube", "functions_of_mine:root", elementwise=True)
        import functions_of_mine  # type: ignore[import-not-found]

        assert adapter == Adapter().apply("v", functions_of_mine.cube, functions_of_mine.root, elementwise=True)
        assert Adapter.from_list(json.loads(json.dumps(adapter.to_list()))) == adapter
        bound = adapter.bind({"v": (2,)})
        v = torch.tensor([[-2.0, 0.5]], dtype=F64)
        forward, log_dets = bound.log_det({"v": v})
        torch.testing.assert_close(log_dets["v"], (3 * v.square()).log().sum(-1))
        torch.testing.assert_close(bound.inverse(forward)["v"], v)
        with torch.inference_mode():
            torch.testing.assert_close(bound.log_det({"v": v.clone()})[1]["v"], log_dets["v"])

    def test_a_function_that_is_gone_is_named(self, module: Path) -> None:
        saved = Adapter().apply("v", "functions_of_mine:cube").to_list()
        del sys.modules["functions_of_mine"]
        module.write_text("")
        with pytest.raises(ConfigError) as caught:
            Adapter.from_list(saved)
        assert "cannot import 'functions_of_mine:cube'" in str(caught.value)
        assert "@ $.0.apply.forward" in str(caught.value)

    def test_shapes_follow_and_what_is_unknown_is_refused(self, module: Path) -> None:
        bound = Adapter().apply("v", "functions_of_mine:moments").bind({"v": (5, 4)})
        assert bound.events_out == {"v": (5, 2)}
        v = torch.randn(3, 5, 4)
        assert bound.forward({"v": v})["v"].shape == (3, 5, 2)
        with pytest.raises(DataError, match="cannot undo 'functions_of_mine:moments' of 'v'\nGive inverse="):
            bound.inverse({"v": torch.ones(3, 5, 2)})
        with pytest.raises(DataError, match="does not know the volume of 'functions_of_mine:moments'"):
            bound.log_det({"v": v})
        with pytest.raises(DataError, match=r"step 1 \(apply\) fails in .* of 'v': ValueError: no such thing"):
            Adapter().apply("v", "functions_of_mine:broken").bind({"v": ()})
        told = r"got ndarray from 'functions_of_mine:array' of 'v', not a tensor\n.*operations of torch"
        with pytest.raises(DataError, match=told):
            Adapter().apply("v", "functions_of_mine:array").bind({"v": (2,)})
        with pytest.raises(ShapeError, match="An elementwise function keeps the shape"):
            Adapter().apply("v", "functions_of_mine:cumulated", elementwise=True).bind({"v": (2,)}).forward(
                {"v": torch.ones(3, 2)}
            )

    @pytest.mark.parametrize("given", [torch.log1p, np.log1p, "log1p"])
    def test_functions_of_torch_and_numpy_go_by_their_names(self, given: Any) -> None:
        assert Adapter().apply("v", given) == Adapter().apply("v", "log1p")

    def test_integers_are_computed_with_as_floats(self) -> None:
        forward = Adapter().apply("v", "exp").bind({"v": ()}).forward({"v": torch.tensor([0, 1])})["v"]
        torch.testing.assert_close(forward, torch.tensor([1.0, math.e]))


def test_building_any_step_needs_no_torch() -> None:
    code = (
        "import sys; from sbicore import Adapter\n"
        "a = Adapter().apply('a', 'exp').as_simplex('b').as_covariance_matrix('c').one_hot('d', 3).as_set('a')\n"
        "a.broadcast('a', 'c').nan_to_num('b', return_mask=True).split('d', ['e', 'f'], [1]).take('b', [0])\n"
        "a = Adapter().apply('a', 'exp').as_simplex('b').as_covariance_matrix('c').one_hot('d', 3)\n"
        "assert a.bind({'a': (), 'b': (3,), 'c': (2, 2), 'd': ()}).events_out['c'] == (3,)\n"
        "assert Adapter.from_list(a.to_list()) == a and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["one_hot", "split", "take", "broadcast", "as_set", "nan_to_num", "apply"])
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    adapters: dict[str, Adapter] = {
        "one_hot": Adapter().one_hot("thta", 3),
        "split": Adapter().split("thta", ["a", "b"], 2),
        "take": Adapter().take("thta", [0]),
        "broadcast": Adapter().broadcast("theta", to="thta"),
        "as_set": Adapter().as_set("thta"),
        "nan_to_num": Adapter().nan_to_num("thta"),
        "apply": Adapter().apply("thta", "exp"),
    }
    with pytest.raises(SbicoreError, match=rf"step 1 \({name}\) needs 'thta'; did you mean 'theta'\?\nFound: theta"):
        adapters[name].bind({"theta": (2,)})
