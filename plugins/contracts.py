"""What a plugin must be. One small contract a kind; every built-in comes in by the same door as anyone's.

A plugin is a frozen dataclass whose fields are hyperparameters (see `hyperparameters`). It subclasses the contract of
its kind and is named by an entry point in the group `linnaeus.KINDs`, such as `linnaeus.backbones`. Array types are
JAX's where a method runs in the compiled program and NumPy's elsewhere. B is a batch, N all images, K scores, S states,
L labels, V variables (`linnaeus.dsl.tables`).

This module imports no JAX, so that listing plugins and checking a study stay quick.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..dsl.annotations import Cell as Cell
from ..dsl.ontology import Group, Ontology
from ..dsl.tables import Bools, Tables

if TYPE_CHECKING:
    import jax
    import optax
    from flax import nnx


class Plugin(abc.ABC):
    """Base of every kind. `name` is what a study file writes; it equals the entry point's name."""

    kind: ClassVar[str]
    name: ClassVar[str]
    license: ClassVar[str] = "Apache-2.0"


# --- backbones -------------------------------------------------------------------------------------


class BackboneModule(Protocol):
    """An NNX module from images to features."""

    features: int

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Normalised float32 images [B, H, W, C] (or vectors [B, F]) → features [B, `features`]."""
        ...


class Backbone(Plugin):
    """Images to features."""

    kind = "backbone"

    @abc.abstractmethod
    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> BackboneModule:
        """The module for one image shape, (H, W, C) or (F,).

        Raises:
            LinnaeusError: the shape does not suit this backbone (too small, or vectors given to convolutions).
        """


# --- heads -----------------------------------------------------------------------------------------


class HeadModule(Protocol):
    """An NNX module from features to a distribution over the legal worlds of an ontology."""

    def __call__(self, features: jax.Array) -> jax.Array:
        """[B, features] → scores [B, K]."""
        ...

    def log_likelihood(self, scores: jax.Array, allowed: jax.Array) -> jax.Array:
        """Log-probability of evidence, [B]: scores [B, K], allowed states [B, S] bool. Training minimises its
        negative mean.

        Unknown evidence gives 0 for a normalised head. For a head that is not normalised: a composite log-likelihood.
        """
        ...

    def marginals(self, scores: jax.Array) -> jax.Array:
        """P(label holds), [B, L], from scores [B, K]."""
        ...

    def best_world(self, scores: jax.Array) -> jax.Array:
        """The most probable world as labels [B, L] bool; for an incoherent head its plain thresholded answer."""
        ...


class Head(Plugin):
    """Features to a distribution over worlds. The three flags are what the leaderboard prints."""

    kind = "head"
    normalised: ClassVar[bool]
    """Whether the probabilities of all legal worlds sum to one."""
    coherent: ClassVar[bool]
    """Whether no label ever gets more probability than its parent and every decoded world is legal without rules."""
    obeys_rules: ClassVar[bool]
    """Whether worlds that break a hard rule get probability zero."""

    @classmethod
    def check(cls, ontology: Ontology) -> None:
        """Refuse an ontology that the head can't be right about; called when a study is read. None is by default.

        Raises:
            LinnaeusError: what of the ontology, and why.
        """

    @abc.abstractmethod
    def build(self, tables: Tables, features: int, rngs: nnx.Rngs) -> HeadModule:
        """The module for one ontology and one number of input features."""


class Decoder(Plugin):
    """From a head's distribution to one answer. Chosen after training, at no training cost."""

    kind = "decoder"

    @classmethod
    def check(cls, ontology: Ontology) -> None:
        """Refuse an ontology that the decoder can't be right about; called when a study is read. None is by default.

        Raises:
            LinnaeusError: what of the ontology, and why.
        """

    @abc.abstractmethod
    def decode(self, tables: Tables, head: HeadModule, scores: jax.Array) -> jax.Array:
        """The decoded world as labels [B, L] bool, from scores [B, K]; runs inside the compiled program."""


# --- training --------------------------------------------------------------------------------------


class Optimizer(Plugin):
    """An optax gradient transformation made from (possibly traced) hyperparameters."""

    kind = "optimizer"

    @abc.abstractmethod
    def make(self, traced: Mapping[str, Any], schedule: Any) -> optax.GradientTransformation:
        """The transformation.

        Args:
            traced: the traced fields, as scalars of the compiled program; read these, not `self`.
            schedule: step → multiplier in [0, 1] of the learning rate.
        """


class Augmentation(Plugin):
    """A random change of training images, inside the compiled program."""

    kind = "augmentation"

    @abc.abstractmethod
    def apply(self, traced: Mapping[str, Any], key: jax.Array, images: jax.Array) -> jax.Array:
        """Normalised images [B, H, W, C] → the same shape. `traced` holds the traced fields as scalars."""


