"""Seeds for simulators: one for each (function, row), whoever runs it and in whatever order."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["child", "restored_global_state", "seed_global_state"]


def child(seed: int, *key: int) -> np.random.SeedSequence:
    """The seed sequence at this place of the tree that grows from `seed`."""
    return np.random.SeedSequence(seed, spawn_key=key)


@contextmanager
def restored_global_state() -> Iterator[None]:
    """Put the global generators of random, NumPy and (if imported) torch's CPU back as they were."""
    torch = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch:
            torch.set_rng_state(before[2])


def seed_global_state(sequence: np.random.SeedSequence) -> None:
    """Seed the global generators that `restored_global_state` looks after."""
    words = sequence.generate_state(9)  # words of its own for each: random and NumPy seed alike
    random.seed(words[:4].tobytes())
    np.random.seed(words[4:8])
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(int(words[8]))  # manual_seed of torch itself takes 90 us
