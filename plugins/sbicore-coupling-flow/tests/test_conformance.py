"""Coupling flows keep the contract of inference networks."""

from sbicore_coupling_flow import CouplingFlow

from sbicore.testing import parametrize_conformance

OTHER = CouplingFlow(
    depth=2,
    transform="spline",
    transform_kwargs={"bins": 8},
    permutation="orthogonal",
    use_actnorm=False,
    base_distribution="student_t",
)


@parametrize_conformance([CouplingFlow(), OTHER])
def test_conforms(component, check):
    check(component)
