"""Fed with the published random numbers, our simulators make the published parameters and observations.

The published ones came out of torch's generator, with a published seed for each observation: numbers for the
prior first, then those for the simulator. So priors, noise and ordinary differential equations are the published
ones, digit for digit.
"""

import zipfile

import numpy as np
import pytest
import torch
from sbicore_benchmarks.published import SHARED, TASKS
from sbicore_benchmarks.simulators.bernoulli_glm import DESIGN
from sbicore_benchmarks.simulators.slcp_distractors import COMPONENTS, FACTORS, LOCATIONS, PERMUTATION


class Torch:
    """numpy's generator by name, torch's by its numbers: `uniform` has 24 bits, `random` 53.

    Of the binomial it counts uniform numbers, and of the mixture of distractors it draws all components, as
    the published code did.
    """

    def __init__(self, seed):
        torch.manual_seed(seed)

    def uniform(self, low=0.0, high=1.0, size=None):
        return low + (high - low) * torch.rand(size).double().numpy()

    def random(self, size):
        return torch.rand(size, dtype=torch.float64).numpy()

    def standard_normal(self, size):
        if size == (1, 92):
            return torch.empty(COMPONENTS, 92, dtype=torch.float64).normal_().numpy()[self.component]
        return torch.empty(size).normal_().double().numpy()

    def normal(self, mean, sd, size):
        return mean + sd * self.standard_normal(size)

    def binomial(self, n, p):
        return (self.random((*p.shape, n)) < p[..., None]).sum(axis=-1)

    def integers(self, high, size):
        self.component = (high * self.random(size)).astype(int)
        return self.component

    def chisquare(self, freedom, size):
        return torch.distributions.Chi2(torch.full((COMPONENTS,), freedom).double()).sample().numpy()[self.component]


def read(wheel, task, observation, file):
    """The row of a small published table."""
    path = f"sbibm/tasks/{task}/files/num_observation_{observation}/{file}"
    with zipfile.ZipFile(wheel) as files, files.open(path) as table:
        return np.loadtxt(table, delimiter=",", skiprows=1)


@pytest.mark.parametrize("task", [task for task in TASKS if task != "slcp_distractors"])
def test_the_published_seeds_give_the_published_observations(task, simulators, wheel):
    home, file = SHARED.get(task, (task, "observation.csv"))
    for observation in range(1, 11):
        rng = Torch(int(read(wheel, home, observation, "observation_seed.csv")[0]))
        parameters = simulators[task].prior(1, rng)
        observable = simulators[task].simulate(parameters, rng)
        true_parameters, published = (read(wheel, home, observation, name) for name in ("true_parameters.csv", file))
        assert np.allclose(parameters[0], true_parameters, rtol=1e-6, atol=1e-5)
        assert np.allclose(observable[0], published, rtol=1e-5, atol=1e-6)


def test_the_published_seed_gives_the_published_distractors(simulators, wheel):
    rng = Torch(42)
    for observation in range(1, 11):
        informative = read(wheel, "slcp", observation, "observation.csv")
        hidden = np.concatenate([informative, simulators["slcp_distractors"].distractors(1, rng)[0]])[PERMUTATION]
        published = read(wheel, "slcp", observation, "observation_distractors.csv")
        assert np.allclose(hidden, published, rtol=1e-5, atol=1e-5)


def test_constants_are_those_in_the_published_binary_files(wheel):
    """The ends of the files are plain numbers; nothing is unpickled."""
    with zipfile.ZipFile(wheel) as files:
        permutation = files.read("sbibm/tasks/slcp/files/permutation_idx.torch")[-8 * 100 :]
        design = files.read("sbibm/tasks/bernoulli_glm/files/design_matrix.pt")[-4 * 1000 :]
        mixture = files.read("sbibm/tasks/slcp/files/gmm.torch")
    assert np.array_equal(np.frombuffer(permutation, "<i8"), PERMUTATION)
    assert np.array_equal(np.frombuffer(design, "<f4").reshape(100, 10), DESIGN)
    for ours in (LOCATIONS, FACTORS):
        start = mixture.index(np.int64(ours.size).tobytes() + ours.flat[0].tobytes()) + 8
        theirs = np.frombuffer(mixture, "<f8", ours.size, start)
        assert np.allclose(theirs, ours.ravel(), rtol=1e-12, atol=0.0)
