from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linnaeus.plugins.augmentations.flip import Flip
from linnaeus.plugins.augmentations.shift import Shift
from linnaeus.plugins.testing import check_augmentation, traced_of


@pytest.mark.parametrize("augmentation", [Shift(pixels=2), Flip()], ids=["shift", "flip"])
def test_built_in_augmentations_conform(augmentation):
    check_augmentation(augmentation)
    check_augmentation(augmentation, (9, 5, 1))


def test_shift_moves_by_each_whole_number_of_pixels_equally_often():
    """An image of its own coordinates tells how far it was moved."""
    side, far, count = 9, 2, 4000
    y, x = np.mgrid[:side, :side]
    images = jnp.asarray(np.broadcast_to(np.stack([y, x], -1), (count, side, side, 2)), jnp.float32)
    moved = np.asarray(Shift().apply({"pixels": np.float32(far)}, jax.random.key(0), images))
    centre = moved[:, 4, 4].astype(int) - 4
    for row, (dy, dx) in zip(moved[:50], centre[:50], strict=True):
        assert (row[..., 0] == np.clip(y + dy, 0, side - 1)).all()
        assert (row[..., 1] == np.clip(x + dx, 0, side - 1)).all()
    for axis in (0, 1):
        values, counts = np.unique(centre[:, axis], return_counts=True)
        assert values.tolist() == list(range(-far, far + 1))
        assert np.abs(counts / count - 1 / 5).max() < 0.03


def test_shift_by_nothing_is_the_identity():
    images = jax.random.normal(jax.random.key(0), (4, 5, 6, 2))
    assert (Shift().apply({"pixels": np.float32(0)}, jax.random.key(1), images) == images).all()


def test_flip_mirrors_its_share():
    images = jax.random.normal(jax.random.key(0), (2000, 3, 4, 1))
    flip = Flip(probability=0.25)
    flipped = np.asarray(flip.apply(traced_of(flip), jax.random.key(1), images))
    mirrored = (flipped == np.asarray(images)[:, :, ::-1]).all((1, 2, 3))
    assert mirrored.mean() == pytest.approx(0.25, abs=0.04)
    assert (flipped[~mirrored] == np.asarray(images)[~mirrored]).all()
