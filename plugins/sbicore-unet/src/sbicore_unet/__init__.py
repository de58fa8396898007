"""A U-Net for image and field targets: `unet`.

Other image backbones take its parts from `sbicore_unet.blocks`, and what configs have in common from `ImageConfig`.
"""

from .config import UNet
from .image_config import ImageConfig

__all__ = ["ImageConfig", "UNet"]
