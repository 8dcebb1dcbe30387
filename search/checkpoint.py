"""A trained model, in memory and on disk: `model.json` and `weights.npz`, named arrays that load without pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from ..dsl.evidence import Evidence
from ..dsl.tables import Tables
from ..errors import fail
from ..plugins.registry import Registry
from .network import Answers, NetworkProgram, Normalisation, read_recipe
from .results import write_text
from .study import Configuration

FORMAT = 1


@dataclass(frozen=True)
class Model:
    """A network with its state and the normalisation of its images."""

    program: NetworkProgram
    params: Any
    rest: Any
    normalisation: Normalisation
    configuration: Configuration

    def answer(self, images: NDArray[Any], evidence: Evidence | None = None) -> Answers:
        """Answers for raw images of the shape and type trained on.

        Raises:
            LinnaeusError: E436 images of another shape.
        """
        if images.shape[1:] != self.program.shape:
            seen, needed = (" × ".join(map(str, s)) for s in (images.shape[1:], self.program.shape))
            raise fail("E436", f"the model was trained on images of {needed}, not {seen}")
        return self.program.answer(self.params, self.rest, self.normalisation, images, evidence)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The state as arrays by path ("backbone/first/kernel"). Random streams, of use in training only, stay out."""
        named = {}
        for path, variable in _variables(self.params) + _variables(self.rest):
            named[path] = np.asarray(variable.get_value())
        return named


def _variables(state: Any) -> list[tuple[str, Any]]:
    found = nnx.to_flat_state(state)
    return [("/".join(map(str, path)), v) for path, v in found if not isinstance(v, nnx.RngState)]


def save_model(folder: Path, model: Model) -> None:
    """Write a model; the folder is made where it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "weights.npz", **model.arrays())  # type: ignore[arg-type]  # names never are "allow_pickle"
    ontology = model.program.tables.ontology
    facts = {
        "format": FORMAT,
        "configuration": model.configuration,
        "shape": list(model.program.shape),
        "dtype": model.program.dtype.name,
        "mean": model.normalisation.mean.tolist(),
        "std": model.normalisation.std.tolist(),
        "ontology": {"name": ontology.name, "hash": ontology.hash},
    }
    write_text(folder / "model.json", json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def read_facts(folder: Path) -> dict[str, Any]:
    """What `model.json` says.

    Raises:
        LinnaeusError: E510 there is no model, E511 its format is unknown.
    """
    path = folder / "model.json"
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as e:
        raise fail("E510", f"{folder} holds no model: {e}", help="finish the study first: linnaeus run STUDY") from e
    if facts.get("format") != FORMAT:
        raise fail("E511", f"a model of format {facts.get('format')!r}; this version reads {FORMAT}", where=str(path))
    return facts


def load_model(folder: Path, registry: Registry, tables: Tables) -> Model:
    """Read back what `save_model` wrote.

    Raises:
        LinnaeusError: E510, E511 as `read_facts`, E512 of another ontology, E513 the arrays don't fit the network.
    """
    facts = read_facts(folder)
    if facts["ontology"]["hash"] != tables.ontology.hash:
        raise fail("E512", f"the model in {folder} was trained on another ontology ({facts['ontology']['name']})")
    recipe = read_recipe(facts["configuration"], registry)
    program = NetworkProgram(recipe, tables, tuple(facts["shape"]), facts["dtype"])
    params, rest = program.blank()
    with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
        _fill(params, rest, arrays, str(folder))
    normalisation = Normalisation(np.array(facts["mean"], np.float32), np.array(facts["std"], np.float32))
    return Model(program, params, rest, normalisation, facts["configuration"])


def _fill(params: Any, rest: Any, arrays: Mapping[str, NDArray[Any]], where: str) -> None:
    """Set every variable of a state to the array of its name."""
    variables = _variables(params) + _variables(rest)
    wanted = {path: variable.get_value() for path, variable in variables}
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != {path: value.shape for path, value in wanted.items()}:
        odd = sorted(set(shapes) ^ set(wanted)) or [p for p in shapes if shapes[p] != wanted[p].shape]
        step = "was the code of a plugin changed since?"
        raise fail("E513", f"the saved arrays don't fit the network: {', '.join(odd[:5])}", where=where, help=step)
    for path, variable in variables:
        variable.set_value(jnp.asarray(arrays[path], wanted[path].dtype))
