from __future__ import annotations

import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.backbones.layers import Dropout
from linnaeus.plugins.backbones.lenet import LeNet
from linnaeus.plugins.backbones.linear import Linear
from linnaeus.plugins.backbones.mlp import MLP
from linnaeus.plugins.backbones.resnet import ResNet
from linnaeus.plugins.backbones.resnet_network import Block
from linnaeus.plugins.testing import check_backbone

BUILT_IN = [
    (Linear(), (5, 4, 1)),
    (Linear(), (7,)),
    (MLP(depth=2, width=16), (7,)),
    (LeNet(width=4, kernel=5), (13, 10, 3)),
    (ResNet(width=4), (8, 8, 1)),
]


@pytest.mark.parametrize(("backbone", "shape"), BUILT_IN, ids=str)
def test_built_in_backbones_conform(backbone, shape):
    check_backbone(backbone, shape)


class WithLayer(nnx.Module):
    def __init__(self, depth, rngs):
        self.backbone = ResNet(depth=depth, width=64, stem="imagenet").build((224, 224, 3), rngs)
        self.layer = nnx.Linear(self.backbone.features, 1000, rngs=rngs)


@pytest.mark.parametrize(
    ("depth", "features", "parameters"), [(18, 512, 11_689_512), (34, 512, 21_797_672), (50, 2048, 25_557_032)]
)
def test_imagenet_resnets_have_the_published_number_of_parameters(depth, features, parameters):
    model = nnx.eval_shape(lambda: WithLayer(depth, nnx.Rngs(0)))
    assert model.backbone.features == features
    assert sum(math.prod(p.shape) for p in jax.tree.leaves(nnx.state(model, nnx.Param))) == parameters


@pytest.mark.parametrize(
    ("shape", "stem", "sides"),
    [((8, 8, 1), "small", 8), ((28, 28, 1), "strided", 14), ((112, 112, 3), "imagenet", 28)],
)
def test_the_stem_follows_the_size_of_the_images(shape, stem, sides):
    auto = nnx.eval_shape(lambda: ResNet(width=4).build(shape, nnx.Rngs(0)))
    given = nnx.eval_shape(lambda: ResNet(width=4, stem=stem).build(shape, nnx.Rngs(0)))
    assert nnx.graphdef(auto) == nnx.graphdef(given)
    stride = auto.stem.stride * (2 if auto.pooled else 1)
    assert shape[0] // stride == sides


@pytest.mark.parametrize(
    ("backbone", "shape"),
    [
        (ResNet(depth=14, width=2, stem="strided"), (17, 20, 3)),
        (ResNet(depth=34, width=2, stem="small"), (8, 9, 1)),
        (ResNet(depth=50, width=2, stem="imagenet"), (33, 32, 3)),
    ],
    ids=str,
)
def test_deeper_resnets_give_the_features_they_say(backbone, shape):
    def features(x):
        module = backbone.build(shape, nnx.Rngs(0))
        features.number = module.features
        return module(x, train=True)

    found = jax.eval_shape(features, jnp.zeros((5, *shape)))
    assert found.shape == (5, features.number)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_residual_branch_starts_as_nothing(bottleneck):
    """The last batch norm of a block scales by zero, so that at first every block passes its input on."""

    @jax.jit
    def first(x):
        return Block(8, 8, 1, bottleneck, nnx.Rngs(0))(x, train=True)

    x = jax.random.normal(jax.random.key(0), (2, 4, 4, 8))
    assert jnp.allclose(first(x), jax.nn.relu(x), atol=1e-6)


def test_dropout_is_of_training_only_and_keeps_the_mean():
    dropout = Dropout(0.25, rngs=nnx.Rngs(0))
    x = jnp.ones((100, 100))
    assert (dropout(x, train=False) == 1).all()
    dropped = dropout(x, train=True)
    assert float((dropped == 0).mean()) == pytest.approx(0.25, abs=0.02)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert (dropout(x, train=True) != dropped).any()


@pytest.mark.parametrize(
    ("backbone", "shape", "message"),
    [
        (LeNet(), (7, 30, 1), "lenet needs images of at least 8 × 8 pixels, not 7 × 30"),
        (LeNet(), (30,), "lenet needs images, not vectors of 30 features"),
        (ResNet(depth=18, stem="imagenet"), (31, 31, 3), "at least 32 × 32"),
        (ResNet(), (3, 3, 3), "at least 4 × 4"),
        (ResNet(), (64,), "resnet needs images, not vectors of 64 features"),
    ],
)
def test_inputs_that_do_not_suit_are_refused(backbone, shape, message):
    with pytest.raises(LinnaeusError, match=message):
        backbone.build(shape, nnx.Rngs(0))


def test_a_backbone_that_breaks_the_contract_is_told_so():
    class Wrong(nnx.Module):
        features = 3

        def __call__(self, x, *, train):
            return x.reshape(len(x), -1)

    class WrongLinear(Linear):
        def build(self, shape, rngs):
            return Wrong()

    with pytest.raises(AssertionError, match="features are"):
        check_backbone(WrongLinear(), (4, 4, 1))


def test_reading_the_fields_of_training_plugins_imports_no_jax():
    code = (
        "import sys\n"
        "from linnaeus.plugins.registry import installed, load\n"
        "kinds = ('backbone', 'optimizer', 'augmentation')\n"
        "found = [load(e) for e in installed().entries.values() if e.kind in kinds]\n"
        "assert len(found) == 8 and not any(e.error for e in found), found\n"
        "assert not {'jax', 'flax', 'optax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
