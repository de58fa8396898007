"""The network keeps the contract of subnets, whatever its parts are."""

from sbicore_unet import UNet

from sbicore.testing import parametrize_conformance

CONFIGS = [
    UNet(widths=[8, 16], res_blocks=1),
    UNet(
        widths=[8, 8, 8], res_blocks=1, norm="layer", use_film=False, down_mode="conv", activation="gelu", dropout=0.1
    ),
    UNet(widths=[8], norm=None, padding="circular", attn_stage=[False], checkpointing=True, activation="mish"),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