# --- data sets -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """How images become arrays: square side in pixels (None: as they are), channels, and how the aspect is met.

    `resize`: `fit` scales the short side and crops the centre; `pad` scales the long side and pads with zeros;
    `stretch` ignores aspect.
    """

    size: int | None = None
    channels: Literal["grey", "rgb"] | None = None
    resize: Literal["fit", "pad", "stretch"] = "fit"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that could not be decoded: its name and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Records:
    """What a data set plugin gives: images and raw annotations of N records, in a fixed order.

    Shapes:
        images: uint8 [N, H, W, C] (may be memory-mapped), or float32 [N, F] feature vectors. Rows of
        unreadable images are zero.
        names: N stable names (a relative path, or SPLIT/NUMBER), unique.
        columns: raw values by column, each of length N.
        splits: N of "train", "validation", "test", or None where the data set has no official split.
        unreadable: by row index.
    """

    images: NDArray[Any]
    names: Sequence[str]
    columns: Mapping[str, Sequence[Cell]]
    splits: Sequence[str] | None = None
    unreadable: Mapping[int, Unreadable] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Facts a reader should know (an order that leaks, say); printed and kept in the results."""


class Annotated(Protocol):
    """What names, columns and splits are read from: `Records`, or `Annotations` where nobody needs pixels."""

    @property
    def names(self) -> Sequence[str]:
        """N stable names, unique."""

    @property
    def columns(self) -> Mapping[str, Sequence[Cell]]:
        """Raw values by column, each of length N."""

    @property
    def splits(self) -> Sequence[str] | None:
        """N of "train", "validation", "test", or None."""


@dataclass(frozen=True)
class Annotations:
    """What a data set says of its N images, without decoding them: names, columns, splits and notes as in `Records`.

    `sources` gives by index an image's file (a path), its encoded bytes, or its pixels: what copies are found by.
    """

    names: Sequence[str]
    columns: Mapping[str, Sequence[Cell]]
    sources: Sequence[Any]
    splits: Sequence[str] | None = None
    notes: tuple[str, ...] = ()


class Dataset(Plugin):
    """A source of images and raw annotations. Fields stand beside `source:` in a study's `data:`."""

    kind = "dataset"

    @abc.abstractmethod
    def load(self, image: ImageSpec, base: Path, cache: Path) -> Records:
        """Read everything.

        Args:
            image: how to make arrays of images.
            base: the folder of the study file; relative paths start there.
            cache: a folder for decoded images, shared by studies; keyed by content, so it may be deleted at any time.

        Raises:
            LinnaeusError: the source is missing, empty or malformed.
        """

    def annotations(self, image: ImageSpec, base: Path, cache: Path) -> Annotations:
        """All that `load` says but for the pixels. A plugin that has it without decoding images overrides this.

        Raises:
            LinnaeusError: as `load`.
        """
        records = self.load(image, base, cache)
        sources: Any = records.images
        return Annotations(records.names, records.columns, sources, records.splits, records.notes)


# --- metrics ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Predictions:
    """Predictions on N images beside what their evidence says. All that a metric sees.

    Shapes:
        possible: [N, S] bool, the states that agree with the evidence (`Evidence.possible`).
        worlds: [N, L] bool, the decoded labels.
        probabilities: [N, L] float32, P(label holds).
        log_likelihood: [N] float, of the evidence; None for a head that is not normalised.
    """

    tables: Tables
    possible: Bools
    worlds: Bools
    probabilities: NDArray[np.float32]
    log_likelihood: NDArray[np.floating[Any]] | None

    @property
    def ontology(self) -> Ontology:
        """The ontology predicted in."""
        return self.tables.ontology


class Score(abc.ABC):
    """A metric applied to predictions, ready for any weighting of the images.

    `decided` [N] marks the images whose evidence decides the metric; n is their number.
    """

    decided: Bools

    @abc.abstractmethod
    def under(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The metric, [W], under image weights [W, N]; nan where no weighted image decides it.

        A weight of k counts an image k times, which is how the bootstrap repeats images.
        """

    def value(self) -> float:
        """The metric itself, every image counted once; nan where no image decides it."""
        return float(self.under(np.ones((1, len(self.decided))))[0])


@dataclass(frozen=True)
class Summands(Score):
    """A metric that is a function of sums over images.

    `values` [N, k] per image (NumPy, or SciPy sparse for many classes; 0 where undecided); `finish` takes weighted
    sums [W, k] to the metric [W]. Accuracy is (correct, decided) → correct / decided. Every metric of this form is
    bootstrapped by one matrix product.
    """

    values: Any
    decided: Bools
    finish: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def under(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The metric, [W], under image weights [W, N]."""
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is nan: no weighted image decides the metric
            return self.finish(np.asarray(weights @ self.values))


class Metric(Plugin):
    """A number on predictions. `better` says which way is up; `title` is what reports print."""

    kind = "metric"
    title: ClassVar[str]
    better: ClassVar[Literal["higher", "lower"]]
    scope: ClassVar[Literal["group", "ontology"]]
    """Whether it scores one group or whole worlds."""
    levels: ClassVar[bool] = False
    """Whether it also scores each level of a hierarchy."""

    def applies(self, ontology: Ontology, group: Group | None) -> bool:
        """Whether it is defined for this group (None for metrics of the whole ontology)."""
        return True

    @abc.abstractmethod
    def score(self, p: Predictions, group: Group | None, level: int | None) -> Score:
        """The metric on these predictions.

        Args:
            group: the group to score; None where the scope is the ontology.
            level: of a hierarchy, from 1 = coarsest; None scores its leaves.
        """
