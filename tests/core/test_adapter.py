"""The adapter as a builder: shapes, names, saved form, and every message."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from sbicore import Adapter
from sbicore.errors import ConfigError, DataError, SbicoreError, ShapeError


def everything() -> Adapter:
    return (
        Adapter()
        .to_array()
        .to_array(["n"])
        .convert_dtype("float64", "float32")
        .log("a")
        .log(["a", "b"], p1=True)
        .sqrt("b")
        .scale("a", by=np.array([1.0, 2.0]))
        .shift("a", by=3)
        .standardize("x", mean=torch.zeros(2, 2), std=[[1.0, 2.0], [3.0, 4.0]])
        .constrain("n", lower=-1)
        .constrain("x", lower=0, upper=np.ones(2))
        .rename("x", "inference_conditions")
        .drop("b")
        .concatenate(["a", "n"], into="inference_variables")
        .keep(["inference_variables", "inference_conditions"])
    )


EVENTS: dict[str, tuple[int, ...]] = {"a": (2,), "b": (), "n": (), "x": (2, 2)}


def test_importing_and_building_needs_no_torch() -> None:
    code = (
        "import sys; from sbicore import Adapter; import sbicore.adapter\n"
        "a = Adapter().log('a').constrain('b', lower=[0, 1], upper=2).concatenate(['a', 'b'], 'c')\n"
        "assert a.bind({'a': (), 'b': (2,)}).events_out == {'c': (3,)}\n"
        "assert Adapter.from_list(a.to_list()) == a and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_json_round_trip() -> None:
    adapter = everything()
    again = Adapter.from_list(json.loads(json.dumps(adapter.to_list())))
    assert again == adapter
    assert adapter.to_list()[3] == {"name": "log", "keys": ["a"], "p1": False}
    assert repr(again) == repr(adapter)


def test_container() -> None:
    adapter = Adapter().log("a")
    copy = adapter.copy()
    assert copy == adapter
    assert copy is not adapter
    assert copy.sqrt("b") is copy
    assert (len(adapter), len(copy)) == (1, 2)
    assert adapter != copy
    assert adapter != "adapter"
    assert [step.name for step in copy] == ["log", "sqrt"]
    assert Adapter(copy) == copy
    assert repr(Adapter()) == "Adapter()"
    assert repr(copy) == "Adapter()\n    .log(keys=('a',), p1=False)\n    .sqrt(keys=('b',))"
    assert eval(f"({everything()!r})") == everything()


def test_shapes_are_inferred_and_a_bound_adapter_stays_as_it_is() -> None:
    adapter = everything()
    bound = adapter.bind(EVENTS)
    adapter.drop("nothing")
    assert bound.events_in == EVENTS
    assert bound.events_out == {"inference_conditions": (2, 2), "inference_variables": (3,)}
    assert repr(bound).startswith("BoundAdapter(15 steps, {'a': (2,)")


def test_any_subset_of_roles_may_be_present() -> None:
    bound = everything().bind(EVENTS)
    assert list(bound.forward({"x": torch.rand(5, 2, 2)})) == ["inference_conditions"]
    assert bound.forward({}) == {} == bound.inverse({})
    draws = bound.inverse({"inference_variables": torch.randn(4, 6, 3)})
    assert {key: tuple(value.shape) for key, value in draws.items()} == {"a": (4, 6, 2), "n": (4, 6)}


@pytest.mark.parametrize("leading", [(4,), (4, 5)])
def test_concatenate_restores_scalars_and_splits_in_order(leading: tuple[int, ...]) -> None:
    bound = Adapter().concatenate(["s", "v", "t"], into="v").bind({"s": (), "t": (), "v": (2,)})
    assert bound.events_out == {"v": (4,)}
    data = {"s": torch.randn(leading), "t": torch.randn(leading), "v": torch.randn(*leading, 2)}
    forward = bound.forward(data)
    torch.testing.assert_close(forward["v"][..., 0], data["s"])
    back = bound.inverse(forward)
    assert set(back) == set(data)
    for key in data:
        torch.testing.assert_close(back[key], data[key])


def test_concatenate_images_along_channels_and_sets_of_another_size() -> None:
    adapter = Adapter().concatenate(["a", "b"], into="c").scale("c", by=2.0)
    bound = adapter.bind({"a": (4, 3, 1), "b": (4, 3, 2)})
    assert bound.events_out == {"c": (4, 3, 3)}
    forward, log_dets = bound.log_det({"a": torch.ones(2, 6, 3, 1), "b": torch.ones(2, 6, 3, 2)})
    assert forward["c"].shape == (2, 6, 3, 3)
    torch.testing.assert_close(log_dets["c"], torch.full((2,), 6 * 3 * 3 * np.log(2.0)))


def test_names_can_be_swapped_and_reused() -> None:
    bound = Adapter().rename("a", "t").rename("b", "a").rename("t", "b").drop("c").rename("a", "c").bind(
        {"a": (), "b": (2,), "c": (3,)}
    )  # fmt: skip
    assert bound.events_out == {"b": (), "c": (2,)}
    data = {"a": torch.randn(3), "b": torch.randn(3, 2), "c": torch.randn(3, 3)}
    back = bound.inverse(bound.forward(data))
    assert set(back) == {"a", "b"}
    torch.testing.assert_close(back["b"], data["b"])


def test_dtypes() -> None:
    doubles = torch.ones(2, dtype=torch.float64)
    data = {"i": torch.tensor([1, 2]), "b": torch.tensor([True, False]), "d": doubles}
    events: dict[str, tuple[int, ...]] = {"i": (), "b": (), "d": ()}

    def dtypes(values: dict[str, torch.Tensor]) -> list[str]:
        return [str(values[key].dtype).removeprefix("torch.") for key in "ibd"]

    bound = Adapter().to_array().bind(events)
    assert dtypes(bound.forward(data)) == ["float32", "float32", "float64"]
    assert dtypes(bound.inverse(bound.forward(data))) == ["float32", "float32", "float64"]
    bound = Adapter().to_array("i").bind(events)
    assert dtypes(bound.forward(data)) == ["float32", "bool", "float64"]
    bound = Adapter().convert_dtype("float64", "float32").convert_dtype("int64", "float32").bind(events)
    assert dtypes(bound.forward(data)) == ["float32", "bool", "float32"]
    floats = {key: value.to(torch.float32) for key, value in data.items()}
    assert dtypes(bound.inverse(floats)) == ["float64"] * 3
    assert Adapter().convert_dtype("float32", "float64").bind(events).inverse(data)["d"] is doubles
    assert dtypes(Adapter().log(["i", "b"]).bind(events).forward(data)) == ["float32", "float32", "float64"]


BAD: list[tuple[Any, str]] = [
    (lambda a: a.log([]), "must name at least one variable  @ $.log.keys"),
    (lambda a: a.log(3), "expected a name or a sequence of names, got 3  @ $.log.keys"),
    (lambda a: a.log(["a", 3]), "expected a name or a sequence of names, got ['a', 3]"),
    (lambda a: a.log("a", p1=1), "expected True or False, got 1  @ $.log.p1"),
    (lambda a: a.concatenate(["a", "b", "a"], "c"), "'a' is given twice  @ $.concatenate.keys"),
    (lambda a: a.concatenate(["a", "b"], None), "expected a string, got None  @ $.concatenate.into"),
    (lambda a: a.rename("a", "a"), "old and new are both 'a'  @ $.rename.new"),
    (lambda a: a.scale("a", by=0), "must not be 0  @ $.scale.by"),
    (lambda a: a.scale("a", by=[1, 0]), "must not be 0"),
    (lambda a: a.scale("a", by=[]), "must not be empty  @ $.scale.by"),
    (lambda a: a.scale("a", by="2"), "expected a number, got '2'  @ $.scale.by"),
    (lambda a: a.shift("a", by=[[1, 2], [3]]), "rows have different lengths  @ $.shift.by"),
    (lambda a: a.shift("a", by=np.nan), "must be finite, got nan  @ $.shift.by"),
    (lambda a: a.standardize("a"), "standardize needs mean: an adapter does not estimate moments"),
    (lambda a: a.standardize("a"), "leave this step out: the approximator standardises by itself."),
    (lambda a: a.standardize("a", mean=0), "standardize needs std"),
    (lambda a: a.standardize("a", 0, [1, 0]), "must be > 0, got 0.0  @ $.standardize.std"),
    (lambda a: a.constrain("a"), "constrain needs a bound"),
    (lambda a: a.constrain("a", 1, 1), "lower must be < upper, got 1.0 and 1.0  @ $.constrain.lower"),
    (lambda a: a.constrain("a", 0, [1, -1]), "lower must be < upper, got 0.0 and -1.0"),
    (lambda a: a.constrain("a", [0, 0, 0], [1, 1]), "of shape (3,) and upper of shape (2,) do not broadcast"),
    (lambda a: a.constrain("a", 1, 1 + 1e-9), "cannot be told apart, or held, in float32"),
    (lambda a: a.constrain("a", 0, 1e39), "cannot be told apart, or held, in float32"),
    (lambda a: a.constrain("a", lower=-np.inf), "must be finite, got -inf  @ $.constrain.lower"),
    (lambda a: a.convert_dtype("float46", "float32"), "unknown choice 'float46'; did you mean 'float64'?"),
    (lambda a: Adapter(["log"]), "expected adapter steps, got 'log'"),
    (lambda a: a.from_list(["log"]), "expected a mapping with 'name', got 'log'  @ $.0"),
    (lambda a: a.from_list([{"name": "logg"}]), "unknown adapter step 'logg'; did you mean 'log'?  @ $.0"),
    (lambda a: a.from_list([{"name": "log", "key": "a"}]), "option 'key'; did you mean 'keys'?  @ $.0.log"),
    (lambda a: a.from_list([{"name": "log"}]), "log needs keys  @ $.0.log"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "message"), BAD)
def test_bad_arguments_are_refused_at_once(build: Any, message: str) -> None:
    adapter = Adapter()
    with pytest.raises(ConfigError) as caught:
        build(adapter)
    assert message in str(caught.value)
    assert len(str(caught.value).split("\n")) <= 3
    assert len(adapter) == 0


UNFIT: list[tuple[Adapter, type[SbicoreError], str]] = [
    (Adapter().sqrt("x").log("thta"), DataError, "(log) needs 'thta'; did you mean 'theta'?\nFound: theta"),
    (Adapter().sqrt("x").log("thta"), DataError, "adapter step 2 (log) needs"),
    (Adapter().drop(["x", "y"]), DataError, "adapter step 1 (drop) needs 'y'"),
    (Adapter().keep(["thet"]), DataError, "adapter step 1 (keep) needs 'thet'; did you mean 'theta'?"),
    (Adapter().drop("x").to_array(["x"]), DataError, "adapter step 2 (to_array) needs 'x'\nFound: theta, im"),
    (Adapter().rename("xx", "y"), DataError, "adapter step 1 (rename) needs 'xx'"),
    (Adapter().rename("x", "theta"), DataError, "adapter step 1 (rename) would overwrite 'theta' with 'x'"),
    (Adapter().concatenate(["x", "y"], "z"), DataError, "adapter step 1 (concatenate) needs 'y'"),
    (Adapter().concatenate(["x"], "theta"), DataError, "step 1 (concatenate) would overwrite 'theta'"),
    (Adapter().concatenate(["x", "im"], "z"), ShapeError, "join 'x' of shape () and 'im' of shape (4, 5, 2)"),
    (Adapter().scale("theta", by=[1, 2]), ShapeError, "step 1 (scale) has by of shape (2,), which does"),
    (Adapter().scale("theta", by=[1, 2]), ShapeError, "not broadcast to 'theta' of shape (3,)\nGive by as"),
    (Adapter().constrain("x", upper=[1]), ShapeError, "upper of shape (1,), which does not broadcast to 'x'"),
    (Adapter().standardize("x", 0, [1]), ShapeError, "Give std as one number."),
]  # fmt: skip


@pytest.mark.parametrize(("adapter", "kind", "message"), UNFIT)
def test_what_does_not_suit_the_data_is_refused_by_bind(
    adapter: Adapter, kind: type[SbicoreError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        adapter.bind({"theta": (3,), "x": (), "im": (4, 5, 2)})
    assert message in str(caught.value)
    assert len(str(caught.value).split("\n")) <= 3


def test_data_that_the_bound_adapter_cannot_take() -> None:
    bound = Adapter().scale("x", by=2).concatenate(["a", "b"], "c").bind({"a": (), "b": (2,), "x": (2, 3)})
    b = torch.ones(4, 2)
    with pytest.raises(DataError, match=r"adapter step 2 \(concatenate\) needs 'a'\nFound: b"):
        bound.forward({"b": b})
    with pytest.raises(DataError, match=r"step 2 \(concatenate\) needs 'b'"):
        bound.log_det({"a": torch.ones(4)})
    with pytest.raises(ShapeError, match=r"cannot join 'a' of shape \(3,\) and 'b' of shape \(4, 2\)"):
        bound.forward({"a": torch.ones(3), "b": b})
    with pytest.raises(DataError, match=r"not bound to a variable 'aa'; did you mean 'a'\?\nIt knows: a, b, x"):
        bound.forward({"aa": torch.ones(3)})
    with pytest.raises(DataError, match="not bound to a variable 'a'\nIt knows: x, c"):
        bound.inverse({"a": torch.ones(3)})
    with pytest.raises(ShapeError, match=r"'b' must have shape \(\*, 2\), got \(4, 3\)") as caught:
        bound.forward({"a": torch.ones(4), "b": torch.ones(4, 3)})
    assert (caught.value.variable, caught.value.expected, caught.value.got) == ("b", (2,), (4, 3))  # type: ignore[attr-defined]
    with pytest.raises(ShapeError, match=r"'x' must have shape \(\*, 2, 3\), got \(3,\)"):
        bound.forward({"x": torch.ones(3)})


def test_a_misspelt_step_is_named():
    with pytest.raises(AttributeError, match="no step 'lgo'; did you mean 'log'"):
        Adapter().lgo("x")
    assert not hasattr(Adapter(), "_repr_html_")
