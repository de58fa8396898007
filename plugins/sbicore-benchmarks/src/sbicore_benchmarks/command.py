"""`sbicore benchmark`: accuracy, also beside other tools, speed, and evaluations a draw needs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sbicore.hookspecs import hookimpl

__all__ = ["sbicore_cli"]


@hookimpl
def sbicore_cli(commands: Any) -> None:
    """Add the subcommand."""
    text = "measure accuracy and speed, also of other tools"
    benchmark = commands.add_parser("benchmark", help=text, description=text.capitalize() + ".")
    kinds = benchmark.add_subparsers(title="benchmarks", metavar="BENCHMARK", required=True)
    accuracy = kinds.add_parser("accuracy", help="C2ST against the published reference posteriors")
    _add_study(accuracy)
    accuracy.set_defaults(run=_run_accuracy, peer=[], report="accuracy")
    peers = kinds.add_parser("peers", help="the same beside other tools, each in its own environment")
    _add_study(peers)
    _add_peers(peers, "+", "default: all")
    peers.set_defaults(run=_run_accuracy, report="peers")
    speed = kinds.add_parser("speed", help="times of a training step, draws, densities, import and first result")
    _add_peers(speed, "*", "default: all; without names: none")
    speed.add_argument("--network", nargs="+", default=["flow_matching"], help="inference networks, or ratio")
    speed.add_argument("--rounds", type=int, default=3, help="repeats, interleaved (default: 3)")
    speed.add_argument("--threads", type=int, help="of each process (default: all processors)")
    _add_out(speed)
    speed.set_defaults(run=_run_speed)
    summaries = kinds.add_parser("summaries", help="times of summary networks and of point_network, beside BayesFlow's")
    _add_beside(summaries)
    summaries.set_defaults(run=_run_summaries)
    images = kinds.add_parser("images", help="times and memory of image subnets in flow matching, beside BayesFlow's")
    _add_beside(images)
    images.add_argument("--draws", type=int, help="draws of the default solver to time, too (default: none)")
    images.set_defaults(run=_run_images)
    evaluations = kinds.add_parser("evaluations", help="accuracy of draws by solver and number of evaluations")
    _add_evaluations(evaluations)
    evaluations.set_defaults(run=_run_evaluations)
    disk = kinds.add_parser("disk", help="training from a store that is larger than the memory (Linux)")
    disk.add_argument("--gib", type=float, default=10.0, help="size of the data (default: 10)")
    disk.add_argument("--limit-gib", type=float, default=1.0, help="memory above the imports (default: 1)")
    disk.add_argument("--memory-mb", type=int, default=256, help="option of fit (default: 256)")
    disk.add_argument("--rounds", type=int, default=1, help="repeats, interleaved (default: 1)")
    disk.add_argument("--threads", type=int, default=1, help="of the process (default: 1)")
    _add_out(disk)
    disk.set_defaults(run=_run_disk)


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", help="quick: two tasks, 1e4, some minutes; ci: a smaller one; full: ten tasks, 1e5")
    parser.add_argument("--task", nargs="+", help="published tasks (default: all ten)")
    parser.add_argument("--network", nargs="+", default=["flow_matching"], help="inference networks, or ratio")
    parser.add_argument("--budget", nargs="+", help="numbers of simulations such as 1e4, or online (default: 1e5)")
    _add_training(parser)
    parser.add_argument("--observation", nargs="+", type=int, help="of the published ten (default: 1 2 3)")
    parser.add_argument("--seed", nargs="+", type=int, default=[1], help="of simulations, training and draws")
    parser.add_argument("--draws", type=int, help="per observation (default: 10000, as many as the reference has)")
    parser.add_argument(
        "--published-c2st",
        nargs="+",
        default=[],
        metavar="TASK",
        help="tasks whose first observation is also scored by the published definition (slow)",
    )
    parser.add_argument("--workers", type=int, default=1, help="trainings at a time (default: 1)")
    parser.add_argument("--threads", type=int, help="of each training (default: processors / workers)")
    _add_out(parser)


def _add_evaluations(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", nargs="+", help="published tasks (default: three)")
    parser.add_argument("--network", default="flow_matching", help="inference network")
    parser.add_argument("--budget", default="1e5", help="number of simulations (default: 1e5)")
    _add_training(parser)
    parser.add_argument("--options", nargs="+", help="JSON objects: options of sample (default: methods with 8 to 48)")
    parser.add_argument("--reference", help="JSON object: options of the long draws (default: rk4, 125 steps)")
    parser.add_argument("--observation", nargs="+", type=int, help="of the published ten (default: all)")
    parser.add_argument("--seed", nargs="+", type=int, default=[1, 2], help="of draws (default: 1 2)")
    parser.add_argument("--draws", type=int, default=2_000, help="per observation (default: 2000)")
    parser.add_argument("--threads", type=int, help="of the process (default: all processors)")
    _add_out(parser)


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="auto", help="of the network; auto: by budget (default); none")
    parser.add_argument("--hyperparameters", help="JSON object: arguments of sbicore.build, over the preset")
    parser.add_argument("--fit", help="JSON object: options of fit, over the preset")


def _add_peers(parser: argparse.ArgumentParser, number: str, default: str) -> None:
    text = f"such as sbi.npe or bayesflow_torch.flow_matching ({default})"
    parser.add_argument("--peer", nargs=number, help=text)


def _add_beside(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", nargs="+", help="which (default: all)")
    text = "bayesflow_torch, bayesflow_jax (default: both; without names: none)"
    parser.add_argument("--peer", nargs="*", help=text)
    parser.add_argument("--rounds", type=int, default=3, help="repeats, interleaved (default: 3)")
    parser.add_argument("--threads", type=int, help="of each process (default: all processors)")
    _add_out(parser)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmark"),
        help="folder of results; finished ones are not measured again (default: ./benchmark)",
    )


def _run_accuracy(options: argparse.Namespace) -> int:
    from .accuracy import run

    return run(options)


def _run_disk(options: argparse.Namespace) -> int:
    from .disk import run

    return run(options)


def _run_speed(options: argparse.Namespace) -> int:
    from .speed import run

    return run(options)


def _run_summaries(options: argparse.Namespace) -> int:
    from .summaries import run

    return run(options)


def _run_images(options: argparse.Namespace) -> int:
    from .images import run

    return run(options)


def _run_evaluations(options: argparse.Namespace) -> int:
    from .evaluations import run

    return run(options)
