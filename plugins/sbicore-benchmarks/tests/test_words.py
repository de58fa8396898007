"""What is typed on the command line is checked before any work."""

import pytest
from sbicore_benchmarks._words import as_budget, as_mapping, unknown

from sbicore.errors import ConfigError


@pytest.mark.parametrize(("text", "budget"), [("1e4", 10_000), ("100000", 100_000), (500, 500), ("online", "online")])
def test_budgets(text, budget):
    assert as_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("onlin", "did you mean 'online'"),
        ("many", "Give a number of simulations"),
        ("1e1", "at least 100"),
        ("1000.5", "whole number"),
        ("nan", "whole number"),
        ("inf", "whole number"),
        ("-1e4", "at least 100"),
    ],
)
def test_what_is_no_budget(text, said):
    with pytest.raises(ConfigError, match=said):
        as_budget(text)


def test_mappings():
    assert as_mapping(None, "--fit") == {}
    assert as_mapping('{"steps": 3}', "--fit") == {"steps": 3}
    with pytest.raises(ConfigError, match="--fit is no JSON"):
        as_mapping("steps=3", "--fit")
    with pytest.raises(ConfigError, match="takes a JSON object"):
        as_mapping("[1]", "--fit")


def test_a_close_name_is_offered():
    assert "did you mean 'two_moons'?\nChoose from: slcp, two_moons" in str(
        unknown("task", "two_moon", ["slcp", "two_moons"])
    )
