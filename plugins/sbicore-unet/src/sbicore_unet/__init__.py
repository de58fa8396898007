"""A U-Net for image and field targets: `unet`. Its parts are `sbicore_unet.blocks`."""

from .config import UNet

__all__ = ["UNet"]
