"""The Brownian path of the kit is one path, of the right law, however it is asked."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from sbicore.errors import ConfigError
from sbicore.testing import BrownianPath

CUTS = (0.0, 0.1, 0.3, 0.75, 0.9, 1.0)


def integral(w, h, span):
    """Of the path relative to the start of the interval."""
    return span * (w / 2 + h)


@pytest.mark.parametrize("first", [(0.0, 1.0), (0.3, 0.9), (0.1, 0.75)])
def test_pieces_add_up_to_the_whole_whatever_is_asked_first(first):
    path = BrownianPath((4,), seed=1)
    before = path(*first)
    pieces = [(*path(a, b), b - a) for a, b in pairwise(CUTS)]
    w, area = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    for piece_w, piece_h, span in pieces:
        area = area + span * w + integral(piece_w, piece_h, span)
        w = w + piece_w
    whole = path(0.0, 1.0)
    torch.testing.assert_close(w, whole[0])
    torch.testing.assert_close(area, integral(*whole, 1.0))
    for now, then in zip(path(*first), before, strict=True):
        torch.testing.assert_close(now, then)


def test_pieces_have_the_law_of_independent_increments_and_areas_even_after_the_whole_was_asked():
    count = 200_000
    path = BrownianPath((count,), seed=2)
    path(0.0, 1.0)
    found = []
    for start, stop in ((0.1, 0.3), (0.3, 0.75), (0.75, 0.9)):
        w, h = path(start, stop)
        found += [w / math.sqrt(stop - start), h / math.sqrt((stop - start) / 12)]
    covariance = torch.cov(torch.stack(found))
    torch.testing.assert_close(covariance, torch.eye(6, dtype=torch.float64), rtol=0, atol=5 * math.sqrt(2 / count))


def test_backwards_the_increment_turns_and_the_area_stays():
    path = BrownianPath((4,), seed=1)
    (w, h), (back_w, back_h) = path(0.25, 0.5), path(0.5, 0.25)
    assert torch.equal(back_w, -w) and torch.equal(back_h, h)
    assert not path(0.5, 0.5)[0].any()


def test_the_seed_is_the_path_and_values_have_shape_and_dtype():
    paths = [BrownianPath((2, 3), seed=seed, t0=2.0, t1=-1.0, dtype=torch.float32) for seed in (1, 1, 2)]
    first, again, other = (path(1.5, -0.5)[0] for path in paths)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert (first.shape, first.dtype) == ((2, 3), torch.float32)


def test_a_time_outside_is_refused_beyond_rounding():
    path = BrownianPath((1,), seed=1)
    assert torch.equal(path(0.0, 1.0 + 1e-12)[0], path(0.0, 1.0)[0])
    with pytest.raises(ConfigError, match="runs from 0 to 1, but is asked at 1.1"):
        path(0.5, 1.1)
