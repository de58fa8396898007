"""Numbers of the adapter: round trips, log|det J| against autograd, bounds, and what lies outside."""

from __future__ import annotations

import math

import pytest
import torch

from sbicore import Adapter

F64 = torch.float64

CASES = {
    "log": Adapter().log("v"),
    "log1p": Adapter().log("v", p1=True),
    "sqrt": Adapter().sqrt("v"),
    "scale": Adapter().scale("v", by=-2.5),
    "scale array": Adapter().scale("v", by=[0.5, -2.0, 3.0]),
    "shift": Adapter().shift("v", by=[1.0, -2.0, 3.0]),
    "standardize": Adapter().standardize("v", mean=[0.3, 0.2, 0.1], std=[2.0, 0.5, 0.1]),
    "both bounds": Adapter().constrain("v", lower=-0.5, upper=[1.5, 2.0, 3.0]),
    "lower bound": Adapter().constrain("v", lower=[-0.5, 0.0, -3.0]),
    "upper bound": Adapter().constrain("v", upper=1.25),
    "to_array": Adapter().to_array(),
    "convert_dtype": Adapter().convert_dtype("float32", "float64"),
    "rename": Adapter().rename("v", "w"),
    "concatenate": Adapter().concatenate("v", into="w"),
    "chain": Adapter().scale("v", by=2).constrain("v", lower=0, upper=4).rename("v", "w").shift("w", by=1),
}


