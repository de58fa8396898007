"""`sine_mlp` keeps the contract of subnets."""

from sbicore_sine import SineMLP

from sbicore.testing import parametrize_conformance


@parametrize_conformance([SineMLP(), SineMLP(widths=[8], frequency=10.0)])
def test_conforms(component, check):
    check(component)
