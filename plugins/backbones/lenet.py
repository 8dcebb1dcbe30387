"""Two convolutions and a dense layer, after LeNet-5 (LeCun et al. 1998, doi:10.1109/5.726791).

ReLU, maximum pooling and padding that keeps the size are today's; they let it take images of 8 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..contracts import Backbone, BackboneModule
from ..hyperparameters import Choices, Range, static, traced
from .shapes import need_images

if TYPE_CHECKING:
    from flax import nnx


@dataclass(frozen=True)
class LeNet(Backbone):
    """A small convolutional network for images of 8 to about 64 pixels."""

    name = "lenet"

    width: int = static(16, "channels of the first convolution", search=(8, 16, 32), legal=Range(1, 4096))
    kernel: int = static(3, "side of the kernels", search=(3, 5), legal=Choices((3, 5, 7)))
    dropout: float = traced(
        0.2, "share of dense units dropped while training", search=Range(0, 0.5), legal=Range(0, 0.95)
    )

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> BackboneModule:
        """The module.

        Raises:
            LinnaeusError: E430 vectors, E431 images under 8 pixels.
        """
        need_images(self.name, shape, 8)
        from .lenet_network import LeNetModule

        return LeNetModule(shape, self.width, self.kernel, self.dropout, rngs)
