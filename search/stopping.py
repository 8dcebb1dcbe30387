"""Which epoch of a trial speaks for it: the one-standard-error rule."""

from __future__ import annotations

import math
from collections.abc import Sequence


def chosen_epoch(curve: Sequence[float], images: int) -> int:
    """The last epoch (from 1) whose objective is within one standard error of the best.

    On few validation images the highest point of a curve is mostly luck, and early ones are of a learning rate that
    has not come down yet. Among epochs that the validation split can't tell apart, this takes the one trained most
    (the one-standard-error rule of Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3).

    Args:
        curve: the objective after each epoch, larger is better; not empty.
        images: validation images. The standard error is that of a proportion; an objective outside 0 … 1 is taken to
            have none, so that only ties go to the later epoch.
    """
    best = max(curve)
    error = math.sqrt(best * (1 - best) / images) if 0 <= best <= 1 else 0.0
    return max(epoch for epoch, value in enumerate(curve, start=1) if value >= best - error)
