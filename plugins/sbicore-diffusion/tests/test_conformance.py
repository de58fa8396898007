"""Diffusion models keep the contract of inference networks."""

from sbicore_diffusion import DiffusionModel

from sbicore.testing import parametrize_conformance

OTHER = DiffusionModel(
    noise_schedule="cosine",
    prediction_type="velocity",
    loss_type="velocity",
    antithetic=True,
    integrate_kwargs={"steps": "adaptive", "rtol": 1e-3},
    drop_cond_prob=0.1,
    drop_target_prob=0.2,
)


@parametrize_conformance([DiffusionModel(), OTHER])
def test_conforms(component, check):
    check(component)
