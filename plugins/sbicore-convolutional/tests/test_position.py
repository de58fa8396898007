"""The network learns where something is, although it averages over pixels."""

from __future__ import annotations

import torch
from sbicore_convolutional import ConvolutionalNetwork

from sbicore.shapes import Shapes


def test_a_position_is_learnt():
    """That of a spot of unknown brightness, to a fraction of a pixel; the prior's deviation is 3.5 pixels."""
    generator = torch.Generator().manual_seed(0)

    def simulate(rows):
        place = 12 * torch.rand(rows, 2, generator=generator) + 2
        gap = torch.arange(16.0) + 0.5 - place[..., None]
        spot = (-gap.square() / 2).exp()
        bright = 2 + 2 * torch.rand(rows, 1, 1, generator=generator)
        image = bright * spot[:, 0, :, None] * spot[:, 1, None, :]
        return (image + 0.1 * torch.randn(image.shape, generator=generator))[..., None], place

    torch.manual_seed(0)
    config = ConvolutionalNetwork(summary_dim=2, widths=[16, 16], blocks_per_stage=1)
    module = config.build(Shapes(target=(16, 16, 1)))
    steps, optimizer = 200, torch.optim.Adam(module.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for _ in range(steps):
        x, place = simulate(64)
        optimizer.zero_grad()
        (module(x) - (place - 8) / 3.5).square().mean().backward()
        optimizer.step()
        schedule.step()
    x, place = simulate(500)
    with torch.no_grad():
        error = 3.5 * (module(x) - (place - 8) / 3.5).square().mean().sqrt()
    assert error < 0.5
