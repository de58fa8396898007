"""Base distributions and the randomness below them, against independent formulas."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
from scipy import integrate, stats
from torch import distributions as reference

from sbicore import distributions, randomness
from sbicore.distributions import Mixture, Normal, StudentT
from sbicore.errors import ConfigError, ShapeError
from sbicore.randomness import fresh_seed, generator_for, rand, randn, seed_for, standard_gamma
from sbicore.shapes import Shapes

MEAN, STD = (0.5, -1.0, 2.0), (0.5, 1.0, 2.0)
MEANS, SCALES, WEIGHTS = (
    ((0.0, 1.0), (2.0, -3.0), (4.0, 4.0)),
    ((1.0, 0.5), (2.0, 1.0), (0.25, 1.0)),
    (1, 2, 5),
)
EXAMPLES = {
    "normal": Normal(mean=MEAN, std=STD),
    "student_t": StudentT(df=5, loc=MEAN, scale=STD),
    "mixture": Mixture(components=3, means=[(*m, 0.0) for m in MEANS], scales=(0.5, 1, 2), weights=WEIGHTS),
    "defaults": Mixture(components=3),
}
every = pytest.mark.parametrize("config", EXAMPLES.values(), ids=EXAMPLES.keys())


def points(*shape, dtype=torch.float64, seed=0):
    return 2 * torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def double(config, shapes=None):
    return config.build(shapes).double()


# --- densities ----------------------------------------------------------------------------------


def test_normal_density():
    x = points(4, 5, 3)
    oracle = reference.Normal(torch.tensor(MEAN), torch.tensor(STD)).log_prob(x).sum(-1)
    torch.testing.assert_close(double(EXAMPLES["normal"]).log_prob(x), oracle.double(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(Normal().log_prob(x), reference.Normal(0.0, 1.0).log_prob(x).sum(-1))


@pytest.mark.parametrize("df", [0.7, 5.0, 25.0, 300.0])
def test_student_t_density_is_the_multivariate_one(df):
    x = points(50, 3)
    oracle = stats.multivariate_t(MEAN, [[0.25, 0, 0], [0, 1, 0], [0, 0, 4]], df=df).logpdf(x.numpy())
    found = double(StudentT(df=df, loc=MEAN, scale=STD)).log_prob(x)
    torch.testing.assert_close(found, torch.from_numpy(oracle), rtol=1e-8, atol=1e-6)  # float32 scales
    standard = stats.multivariate_t([0, 0, 0], df=df).logpdf(x.numpy())
    torch.testing.assert_close(StudentT(df=df).log_prob(x), torch.from_numpy(standard), rtol=1e-12, atol=1e-12)


def test_mixture_density():
    x = points(6, 7, 2)
    parts = reference.Independent(reference.Normal(torch.tensor(MEANS).double(), torch.tensor(SCALES)), 1)
    oracle = reference.MixtureSameFamily(reference.Categorical(torch.tensor(WEIGHTS).double()), parts)
    config = Mixture(components=3, means=MEANS, scales=SCALES, weights=WEIGHTS)
    torch.testing.assert_close(double(config).log_prob(x), oracle.log_prob(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "config",
    [Normal(mean=0.5, std=2.0), StudentT(df=3, loc=-1, scale=0.5), Mixture(components=4, scales=0.25)],
    ids=lambda config: config.name,
)
def test_density_integrates_to_one(config):
    built = double(config)

    def density(u):  # x = sinh u reaches far into the tails
        x = torch.tensor([math.sinh(u)], dtype=torch.float64)
        return math.exp(float(built.log_prob(x))) * math.cosh(u)

    total, _ = integrate.quad(density, -30, 30, points=[-2, -1, 0, 1, 2], limit=400)
    assert abs(total - 1) < 1e-7


@every
@pytest.mark.parametrize("event", [(3,), (2, 4, 3), ()])
def test_event_rank_follows_the_shapes(config, event):
    if event == ():
        config = type(config)()
    built = config.build(Shapes(target=event))
    x = points(5, 2, *event, dtype=torch.float32)
    found = built.log_prob(x)
    assert found.shape == (5, 2) and built.sample((5, 2, *event)).shape == x.shape
    assert built.sample(event).shape == event and built.log_prob(x[0, 0]).shape == ()
    if isinstance(config, Normal) and event == (2, 4, 3):
        torch.testing.assert_close(found, Normal(mean=MEAN, std=STD).log_prob(x).sum((-1, -2)))
    if event == ():
        torch.testing.assert_close(found, config.log_prob(x[..., None]))


def test_an_image_shares_one_chi_squared_variable():
    x = points(3, 2, 4, 3)
    built = StudentT(df=4).build(Shapes(target=(2, 4, 3)))
    flat = stats.multivariate_t([0] * 24, df=4).logpdf(x.reshape(3, 24).numpy())
    torch.testing.assert_close(built.log_prob(x), torch.from_numpy(flat))


# --- draws --------------------------------------------------------------------------------------


def margins(draws, mean, variance):
    """Sample moments within five standard errors, those taken from the draws' own fourth moments."""
    count = draws.shape[0]
    centred = (draws - mean) ** 2
    assert ((draws.mean(0) - mean).abs() < 5 * (variance / count).sqrt()).all()
    assert ((centred.mean(0) - variance).abs() < 5 * centred.std(0) / math.sqrt(count)).all()


