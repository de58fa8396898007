"""The steps of an adapter by name."""

from __future__ import annotations

from .affine import Scale, Shift, Standardize
from .apply import Apply
from .axes import AsSet, AsTimeSeries, ExpandDims, Squeeze
from .broadcast import Broadcast
from .concatenate import Concatenate
from .constrain import Constrain
from .correlation import AsCorrelationMatrix
from .covariance import AsCovarianceMatrix, AsPrecisionMatrix
from .dtypes import ConvertDtype, MapDtype, ToArray
from .nan_to_num import NanToNum
from .one_hot import OneHot
from .powers import Log, Sqrt
from .selection import Drop, Keep, Rename
from .simplex import AsSimplex
from .split import Split
from .take import Take
from .transform import Transform

__all__ = ["STEPS"]

STEPS: dict[str, type[Transform]] = {
    cls.name: cls
    for cls in (
        Apply,
        AsCorrelationMatrix,
        AsCovarianceMatrix,
        AsPrecisionMatrix,
        AsSet,
        AsSimplex,
        AsTimeSeries,
        Broadcast,
        Concatenate,
        Constrain,
        ConvertDtype,
        Drop,
        ExpandDims,
        Keep,
        Log,
        MapDtype,
        NanToNum,
        OneHot,
        Rename,
        Scale,
        Shift,
        Split,
        Sqrt,
        Squeeze,
        Standardize,
        Take,
        ToArray,
    )
}
