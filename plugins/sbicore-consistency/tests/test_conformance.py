"""Consistency models keep the contract of inference networks."""

from sbicore_consistency import ConsistencyModel, StableConsistencyModel

from sbicore.testing import parametrize_conformance


@parametrize_conformance(
    [ConsistencyModel(total_steps=20_000), StableConsistencyModel(), StableConsistencyModel(drop_cond_prob=0.1)]
)
def test_conforms(component, check):
    check(component)
