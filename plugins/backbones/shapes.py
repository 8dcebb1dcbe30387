"""What convolutions ask of an input. No JAX here: plugins are listed without it."""

from __future__ import annotations

from ...errors import fail


def need_images(backbone: str, shape: tuple[int, ...], side: int) -> None:
    """Hold an input shape against what convolutions need.

    Raises:
        LinnaeusError: E430 vectors, E431 images under `side` pixels.
    """
    if len(shape) != 3:
        step = "choose linear or mlp for feature vectors"
        raise fail("E430", f"the backbone {backbone} needs images, not vectors of {shape[0]} features", help=step)
    if min(shape[:2]) < side:
        raise fail(
            "E431",
            f"the backbone {backbone} needs images of at least {side} × {side} pixels, not {shape[0]} × {shape[1]}",
            help="raise data.image.size, or choose linear or mlp",
        )
