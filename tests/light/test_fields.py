"""What each field accepts, stores and refuses."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction

import pytest

from sbicore import fields
from sbicore.config import Options, frozen
from sbicore.errors import ConfigError
from sbicore.fields import FrozenMapping


class Array:
    """Looks like an array of several numbers: has every conversion, and most fail."""

    def __init__(self, *values):
        self.values = values

    def tolist(self):
        return list(self.values)

    def __index__(self):
        raise TypeError("only one element can be converted")

    def __float__(self):
        raise RuntimeError("only one element can be converted")

    def __eq__(self, other):
        raise ValueError("the truth value is ambiguous")

    __hash__ = None


class Five:
    def __index__(self):
        return 5


def store(field, value):
    @frozen(kw_only=True)
    class Sample(Options):
        value = field

    return Sample(value=value).value


ACCEPTED = [
    (fields.integer(doc=""), 3, 3),
    (fields.integer(doc=""), Five(), 5),
    (fields.integer(ge=2, le=8, multiple_of=2, doc=""), 8, 8),
    (fields.integer(also=("auto",), doc=""), "auto", "auto"),
    (fields.integer(optional=True, doc=""), None, None),
    (fields.number(doc=""), 1, 1.0),
    (fields.number(doc=""), Fraction(1, 4), 0.25),
    (fields.number(ge=0.0, lt=1.0, doc=""), 0, 0.0),
    (fields.number(optional=True, doc=""), None, None),
    (fields.flag(doc=""), True, True),
    (fields.text(doc=""), "any", "any"),
    (fields.text(optional=True, doc=""), None, None),
    (fields.choice(options=("silu", "gelu"), doc=""), "gelu", "gelu"),
    (fields.choice(options=("silu",), optional=True, doc=""), None, None),
    (fields.sizes(doc=""), [64, Five()], (64, 5)),
    (fields.sizes(doc=""), range(1, 3), (1, 2)),
    (fields.sizes(ge=0, nonempty=False, doc=""), [], ()),
    (fields.flags(doc=""), [True, False], (True, False)),
    (fields.flags(optional=True, doc=""), None, None),
    (fields.numbers(doc=""), 2, 2.0),
    (fields.numbers(doc=""), [[1, 2], (3, 4)], ((1.0, 2.0), (3.0, 4.0))),
    (fields.numbers(doc=""), Array(1, 2), (1.0, 2.0)),
    (fields.numbers(optional=True, doc=""), None, None),
    (fields.mapping(doc=""), {"a": [1, {"b": None}]}, {"a": (1, {"b": None})}),
]

REFUSED = [
    (fields.integer(doc=""), True, "expected a whole number, got True"),
    (fields.integer(doc=""), 3.0, "expected a whole number, got 3.0"),
    (fields.integer(doc=""), None, "expected a whole number, got None"),
    (fields.integer(doc=""), Array(1, 2), "expected a whole number"),
    (fields.integer(also=("auto",), doc=""), "atuo", "expected a whole number or 'auto', got 'atuo'"),
    (fields.integer(ge=1, doc=""), 0, "must be >= 1, got 0"),
    (fields.integer(le=1, doc=""), 2, "must be <= 1, got 2"),
    (fields.integer(multiple_of=4, doc=""), 6, "must be a multiple of 4, got 6"),
    (fields.number(doc=""), "1", "expected a number, got '1'"),
    (fields.number(doc=""), False, "expected a number, got False"),
    (fields.number(doc=""), Array(1, 2), "expected a number"),
    (fields.number(doc=""), 10**400, "expected a number"),
    (fields.number(doc=""), math.nan, "must be finite, got nan"),
    (fields.number(doc=""), -math.inf, "must be finite, got -inf"),
    (fields.number(ge=0, doc=""), -1, "must be >= 0, got -1.0"),
    (fields.number(gt=0, doc=""), 0, "must be > 0, got 0.0"),
    (fields.number(le=1, doc=""), 2, "must be <= 1, got 2.0"),
    (fields.number(lt=1, doc=""), 1, "must be < 1, got 1.0"),
    (fields.flag(doc=""), 1, "expected True or False, got 1"),
    (fields.text(doc=""), 1, "expected a string, got 1"),
    (fields.choice(options=("silu", "gelu"), doc=""), "sliu", "unknown choice 'sliu'; did you mean 'silu'?"),
    (fields.choice(options=("silu", "gelu"), doc=""), Array(1), "unknown choice"),
    (fields.sizes(doc=""), 64, "expected a sequence, got 64"),
    (fields.sizes(doc=""), "64", "expected a sequence, got '64'"),
    (fields.sizes(doc=""), [64, True], "expected whole numbers, got True"),
    (fields.sizes(doc=""), [64, 0], "must be >= 1, got 0"),
    (fields.sizes(doc=""), [], "must not be empty"),
    (fields.flags(doc=""), [True, 0], "expected True or False, got 0"),
    (fields.flags(doc=""), [], "must not be empty"),
    (fields.numbers(doc=""), [1, "2"], "expected a number, got '2'"),
    (fields.numbers(doc=""), [1, math.inf], "must be finite, got inf"),
    (fields.mapping(doc=""), [1], r"expected a mapping, got \[1\]"),
    (fields.mapping(doc=""), {"a": object()}, "expected plain values"),
    (fields.mapping(doc=""), {"a": math.nan}, "must be finite, got nan"),
]


@pytest.mark.parametrize(("field", "given", "stored"), ACCEPTED)
def test_field_stores_the_value_in_its_plain_form(field, given, stored):
    value = store(field, given)
    assert value == stored
    assert value is None or isinstance(value, (type(stored), FrozenMapping))
    hash(value)


@pytest.mark.parametrize(("field", "given", "message"), REFUSED)
def test_field_refuses_the_value_and_says_where(field, given, message):
    with pytest.raises(ConfigError, match=message) as caught:
        store(field, given)
    assert caught.value.path == ("value",)
    assert str(caught.value).split("\n")[0].endswith("  @ $.value")


def test_choice_lists_what_there_is():
    with pytest.raises(ConfigError) as caught:
        store(fields.choice(options=("silu", "gelu"), optional=True, doc=""), "?")
    assert str(caught.value).split("\n")[1] == "Choices: silu, gelu, None"


class TestFrozenMapping:
    def test_equal_mappings_have_equal_hashes_in_any_order(self):
        one, two = FrozenMapping({"a": 1, "b": 2}), FrozenMapping({"b": 2, "a": 1})
        assert one == two
        assert hash(one) == hash(two)

    def test_it_keeps_its_order_and_prints_as_a_dict(self):
        assert repr(FrozenMapping({"b": 1, "a": 2})) == "{'b': 1, 'a': 2}"

    def test_it_cannot_be_changed(self):
        with pytest.raises(TypeError):
            FrozenMapping({"a": 1})["a"] = 2

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
    def test_copies_are_equal(self, copied):
        assert copied(FrozenMapping({"a": (1, 2)})) == {"a": (1, 2)}
