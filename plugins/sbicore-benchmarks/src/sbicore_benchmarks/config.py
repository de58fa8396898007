"""The benchmark tasks as configs.

Constants are part of a task's definition, so there are no hyperparameters. `T.1` to `T.10` are the sections of
arXiv:2101.04653 that define them; the second argument of `Normal` is a variance. `build()` gives the simulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SimulatorConfig, frozen
from sbicore.references import Reference

from . import _references as papers

if TYPE_CHECKING:
    from .simulators.bernoulli_glm import BernoulliGLMSimulator
    from .simulators.bernoulli_glm_raw import BernoulliGLMRawSimulator
    from .simulators.gaussian_linear import GaussianLinearSimulator
    from .simulators.gaussian_linear_uniform import GaussianLinearUniformSimulator
    from .simulators.gaussian_mixture import GaussianMixtureSimulator
    from .simulators.inverse_kinematics import InverseKinematicsSimulator
    from .simulators.lotka_volterra import LotkaVolterraSimulator
    from .simulators.sir import SIRSimulator
    from .simulators.slcp import SLCPSimulator
    from .simulators.slcp_distractors import SLCPDistractorsSimulator
    from .simulators.two_moons import TwoMoonsSimulator


@frozen(kw_only=True)
class GaussianLinear(SimulatorConfig):
    """Gaussian linear: the mean of a normal distribution under a normal prior, in ten dimensions (T.1).

        theta ~ Normal(0, 0.1 I),  x ~ Normal(theta, 0.1 I)

    Both 0.1 are variances, as in the published code. The posterior is exact.
    """

    name: ClassVar[str] = "gaussian_linear"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK,)

    def build(self) -> GaussianLinearSimulator:
        """Make the simulator."""
        from .simulators.gaussian_linear import GaussianLinearSimulator

        return GaussianLinearSimulator()


@frozen(kw_only=True)
class GaussianLinearUniform(SimulatorConfig):
    """Gaussian linear uniform: the mean of a normal distribution under a uniform prior, in ten dimensions (T.2).

        theta ~ Uniform(-1, 1)^10,  x ~ Normal(theta, 0.1 I)

    The 0.1 is a variance, as in the published code. The posterior is exact.
    """

    name: ClassVar[str] = "gaussian_linear_uniform"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK,)

    def build(self) -> GaussianLinearUniformSimulator:
        """Make the simulator."""
        from .simulators.gaussian_linear_uniform import GaussianLinearUniformSimulator

        return GaussianLinearUniformSimulator()


@frozen(kw_only=True)
class SLCP(SimulatorConfig):
    """SLCP: simple likelihood, complex posterior; five parameters, four pairs, four symmetric modes (T.3).

        theta ~ Uniform(-3, 3)^5
        x = (x_1, ..., x_4),  x_i ~ Normal(m, S) independently
        m = (theta_1, theta_2),  s = theta_3^2,  t = theta_4^2,  rho = tanh(theta_5)
        S = ((s^2, rho s t), (rho s t, t^2)) + 1e-6 I

    The last term is that of the published code.
    """

    name: ClassVar[str] = "slcp"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.LIKELIHOOD)

    def build(self) -> SLCPSimulator:
        """Make the simulator."""
        from .simulators.slcp import SLCPSimulator

        return SLCPSimulator()


@frozen(kw_only=True)
class SLCPDistractors(SimulatorConfig):
    """SLCP with distractors: the eight numbers of SLCP hidden among 92 that say nothing (T.4).

        y ~ SLCP given theta
        z ~ (1/20) sum_k StudentT(2 degrees of freedom, location l_k, scale factor L_k), of size 92
        x = the 100 numbers of (y, z), permuted

    l_k, L_k and the permutation are fixed: they are made again from the published seed.
    """

    name: ClassVar[str] = "slcp_distractors"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.TRANSFORMATION)

    def build(self) -> SLCPDistractorsSimulator:
        """Make the simulator."""
        from .simulators.slcp_distractors import SLCPDistractorsSimulator

        return SLCPDistractorsSimulator()


@frozen(kw_only=True)
class BernoulliGLM(SimulatorConfig):
    """Bernoulli GLM: the filter of a spiking neuron, from the sufficient statistics of its spikes (T.5).

        theta = (b, f),  b ~ Normal(0, variance 2),  f ~ Normal(0, (F'F)^-1) of size 9
        F = D D + diag(sqrt(i / 9) for i = 0, ..., 8),  D the first differences
        z_t ~ Bernoulli(sigmoid(b + sum_j f_j v_(t-j))),  t = 0, ..., 99,  j = 0, ..., 8
        x = (sum_t z_t, sum_t z_t v_t, sum_t z_t v_(t-1), ..., sum_t z_t v_(t-8))

    The stimulus v, white noise of 100 steps, is fixed: it is made again from the published seed.
    """

    name: ClassVar[str] = "bernoulli_glm"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.NEURAL_DYNAMICS)

    def build(self) -> BernoulliGLMSimulator:
        """Make the simulator."""
        from .simulators.bernoulli_glm import BernoulliGLMSimulator

        return BernoulliGLMSimulator()


@frozen(kw_only=True)
class BernoulliGLMRaw(SimulatorConfig):
    """Bernoulli GLM raw: the filter of a spiking neuron, from its 100 spikes themselves (T.6).

    The model of `BernoulliGLM` with x = (z_0, ..., z_99); the posterior is the same.
    """

    name: ClassVar[str] = "bernoulli_glm_raw"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.NEURAL_DYNAMICS)

    def build(self) -> BernoulliGLMRawSimulator:
        """Make the simulator."""
        from .simulators.bernoulli_glm_raw import BernoulliGLMRawSimulator

        return BernoulliGLMRawSimulator()


@frozen(kw_only=True)
class GaussianMixture(SimulatorConfig):
    """Gaussian mixture: the common mean of a wide and a narrow normal distribution, in two dimensions (T.7).

        theta ~ Uniform(-10, 10)^2,  x ~ 0.5 Normal(theta, I) + 0.5 Normal(theta, 0.01 I)

    The posterior is exact.
    """

    name: ClassVar[str] = "gaussian_mixture"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.MIXTURE)

    def build(self) -> GaussianMixtureSimulator:
        """Make the simulator."""
        from .simulators.gaussian_mixture import GaussianMixtureSimulator

        return GaussianMixtureSimulator()


@frozen(kw_only=True)
class TwoMoons(SimulatorConfig):
    """Two moons: two parameters, two observables, a crescent-shaped posterior with two modes (T.8).

        theta ~ Uniform(-1, 1)^2,  a ~ Uniform(-pi/2, pi/2),  r ~ Normal(0.1, 0.01^2)
        x = (r cos a + 0.25 - |theta_1 + theta_2| / sqrt 2,  r sin a + (theta_2 - theta_1) / sqrt 2)

    The posterior is exact.
    """

    name: ClassVar[str] = "two_moons"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.TRANSFORMATION)

    def build(self) -> TwoMoonsSimulator:
        """Make the simulator."""
        from .simulators.two_moons import TwoMoonsSimulator

        return TwoMoonsSimulator()


@frozen(kw_only=True)
class SIR(SimulatorConfig):
    """SIR: rates of contact and recovery, from the infected among 1000 people on ten days of an epidemic (T.9).

    log beta ~ Normal(log 0.4, 0.5^2),  log gamma ~ Normal(log 0.125, 0.2^2)
    S' = -beta S I / N,  I' = beta S I / N - gamma I,  R' = gamma I,  N = 10^6, from (N - 1, 1, 0)
    x_k ~ Binomial(1000, I(17 k days) / N),  k = 0, ..., 9
    """

    name: ClassVar[str] = "sir"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.EPIDEMICS)

    def build(self) -> SIRSimulator:
        """Make the simulator."""
        from .simulators.sir import SIRSimulator

        return SIRSimulator()


@frozen(kw_only=True)
class LotkaVolterra(SimulatorConfig):
    """Lotka-Volterra: four rates of predators and their prey, from ten noisy counts of both (T.10).

    log alpha, log gamma ~ Normal(-0.125, 0.5^2),  log beta, log delta ~ Normal(-3, 0.5^2)
    X' = alpha X - beta X Y,  Y' = -gamma Y + delta X Y, from (30, 1)
    log x_k ~ Normal(log X(2.1 k), 0.1^2),  log x_(10 + k) ~ Normal(log Y(2.1 k), 0.1^2),  k = 0, ..., 9
    """

    name: ClassVar[str] = "lotka_volterra"
    references: ClassVar[tuple[Reference, ...]] = (papers.BENCHMARK, papers.RHYTHMS, papers.FLUCTUATIONS)

    def build(self) -> LotkaVolterraSimulator:
        """Make the simulator."""
        from .simulators.lotka_volterra import LotkaVolterraSimulator

        return LotkaVolterraSimulator()


@frozen(kw_only=True)
class InverseKinematics(SimulatorConfig):
    """Inverse kinematics: height and three angles of an arm, from where it ends (arXiv:2101.10763).

        theta ~ Normal(0, diag(0.25, 0.5, 0.5, 0.5)^2),  a_i = theta_2 + ... + theta_(i + 1)
        x_1 = theta_1 + 0.5 sin a_1 + 0.5 sin a_2 + sin a_3
        x_2 = 0.5 cos a_1 + 0.5 cos a_2 + cos a_3

    Without noise: the posterior lies on a surface, and draws are judged by where they lead.
    """

    name: ClassVar[str] = "inverse_kinematics"
    references: ClassVar[tuple[Reference, ...]] = (papers.INVERTIBLE, papers.INVERSE_PROBLEMS)

    def build(self) -> InverseKinematicsSimulator:
        """Make the simulator."""
        from .simulators.inverse_kinematics import InverseKinematicsSimulator

        return InverseKinematicsSimulator()
