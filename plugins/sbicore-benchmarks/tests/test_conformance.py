"""The benchmark simulators keep the contract of simulators."""

import sbicore_benchmarks

from sbicore.testing import parametrize_conformance


@parametrize_conformance([getattr(sbicore_benchmarks, name)() for name in sbicore_benchmarks.__all__])
def test_conformance(component, check):
    check(component)
