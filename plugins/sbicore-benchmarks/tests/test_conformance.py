"""The benchmark simulators keep the contract of simulators."""

from sbicore_benchmarks import TwoMoons

from sbicore.testing import check_component


def test_conformance():
    check_component(TwoMoons())
