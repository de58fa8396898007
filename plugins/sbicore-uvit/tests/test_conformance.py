"""The networks keep the contract of subnets, whatever their parts are."""

from sbicore_uvit import ResidualUViT, UViT

from sbicore.testing import parametrize_conformance

SMALL = {"num_heads": 2, "transformer_width": 16, "transformer_blocks": 1, "expansion_factor": 2.0}
CONFIGS = [
    UViT(**SMALL, widths=[8, 16], res_blocks=1),
    UViT(**SMALL, widths=[8, 16], norm="layer", use_film=False, down_mode="conv", activation="gelu", positions=False),
    UViT(
        **SMALL, widths=[8], padding="circular", attn_stage=[True], checkpointing=True, up_conv_first=False, dropout=0.1
    ),
    ResidualUViT(**SMALL, widths=[8, 16], res_blocks_down=1, res_blocks_up=1),
    ResidualUViT(**SMALL, widths=[8], norm=None, res_blocks_up=None, up_kernel_size=3, transformer_dropout=0.1),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