def test_moments_of_draws():
    shape = (40_000, 3)
    mean, std = torch.tensor(MEAN).double(), torch.tensor(STD).double()
    like = torch.empty(0, dtype=torch.float64)
    for config, mu, variance in (
        (EXAMPLES["normal"], mean, std**2),
        (StudentT(df=9, loc=MEAN, scale=STD), mean, std**2 * 9 / 7),
    ):
        margins(config.sample(shape, generator=generator_for(1), like=like), mu, variance)
    means, scales = torch.tensor(MEANS).double(), torch.tensor(SCALES).double()
    weights = torch.tensor(WEIGHTS)[:, None] / sum(WEIGHTS)
    mu = (weights * means).sum(0)
    variance = (weights * (scales**2 + means**2)).sum(0) - mu**2
    config = Mixture(components=3, means=MEANS, scales=SCALES, weights=WEIGHTS)
    margins(config.sample((40_000, 2), generator=generator_for(2), like=like), mu, variance)


def test_coordinates_of_student_t_are_uncorrelated_but_dependent():
    count = 40_000
    x = StudentT(df=9).sample((count, 2), generator=generator_for(3)).double()
    assert abs(torch.corrcoef(x.T)[0, 1]) < 5 / math.sqrt(count) * 1.5
    squared = torch.corrcoef((x**2).T)[0, 1]
    # cov(x^2, y^2) / var(x^2) = (E[w^2] - E[w]^2) / (3 E[w^2] - E[w]^2), w = df / chi2: 1/6 at df = 9
    first, second = 9 / 7, 81 / 35
    assert abs(squared - (second - first**2) / (3 * second - first**2)) < 0.06
    radius = (x**2).sum(1) / 2  # F distributed with (2, df) degrees of freedom
    assert stats.kstest(radius.numpy(), stats.f(2, 9).cdf).pvalue > 1e-4


@every
def test_draws_match_the_density(config):
    """E[p(x)] over the draws equals the integral of p**2, here by importance from a wide t."""
    built = double(config, Shapes(target=(3,)))
    like = torch.empty(0, dtype=torch.float64)
    draws = built.sample((20_000, 3), generator=generator_for(4), like=like)
    own = built.log_prob(draws).exp()
    wide = double(StudentT(df=4, loc=1.0, scale=3.0))
    other = wide.sample((200_000, 3), generator=generator_for(5), like=like)
    ratio = (2 * built.log_prob(other) - wide.log_prob(other)).exp()
    error = math.hypot(own.std() / math.sqrt(len(own)), ratio.std() / math.sqrt(len(ratio)))
    assert abs(own.mean() - ratio.mean()) < 5 * error < 0.25 * own.mean()


@every
def test_a_row_of_its_own_generator_is_the_same_alone(config):
    built = config.build(Shapes(target=(3,)))

    def generators(rows):
        return [generator_for(7, row) for row in rows]

    together = built.sample((4, 5, 3), generator=generators(range(4)))
    assert torch.equal(together[2:3], built.sample((1, 5, 3), generator=generators([2])))
    assert torch.equal(together[[3, 0]], built.sample((2, 5, 3), generator=generators([3, 0])))
    assert not torch.equal(together[0], together[1])
    one = built.sample((4, 5, 3), generator=generator_for(7, 0))
    assert torch.equal(one, built.sample((4, 5, 3), generator=generator_for(7, 0)))
    torch.manual_seed(3)
    first = built.sample((4, 5, 3))
    torch.manual_seed(3)
    assert torch.equal(first, built.sample((4, 5, 3)))
    with pytest.raises(ConfigError, match="one generator for each row"):
        built.sample((4, 5, 3), generator=generators(range(3)))


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_follows_what_is_given(config, dtype):
    draws = config.sample((2, 5, 3), like=torch.empty(0, dtype=dtype))
    assert draws.dtype == dtype and config.log_prob(draws).dtype == dtype
    assert config.sample((2, 5, 3)).dtype == torch.get_default_dtype()


# --- learning, configs, errors ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Normal, StudentT, Mixture])
def test_trainable_values_are_fitted_and_scales_stay_positive(kind):
    built = kind(trainable=True).build(Shapes(target=(2,)))
    fixed = kind().build(Shapes(target=(2,)))
    assert len(list(built.parameters())) == len(built.state_dict()) == (3 if kind is Mixture else 2)
    assert not list(fixed.parameters()) and not fixed.state_dict()
    x = points(500, 2, dtype=torch.float32)
    torch.testing.assert_close(built.log_prob(x), fixed.log_prob(x))
    optimiser = torch.optim.Adam(built.parameters(), lr=0.05)
    before = -built.log_prob(x).mean()
    for _ in range(200):
        optimiser.zero_grad()
        loss = -built.log_prob(x).mean()
        loss.backward()
        optimiser.step()
    assert loss < before - 0.05 and torch.isfinite(built.sample((100, 2))).all()
    built.sample((100, 2)).sum().backward()
    if kind is Mixture:
        before = built.log_prob(x)
        with torch.no_grad():
            built.logits += 3
        torch.testing.assert_close(built.log_prob(x), before)


