"""Steps that map whole variables: round trips and log|det J| against autograd, from several shapes and values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from sbicore import Adapter

F64 = torch.float64


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def uniform(*shape: int) -> Tensor:
    return 0.05 + 0.9 * torch.rand(shape, dtype=F64, generator=generator())


def shares(*shape: int) -> Tensor:
    x = torch.randn(shape, dtype=F64, generator=generator()).exp()
    return x / x.sum(-1, keepdim=True)


def shares_in_front(*shape: int) -> Tensor:
    return shares(*shape[:-2], shape[-1], shape[-2]).mT.contiguous()


def covariances(*shape: int) -> Tensor:
    a = torch.randn(shape, dtype=F64, generator=generator())
    return a @ a.mT + 0.3 * torch.eye(shape[-1], dtype=F64)


def correlations(*shape: int) -> Tensor:
    x = covariances(*shape)
    scale = x.diagonal(dim1=-2, dim2=-1).sqrt()
    return x / scale[..., None] / scale[..., None, :]


def factors(*shape: int) -> Tensor:
    return torch.linalg.cholesky(covariances(*shape))


def correlation_factors(*shape: int) -> Tensor:
    return torch.linalg.cholesky(correlations(*shape))


def below(x: Tensor, offset: int) -> Tensor:
    i, j = torch.tril_indices(x.shape[-1], x.shape[-1], offset)
    return x[..., i, j]


def lower(free: Tensor, size: int, offset: int) -> Tensor:
    i, j = torch.tril_indices(size, size, offset)
    return torch.zeros(size, size, dtype=free.dtype).index_put((i, j), free)


def symmetric(free: Tensor, size: int) -> Tensor:
    x = lower(free, size, 0)
    return x + x.tril(-1).T


def unit_rows(free: Tensor, size: int) -> Tensor:
    x = lower(free, size, -1)
    return x + (1 - x.square().sum(-1)).sqrt().diag()


def ones_on_diagonal(free: Tensor, size: int) -> Tensor:
    x = lower(free, size, -1)
    return x + x.T + torch.eye(size, dtype=free.dtype)


@dataclass
class Case:
    adapter: Adapter
    event: tuple[int, ...]
    make: Callable[..., Tensor] = uniform
    free: Callable[[Tensor], Tensor] = Tensor.flatten
    full: Callable[[Tensor, tuple[int, ...]], Tensor] = torch.reshape


def matrix(adapter: Adapter, size: int, make: Callable[..., Tensor], offset: int, full: Callable[..., Tensor]) -> Case:
    return Case(adapter, (size, size), make, lambda x: below(x, offset), lambda free, _: full(free, size))


def simplex(size: int, **arguments: str) -> Case:
    return Case(
        Adapter().as_simplex("v", **arguments),
        (size,),
        shares,
        lambda x: x[:-1],
        lambda free, _: torch.cat([free, 1 - free.sum(-1, keepdim=True)]),
    )


CASES = {
    "constrain exp": Case(Adapter().constrain("v", lower=[-0.5, 0.0, -3.0], method="exp"), (3,)),
    "constrain upper log": Case(Adapter().constrain("v", upper=1.25, method="log"), (3,)),
    "constrain open": Case(Adapter().constrain("v", lower=0, upper=1, inclusive="none"), (2, 2)),
    "constrain epsilon": Case(Adapter().constrain("v", lower=0, upper=[1, 2, 3], epsilon=0.01), (3,)),
    "constrain epsilon at lower": Case(Adapter().constrain("v", 0, 2, inclusive="lower", epsilon=0.1), ()),
    "constrain epsilon, one bound": Case(Adapter().constrain("v", lower=0, method="exp", epsilon=0.1), (2,)),
    "constrain epsilon, upper": Case(Adapter().constrain("v", upper=1, epsilon=0.1), (2,)),
    "simplex of 2": simplex(2),
    "simplex of 5": simplex(5, method="simplex"),
    "stick of 2": simplex(2, method="stick"),
    "stick of 5": simplex(5, method="stick"),
    "simplex axis": Case(
        Adapter().as_simplex("v", axis=0),
        (4, 3),
        shares_in_front,
        lambda x: x[:-1].flatten(),
        lambda free, _: torch.cat([free.reshape(3, 3), 1 - free.reshape(3, 3).sum(0, keepdim=True)]),
    ),
    "stick axis": Case(
        Adapter().as_simplex("v", axis=-2, method="stick"),
        (4, 3),
        shares_in_front,
        lambda x: x[:-1].flatten(),
        lambda free, _: torch.cat([free.reshape(3, 3), 1 - free.reshape(3, 3).sum(0, keepdim=True)]),
    ),
    "covariance of 1": matrix(Adapter().as_covariance_matrix("v"), 1, covariances, 0, symmetric),
    "covariance of 4": matrix(Adapter().as_covariance_matrix("v"), 4, covariances, 0, symmetric),
    "covariance exp": matrix(
        Adapter().as_covariance_matrix("v", diag_kwargs={"method": "exp"}), 3, covariances, 0, symmetric
    ),
    "covariance factor": matrix(Adapter().as_covariance_matrix("v", cholesky=True), 3, factors, 0, lower_all := (
        lambda free, size: lower(free, size, 0)
    )),
    "precision of 4": matrix(Adapter().as_precision_matrix("v"), 4, covariances, 0, symmetric),
    "precision factor": matrix(Adapter().as_precision_matrix("v", cholesky=True), 3, factors, 0, lower_all),
    "correlation of 2": matrix(Adapter().as_correlation_matrix("v"), 2, correlations, -1, ones_on_diagonal),
    "correlation of 5": matrix(Adapter().as_correlation_matrix("v"), 5, correlations, -1, ones_on_diagonal),
    "correlation factor": matrix(
        Adapter().as_correlation_matrix("v", cholesky=True), 4, correlation_factors, -1, unit_rows
    ),
    "apply": Case(Adapter().apply("v", "tan"), (3,)),
    "apply to numbers": Case(Adapter().apply("v", "reciprocal"), ()),
    "apply yours": Case(Adapter().apply("v", "torch.special:expit", "torch.special:logit", elementwise=True), (2, 2)),
    "expand_dims": Case(Adapter().expand_dims("v", axis=1).scale("v", by=2.0), (3, 2)),
    "squeeze": Case(Adapter().squeeze("v", axis=-2).log("v"), (3, 1, 2)),
    "as_set": Case(Adapter().as_set("v").sqrt("v"), (3,)),
    "as_set of a number": Case(Adapter().log("v").as_set("v"), ()),
    "as_time_series": Case(Adapter().as_time_series("v").log("v"), (3, 2)),
    "take": Case(Adapter().log("v").take("v", [2, 0, -2]).scale("v", by=[1.0, 2.0, 3.0]), (3,)),
    "split": Case(Adapter().log("v").split("v", ["a", "b"], [1]).concatenate(["a", "b"], "v"), (2, 3)),
    "nan_to_num": Case(Adapter().nan_to_num("v").log("v"), (3,)),
    "map_dtype": Case(Adapter().map_dtype("v", "float64").log("v"), (3,)),
    "covariance, then more": matrix(
        Adapter().as_covariance_matrix("v").scale("v", by=0.5).constrain("v", lower=-5, upper=5),
        3, covariances, 0, symmetric,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (F64, 1e-10)])
@pytest.mark.parametrize("leading", [(), (7,), (4, 5)])
@pytest.mark.parametrize("name", CASES)
def test_inverse_undoes_forward(name: str, leading: tuple[int, ...], dtype: torch.dtype, tolerance: float) -> None:
    case = CASES[name]
    bound = case.adapter.bind({"v": case.event})
    v = case.make(*leading, *case.event).to(dtype)
    forward = bound.forward({"v": v})
    assert {key: tuple(value.shape) for key, value in forward.items()} == {
        key: (*leading, *event) for key, event in bound.events_out.items()
    }
    back = bound.inverse(forward)["v"]
    assert back.isfinite().all()
    torch.testing.assert_close(back.to(dtype), v, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("leading", [(), (3,), (2, 2)])
@pytest.mark.parametrize("name", CASES)
def test_log_det_is_that_of_the_jacobian(name: str, leading: tuple[int, ...]) -> None:
    case = CASES[name]
    bound = case.adapter.bind({"v": case.event})
    (out,) = bound.events_out
    v = case.make(*leading, *case.event)
    forward, log_dets = bound.log_det({"v": v})
    torch.testing.assert_close(forward[out], bound.forward({"v": v})[out])
    found = log_dets.get(out, torch.zeros(leading, dtype=F64))
    assert found.shape == leading
    for row, value in zip(v.reshape(-1, *case.event), found.flatten(), strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda free: bound.forward({"v": case.full(free, case.event)})[out].flatten(), case.free(row)
        )
        torch.testing.assert_close(value, torch.linalg.slogdet(jacobian)[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_right(name: str) -> None:
    case = CASES[name]
    bound = case.adapter.bind({"v": case.event})
    (out,) = bound.events_out
    free = case.free(case.make(*case.event)).requires_grad_()
    assert torch.autograd.gradcheck(lambda free: bound.forward({"v": case.full(free, case.event)})[out], free)
    assert torch.autograd.gradcheck(
        lambda free: bound.log_det({"v": case.full(free, case.event)})[1].get(out, free.sum()), free
    )
    y = bound.forward({"v": case.make(*case.event)})[out].requires_grad_()
    assert torch.autograd.gradcheck(lambda y: bound.inverse({out: y})["v"], y)


@pytest.mark.parametrize("name", CASES)
def test_saved_and_read_again(name: str) -> None:
    adapter = CASES[name].adapter
    assert Adapter.from_list(json.loads(json.dumps(adapter.to_list()))) == adapter
    assert eval(f"({adapter!r})") == adapter


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("scale", [1.0, 5.0, 20.0])
@pytest.mark.parametrize("method", ["as_correlation_matrix", "as_covariance_matrix", "as_precision_matrix"])
def test_draws_are_matrices_of_their_kind(method: str, scale: float, dtype: torch.dtype) -> None:
    bound = getattr(Adapter(), method)("v").bind({"v": (4, 4)})
    y = scale * torch.randn(500, *bound.events_out["v"], dtype=dtype, generator=generator())
    x = bound.inverse({"v": y})["v"]
    assert torch.equal(x, x.mT)
    if method == "as_correlation_matrix":
        assert (x.diagonal(dim1=-2, dim2=-1) == 1).all()
        assert (x.abs() <= 1).all()
    least = torch.linalg.eigvalsh(x.double()) / x.double().abs().amax((-2, -1))[:, None]
    assert (least >= -10 * torch.finfo(dtype).eps).all()


@pytest.mark.parametrize("method", ["simplex", "stick"])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_draws_are_shares(method: str, dtype: torch.dtype) -> None:
    bound = Adapter().as_simplex("v", method=method).bind({"v": (6,)})
    y = 30 * torch.randn(1000, 5, dtype=dtype, generator=generator())
    x = bound.inverse({"v": y})["v"]
    assert ((x >= 0) & (x <= 1)).all()
    torch.testing.assert_close(x.sum(-1), torch.ones(1000, dtype=dtype))
    equal = bound.inverse({"v": torch.zeros(5, dtype=dtype)})["v"]
    torch.testing.assert_close(equal, torch.full((6,), 1 / 6, dtype=dtype))


def test_a_precision_is_learnt_by_the_regressions_of_its_variables() -> None:
    covariance = covariances(3, 3)
    y = Adapter().as_precision_matrix("v", diag_kwargs={"method": "exp"}).bind({"v": (3, 3)}).forward(
        {"v": torch.linalg.inv(covariance)}
    )["v"]  # fmt: skip
    rows = torch.linalg.inv(torch.linalg.cholesky(covariance))
    torch.testing.assert_close(y[:3].flip(-1), rows.diagonal().log())
    torch.testing.assert_close(y[3:].sort().values, below(rows, -1).sort().values)
    left = covariance[1, 1] - covariance[1, 0] ** 2 / covariance[0, 0]
    torch.testing.assert_close(rows[1, 0], -covariance[1, 0] / covariance[0, 0] / left.sqrt())


def test_near_the_edge_correlations_stay_accurate() -> None:
    bound = Adapter().as_correlation_matrix("v", cholesky=True).bind({"v": (3, 3)})
    y = torch.tensor([12.0, -9.0, 15.0], dtype=F64)
    torch.testing.assert_close(bound.forward(bound.inverse({"v": y}))["v"], y, rtol=1e-12, atol=0)
