"""scikit-learn's handwritten digits: 1,797 images of 8 × 8, installed with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..contracts import Dataset, ImageSpec, Records

NOTE = (
    "the digits are ordered by writer and the writers are not named: a random split would put one writer's hand on both"
    " sides. The official split here is scikit-learn's own: the first 898 images train, the other 899 test"
)


@dataclass(frozen=True)
class Digits(Dataset):
    """The optical recognition digits of the UCI repository, as scikit-learn embeds them. Column: `target`, 0 to 9."""

    name: ClassVar[str] = "digits"

    def load(self, image: ImageSpec, base: Path, cache: Path) -> Records:
        """All images, grey; the values 0 to 16 are scaled to 0 to 255."""
        from sklearn.datasets import load_digits

        from .images import conform

        bunch = load_digits()
        pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
        n = len(pixels)
        splits = ["train" if i < n // 2 else "test" for i in range(n)]
        names = [f"{split}/{i:04d}" for i, split in enumerate(splits)]
        target = [int(t) for t in bunch.target]
        return Records(conform(pixels, image), names, {"target": target}, splits, notes=(NOTE,))
