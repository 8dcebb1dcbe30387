"""Residual networks (He et al. 2016, arXiv:1512.03385), for small images and for ImageNet's.

Depths 18, 34 and 50 have four stages; with 64 channels and the ImageNet stem they are the published ones, with the
stride of a bottleneck on its 3 × 3 convolution. Depths 8 and 14 have three stages, as the paper's networks for CIFAR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..contracts import Backbone, BackboneModule
from ..hyperparameters import Choices, Range, static
from .shapes import need_images

if TYPE_CHECKING:
    from flax import nnx

BLOCKS = {8: (1, 1, 1), 14: (2, 2, 2), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Residual blocks by stage, by depth."""
Stem = Literal["small", "strided", "imagenet"]


@dataclass(frozen=True)
class ResNet(Backbone):
    """A residual network with batch normalisation.

    Features: 4·width at depths 8 and 14, 8·width at 18 and 34, 32·width at 50.
    """

    name = "resnet"

    depth: int = static(
        8, "layers with weights; 8 and 14 for small images", search=(8, 14), legal=Choices((8, 14, 18, 34, 50))
    )
    width: int = static(16, "channels of the first stage", search=(16, 32), legal=Range(1, 4096))
    stem: Literal["auto", "small", "strided", "imagenet"] = static(
        "auto",
        "first layer: small (3 × 3), strided (3 × 3, halves the side), imagenet (7 × 7 and pooling, quarters it); "
        "auto: small below 24 pixels, imagenet from 96",
    )

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> BackboneModule:
        """The module.

        Raises:
            LinnaeusError: E430 vectors, E431 images that shrink to nothing before the last stage.
        """
        stem = self._stem(min(shape[:2]))
        shrink = {"small": 1, "strided": 2, "imagenet": 4}[stem] * 2 ** (len(BLOCKS[self.depth]) - 1)
        need_images(self.name, shape, max(4, shrink))
        from .resnet_network import ResNetModule

        return ResNetModule(shape[2], self.depth, self.width, stem, rngs)

    def _stem(self, side: int) -> Stem:
        if self.stem != "auto":
            return self.stem
        return "small" if side < 24 else "strided" if side < 96 else "imagenet"