def positive(*shape: int) -> torch.Tensor:
    return 0.05 + 0.9 * torch.rand(shape, dtype=F64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("leading", [(7,), (4, 5)])
@pytest.mark.parametrize("case", CASES)
def test_inverse_undoes_forward(case: str, leading: tuple[int, ...]) -> None:
    bound = CASES[case].bind({"v": (3,)})
    v = positive(*leading, 3)
    forward = bound.forward({"v": v})
    assert list(forward) == list(bound.events_out)
    back = bound.inverse(forward)
    assert list(back) == ["v"]
    torch.testing.assert_close(back["v"].to(F64), v, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_log_det_is_that_of_the_jacobian(case: str) -> None:
    bound = CASES[case].bind({"v": (3,)})
    (out,) = bound.events_out
    v = positive(2, 4, 3)
    forward, log_dets = bound.log_det({"v": v})
    torch.testing.assert_close(forward[out], bound.forward({"v": v})[out])
    if out not in log_dets:
        log_dets = {out: torch.zeros(2, 4, dtype=F64)}
    assert log_dets[out].shape == (2, 4)
    for index in ((0, 0), (0, 3), (1, 2)):
        jacobian = torch.autograd.functional.jacobian(lambda row: bound.forward({"v": row[None]})[out][0], v[index])
        torch.testing.assert_close(log_dets[out][index], torch.linalg.slogdet(jacobian)[1])


def test_log_dets_follow_their_variables_into_a_concatenation() -> None:
    adapter = (
        Adapter().log("a").scale(["b", "c"], by=3.0).rename("b", "bb").log("d").drop("d")
        .concatenate(["a", "bb"], into="ab").constrain("ab", lower=-9, upper=9)
    )  # fmt: skip
    bound = adapter.bind({"a": (), "b": (2,), "c": (2, 2), "d": ()})
    a, b, c = positive(5), positive(5, 2), positive(5, 2, 2)
    forward, log_dets = bound.log_det({"a": a, "b": b, "c": c, "d": a})
    assert set(forward) == {"ab", "c"} == set(log_dets)
    torch.testing.assert_close(log_dets["c"], torch.full((5,), 4 * math.log(3.0), dtype=F64))
    for i in range(5):
        jacobian = torch.autograd.functional.jacobian(
            lambda flat: bound.forward({"a": flat[:1], "b": flat[None, 1:]})["ab"][0],
            torch.cat([a[i : i + 1], b[i]]),
        )
        torch.testing.assert_close(log_dets["ab"][i], torch.linalg.slogdet(jacobian)[1])


def test_keep_and_untouched_variables_have_no_log_det() -> None:
    bound = Adapter().log("a").log("b").keep(["a", "c"]).bind({"a": (), "b": (), "c": ()})
    _, log_dets = bound.log_det({name: positive(3) for name in "abc"})
    assert list(log_dets) == ["a"]


def test_joined_log_det_of_parts_that_have_none_is_absent() -> None:
    bound = Adapter().concatenate(["a", "b"], into="b").bind({"a": (), "b": ()})
    assert bound.log_det({"a": positive(3), "b": positive(3)})[1] == {}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    ("lower", "upper"),
    [(0.1, 0.7), (-1e-3, 1e6), (0.1, None), (None, 0.1), (-0.7, None), (None, 1.6777e4), (1e5 + 0.1, 2e5)],
)
def test_the_inverse_never_leaves_the_bounds(lower: float | None, upper: float | None, dtype: torch.dtype) -> None:
    bound = Adapter().constrain("v", lower=lower, upper=upper).bind({"v": ()})
    extremes = torch.tensor([-math.inf, -1e4, -90.0, 0.0, 90.0, 1e4, math.inf])
    y = torch.cat([extremes, torch.linspace(-40, 40, 4001)])
    x = bound.inverse({"v": y.to(dtype)})["v"]
    assert x.dtype == dtype
    assert not x.isnan().any()
    if lower is not None:
        assert (x.double() >= lower).all()
    if upper is not None:
        assert (x.double() <= upper).all()
    assert (x[7:].diff() >= 0).all()


def test_no_bounds_are_crossed_in_float32() -> None:
    generator = torch.Generator().manual_seed(2)
    lower = 100 * torch.randn(5000, dtype=F64, generator=generator)
    upper = lower + 0.01 + torch.rand(5000, dtype=F64, generator=generator)
    bound = Adapter().constrain("v", lower=lower, upper=upper).bind({"v": (5000,)})
    y = torch.tensor([-1e4, -17.0, 0.0, 17.0, 1e4]).unsqueeze(-1).expand(5, 5000)
    x = bound.inverse({"v": y})["v"].double()
    assert (x >= lower).all()
    assert (x <= upper).all()
    assert (bound.forward({"v": torch.stack([lower, upper]).float()})["v"].isfinite()).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("lower", "upper"), [(0.1, 0.7), (0.0, 1.0), (0.1, None), (None, 0.7), (-5.0, 1e4)])
def test_a_value_on_a_bound_is_finite_and_comes_back(
    lower: float | None, upper: float | None, dtype: torch.dtype
) -> None:
    bound = Adapter().constrain("v", lower=lower, upper=upper).bind({"v": ()})
    x = torch.tensor([b for b in (lower, upper) if b is not None], dtype=dtype, requires_grad=True)
    forward, log_dets = bound.log_det({"v": x})
    assert forward["v"].isfinite().all()
    assert log_dets["v"].isfinite().all()
    tolerance = 4 * torch.finfo(dtype).eps * max(1.0, *(abs(b) for b in (lower, upper) if b is not None))
    assert (bound.inverse(forward)["v"] - x).abs().max() <= tolerance
    (gradient,) = torch.autograd.grad(forward["v"].sum() + log_dets["v"].sum(), x)
    assert gradient.isfinite().all()


def test_values_next_to_a_bound_are_not_clamped() -> None:
    bound = Adapter().constrain("v", lower=0, upper=1).bind({"v": ()})
    torch.testing.assert_close(bound.forward({"v": torch.tensor([1e-30])})["v"], torch.tensor([-69.0776]))
    near = torch.tensor([1.0]).nextafter(torch.tensor(0.0))
    assert bound.forward({"v": near})["v"] <= bound.forward({"v": torch.tensor([1.0])})["v"]


