"""Parts of image backbones, for fields with one, two or three axes of pixels.

Fields are `(N, C, *space)` in here, with the channels last in memory, and `(*, *space, C)` outside: `Stem` leads in and
`unfold` out. What all parts of a network have in common is its `Style`. `Embedding` turns the time, and conditions
that are vectors, into one row for each field, or for all. `ImageBackbone` is the frame: it leads in and out.
"""

from .attention import SelfAttention
from .backbone import ImageBackbone, require_sides
from .embedding import Embedding
from .film import Film
from .resampling import Downsample, Upsample
from .residual import ResidualBlock
from .stage import Stage
from .stem import Stem, fold, leading, unfold
from .style import Style

__all__ = [
    "Downsample",
    "Embedding",
    "Film",
    "ImageBackbone",
    "ResidualBlock",
    "SelfAttention",
    "Stage",
    "Stem",
    "Style",
    "Upsample",
    "fold",
    "leading",
    "require_sides",
    "unfold",
]