def test_mixture_spreads_its_components():
    means = Mixture(components=5).build(Shapes(target=(4,))).means
    even = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])[:, None].expand(5, 4)
    torch.testing.assert_close(means.sort(0).values, even)
    assert torch.cdist(means, means).add(10 * torch.eye(5)).min() > 1.9
    torch.testing.assert_close(Mixture(components=1).build(Shapes(target=(2,))).means, torch.zeros(1, 2))
    x = points(6, 4)
    built = double(Mixture(components=5), Shapes(target=(4,)))
    torch.testing.assert_close(Mixture(components=5).log_prob(x), built.log_prob(x))


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: Normal(std=0.0), "std"),
        (lambda: Normal(std=(1.0, -1.0)), "std"),
        (lambda: Normal(mean=((1, 2), (3,))), "mean"),
        (lambda: StudentT(df=0), "df"),
        (lambda: StudentT(scale=-1), "scale"),
        (lambda: Mixture(components=0), "components"),
        (lambda: Mixture(means=(1.0, 2.0, 3.0)), "means"),
        (lambda: Mixture(means=1.0), "means"),
        (lambda: Mixture(weights=(1.0, 0.0)), "weights"),
        (lambda: Mixture(weights=((1.0,), (1.0,))), "weights"),
        (lambda: Mixture(scales=(1.0, 2.0, 3.0)), "scales"),
        (lambda: Mixture(trainable=True).build(), "means"),
        (lambda: Normal(mean=MEAN).build(Shapes(target=(2,))), "mean"),
        (lambda: Normal(std=((1.0, 2.0), (1.0, 2.0))).build(), "std"),
        (lambda: Mixture(means=MEANS, components=3).build(Shapes(target=(5,))), "means"),
    ],
)
def test_impossible_values_name_their_place(make, path):
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.path == (path,) and str(caught.value).count("\n") <= 2


@every
def test_wrong_events(config):
    built = config.build(Shapes(target=(3,)))
    for call in (built.log_prob, lambda x: built.sample(x.shape)):
        for x in (torch.zeros(4, 2), torch.tensor(1.0)):
            with pytest.raises(ShapeError):
                call(x)
    if config is not EXAMPLES["defaults"]:
        with pytest.raises(ShapeError):
            config.log_prob(torch.zeros(4, 2))


def test_configs_do_not_import_torch():
    code = (
        "import sys; from sbicore import distributions as d, randomness; "
        "d.Normal(), d.StudentT(), d.Mixture(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert {"Mixture", "Normal", "StudentT"} <= set(dir(distributions))


# --- randomness ---------------------------------------------------------------------------------


def test_child_seeds():
    assert seed_for(1, 2) == seed_for(1, 2)
    found = {seed_for(seed, *keys) for seed in range(20) for keys in ((), (0,), (1,), (0, 0), (1, 0), (0, 1))}
    assert len(found) == 120 and all(0 <= seed < 2**63 for seed in found)
    assert max(found) > 2**62
    for bad in ((-1,), (1, -1), (1.5,), (True,), (1, "a")):
        with pytest.raises(ConfigError, match="seed"):
            seed_for(*bad)


def test_fresh_seeds_come_from_torch():
    torch.manual_seed(5)
    first, second = fresh_seed(), fresh_seed()
    torch.manual_seed(5)
    assert fresh_seed() == first != second


def test_generators_use_more_than_32_bits_of_the_seed(monkeypatch):
    plain = [torch.Generator().manual_seed(seed) for seed in (5, 5 + 2**40)]
    assert torch.equal(*(randn((3,), g) for g in plain))  # torch alone: the same stream
    monkeypatch.setattr(randomness, "seed_for", lambda seed, *keys: 5)
    assert not torch.equal(randn((3,), generator_for(1)), randn((3,), generator_for(2)))


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (lambda shape, g: randn(shape, g), stats.norm()),
        (lambda shape, g: rand(shape, g), stats.uniform()),
        (lambda shape, g: standard_gamma(0.6, shape, g), stats.gamma(0.6)),
        (lambda shape, g: standard_gamma(4.5, shape, g), stats.gamma(4.5)),
    ],
)
def test_laws(draw, law):
    one = draw((20_000,), generator_for(11))
    assert stats.kstest(one.numpy(), law.cdf).pvalue > 1e-4
    many = draw((200, 100), [generator_for(12, i) for i in range(200)])
    assert stats.kstest(many.flatten().numpy(), law.cdf).pvalue > 1e-4
    first = draw((20_000,), [generator_for(13, i) for i in range(20_000)])
    assert stats.kstest(first.numpy(), law.cdf).pvalue > 1e-4
