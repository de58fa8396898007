"""Random numbers that can be given again: child seeds, generators, and draws from them.

A row of draws made from its own generator does not depend on the rows beside it. Torch is
imported by the functions that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ConfigError

if TYPE_CHECKING:
    import torch
    from torch import Generator, Tensor

__all__ = ["RowGenerators", "as_seed", "fresh_seed", "generator_for", "rand", "randn", "seed_for", "standard_gamma"]

# Torch saves its Mersenne Twister as three header words of 8 bytes, then 624 words of 8 bytes each.
_WORDS, _START = 624, 24


def seed_for(seed: int, *keys: int) -> int:
    """A well-mixed child seed in `[0, 2**63)`, the same for the same arguments on every machine.

    Source: `numpy.random.SeedSequence(entropy=seed, spawn_key=keys)`.

    Raises:
        ConfigError: a negative seed or key, or one that is not whole.
    """
    return int(_sequence(seed, keys).generate_state(1, np.uint64)[0]) >> 1


def fresh_seed() -> int:
    """A seed in `[0, 2**63)` from torch's default generator, which `torch.manual_seed` sets."""
    import torch

    return int(torch.randint(2**63 - 1, ()))


def as_seed(seed: int | None) -> int:
    """The seed itself, or a fresh one where none is given.

    Raises:
        ConfigError: not a whole number >= 0.
    """
    if seed is None:
        return fresh_seed()
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed.__index__() < 0:
        raise ConfigError(f"seed must be a whole number >= 0, got {seed!r}\nGive for instance: seed=1")
    return seed.__index__()


def generator_for(seed: int, *keys: int, device: str | torch.device = "cpu") -> Generator:
    """A new generator for the child `keys` of `seed`.

    On the CPU torch reads 32 bits of a seed, which among 100,000 children gives one pair alike
    on average; the whole state is filled instead.

    Raises:
        ConfigError: as `seed_for`.
    """
    import torch

    generator = torch.Generator(device=device).manual_seed(seed_for(seed, *keys))
    if generator.device.type == "cpu":
        words = _sequence(seed, keys).generate_state(_WORDS, np.uint32)
        state = generator.get_state().numpy().copy()
        state[_START : _START + 8 * _WORDS].view(np.uint64)[:] = words
        generator.set_state(torch.from_numpy(state))
    return generator


class RowGenerators(Sequence["Generator"]):
    """One generator a row, made when first used and then kept, so that later draws go on from there."""

    def __init__(self, seed: int, rows: Sequence[tuple[int, ...]], device: str | torch.device = "cpu") -> None:
        self.seed, self.rows, self.device = seed, rows, device
        self._made: dict[int, Generator] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if index not in self._made:
            self._made[index] = generator_for(self.seed, *self.rows[index], device=self.device)
        return self._made[index]


def randn(
    shape: Sequence[int],
    generator: Generator | Sequence[Generator] | None = None,
    like: Tensor | None = None,
) -> Tensor:
    """Standard normal draws of this shape.

    Args:
        shape: shape of the result.
        generator: None for torch's default, one generator, or one for each row of axis 0.
        like: its dtype and device are the result's; by default torch's default dtype, on the
            generator's device. Draws are made where the generator lives and then moved.

    Raises:
        ConfigError: another number of generators than rows.
    """
    return _fill(shape, generator, like, lambda out, g: out.normal_(generator=g))


def rand(
    shape: Sequence[int],
    generator: Generator | Sequence[Generator] | None = None,
    like: Tensor | None = None,
) -> Tensor:
    """Uniform draws on `[0, 1)`; arguments and errors as `randn`."""
    return _fill(shape, generator, like, lambda out, g: out.uniform_(generator=g))


def standard_gamma(
    concentration: float,
    shape: Sequence[int],
    generator: Generator | Sequence[Generator] | None = None,
    like: Tensor | None = None,
) -> Tensor:
    """Gamma draws of this concentration and rate 1; other arguments and errors as `randn`."""
    import torch

    def draw(out: Tensor, g: Generator | None) -> None:
        out.copy_(torch._standard_gamma(out.fill_(concentration), generator=g))

    return _fill(shape, generator, like, draw)


def _fill(
    shape: Sequence[int],
    generator: Generator | Sequence[Generator] | None,
    like: Tensor | None,
    draw: Callable[[Tensor, Generator | None], Any],
) -> Tensor:
    import torch

    rows = None if generator is None or isinstance(generator, torch.Generator) else list(generator)
    if rows is not None and len(rows) != (shape[0] if shape else 0):
        raise ConfigError(f"expected one generator for each row of shape {tuple(shape)}, got {len(rows)}").within(
            "generator"
        )
    source = rows[0] if rows else generator
    device = source.device if isinstance(source, torch.Generator) else _device(like)
    out = torch.empty(tuple(shape), dtype=None if like is None else like.dtype, device=device)
    if rows is None:
        draw(out, source)  # type: ignore[arg-type]
    else:
        for row, own in zip(out, rows, strict=True):
            draw(row, own)
    return out if like is None else out.to(like.device)


def _device(like: Tensor | None) -> Any:
    return None if like is None else like.device


def _sequence(seed: int, keys: Sequence[int]) -> np.random.SeedSequence:
    for value in (seed, *keys):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 0:
            raise ConfigError(f"expected whole numbers >= 0, got {value!r}").within("seed")
    return np.random.SeedSequence(entropy=int(seed), spawn_key=tuple(int(key) for key in keys))
