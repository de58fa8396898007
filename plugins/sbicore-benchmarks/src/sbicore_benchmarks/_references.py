"""The papers that the benchmark tasks come from."""

from __future__ import annotations

from sbicore.references import Reference

BENCHMARK = Reference(
    authors="Lueckmann, Jan-Matthis and Boelts, Jan and Greenberg, David and Gonçalves, Pedro and Macke, Jakob",
    title="Benchmarking Simulation-Based Inference",
    year=2021,
    venue="International Conference on Artificial Intelligence and Statistics",
    arxiv="2101.04653",
)
MIXTURE = Reference(
    authors="Sisson, S. A. and Fan, Y. and Tanaka, Mark M.",
    title="Sequential Monte Carlo without likelihoods",
    year=2007,
    venue="Proceedings of the National Academy of Sciences",
    doi="10.1073/pnas.0607208104",
)
TRANSFORMATION = Reference(
    authors="Greenberg, David and Nonnenmacher, Marcel and Macke, Jakob",
    title="Automatic Posterior Transformation for Likelihood-Free Inference",
    year=2019,
    venue="International Conference on Machine Learning",
    arxiv="1905.07488",
)
LIKELIHOOD = Reference(
    authors="Papamakarios, George and Sterratt, David and Murray, Iain",
    title="Sequential Neural Likelihood: Fast Likelihood-free Inference with Autoregressive Flows",
    year=2019,
    venue="International Conference on Artificial Intelligence and Statistics",
    arxiv="1805.07226",
)
NEURAL_DYNAMICS = Reference(
    authors=(
        "Lueckmann, Jan-Matthis and Gonçalves, Pedro and Bassetto, Giacomo and Öcal, Kaan "
        "and Nonnenmacher, Marcel and Macke, Jakob"
    ),
    title="Flexible statistical inference for mechanistic models of neural dynamics",
    year=2017,
    venue="Advances in Neural Information Processing Systems",
    arxiv="1711.01861",
)
EPIDEMICS = Reference(
    authors="Kermack, William Ogilvy and McKendrick, Anderson Gray",
    title="A contribution to the mathematical theory of epidemics",
    year=1927,
    venue="Proceedings of the Royal Society of London. Series A",
    doi="10.1098/rspa.1927.0118",
)
RHYTHMS = Reference(
    authors="Lotka, Alfred",
    title="Analytical note on certain rhythmic relations in organic systems",
    year=1920,
    venue="Proceedings of the National Academy of Sciences",
    doi="10.1073/pnas.6.7.410",
)
FLUCTUATIONS = Reference(
    authors="Volterra, Vito",
    title="Fluctuations in the abundance of a species considered mathematically",
    year=1926,
    venue="Nature",
    doi="10.1038/118558a0",
)
INVERTIBLE = Reference(
    authors="Kruse, Jakob and Ardizzone, Lynton and Rother, Carsten and Köthe, Ullrich",
    title="Benchmarking Invertible Architectures on Inverse Problems",
    year=2021,
    arxiv="2101.10763",
)
INVERSE_PROBLEMS = Reference(
    authors=(
        "Ardizzone, Lynton and Kruse, Jakob and Wirkert, Sebastian and Rahner, Daniel and Pellegrini, Eric "
        "and Klessen, Ralf and Maier-Hein, Lena and Rother, Carsten and Köthe, Ullrich"
    ),
    title="Analyzing Inverse Problems with Invertible Neural Networks",
    year=2019,
    venue="International Conference on Learning Representations",
    arxiv="1808.04730",
)