@pytest.mark.parametrize(
    ("adapter", "values", "expected"),
    [
        (Adapter().log("v"), [-1.0, 0.0, 1.0], [math.nan, -math.inf, 0.0]),
        (Adapter().log("v", p1=True), [-2.0, -1.0, 0.0], [math.nan, -math.inf, 0.0]),
        (Adapter().sqrt("v"), [-1.0, 0.0, 4.0], [math.nan, 0.0, 2.0]),
        (Adapter().constrain("v", lower=0, upper=1), [-1e-9, math.nan, 0.5], [math.nan, math.nan, 0.0]),
        (Adapter().constrain("v", lower=0, upper=1), [1.5, math.inf, -math.inf], [math.nan] * 3),
        (Adapter().constrain("v", lower=0), [-1e-9, -math.inf, math.log(2)], [math.nan, math.nan, 0.0]),
        (Adapter().constrain("v", upper=0), [1e-9, math.inf, -math.log(2)], [math.nan, math.nan, 0.0]),
    ],
)
def test_outside_the_domain_is_nan(adapter: Adapter, values: list[float], expected: list[float]) -> None:
    bound = adapter.bind({"v": ()})
    v = torch.tensor(values, dtype=F64)
    forward, log_dets = bound.log_det({"v": v})
    torch.testing.assert_close(forward["v"], torch.tensor(expected, dtype=F64), equal_nan=True)
    outside = forward["v"].isnan()
    assert log_dets["v"][outside].isnan().all()
    assert not log_dets["v"][~outside].isnan().any()


def test_one_bad_value_does_not_spoil_the_gradients_of_others() -> None:
    bound = Adapter().constrain("v", lower=0, upper=1).bind({"v": (2,)})
    v = torch.tensor([[0.5, 0.0], [2.0, 0.25]], dtype=F64, requires_grad=True)
    forward, log_dets = bound.log_det({"v": v})
    (gradient,) = torch.autograd.grad(forward["v"].nansum() + log_dets["v"].nansum(), v)
    assert gradient.isfinite().all()
    assert gradient[0, 0] == 4.0


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_all_three_maps_are_right(case: str) -> None:
    bound = CASES[case].bind({"v": (3,)})
    (out,) = bound.events_out
    v = positive(2, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: bound.forward({"v": v})[out], v)
    y = bound.forward({"v": v})[out].detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda y: bound.inverse({out: y})["v"], y)
    log_dets = bound.log_det({"v": v})[1]
    if out in log_dets and log_dets[out].requires_grad:
        assert torch.autograd.gradcheck(lambda v: bound.log_det({"v": v})[1][out], v)


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 2e-6), (F64, 1e-14)])
def test_large_values_stay_accurate_with_one_bound(dtype: torch.dtype, rtol: float) -> None:
    bound = Adapter().constrain("v", lower=0).bind({"v": ()})
    v = torch.tensor([1e-8, 1e-3, 1.0, 19.0, 21.0, 25.0, 300.0, 1e4], dtype=dtype)
    forward, log_dets = bound.log_det({"v": v})
    torch.testing.assert_close(bound.inverse(forward)["v"], v, rtol=rtol, atol=0)
    assert log_dets["v"][-1] == 0


def test_arguments_take_the_dtype_of_the_data() -> None:
    bound = Adapter().scale("v", by=[2.0, 3.0]).bind({"v": (2,)})
    for dtype in (torch.float32, F64):
        forward, log_dets = bound.log_det({"v": torch.ones(4, 2, dtype=dtype)})
        assert forward["v"].dtype == log_dets["v"].dtype == dtype


def test_inputs_are_left_as_they_were() -> None:
    v = positive(3)
    data = {"v": v}
    copy = v.clone()
    bound = Adapter().log("v").rename("v", "w").bind({"v": ()})
    bound.inverse(bound.log_det(data)[0])
    assert list(data) == ["v"]
    assert data["v"] is v
    torch.testing.assert_close(v, copy)
