"""The signatures of a served model as its client sees them, and checks against them."""

from collections.abc import Mapping

import numpy as np

from xcos_tf.errors import XcosError

# Per tensor: its type ("bytes" for strings) and its shape after the batch axis; None is free.
Tensor = tuple[str, tuple[int | None, ...]]

FACE: Tensor = ("uint8", (112, 112, 3))
ENCODED: Tensor = ("bytes", ())
GRID: Tensor = ("float32", (None, None, None))
ANSWERS: dict[str, Tensor] = {
    "xcos": ("float32", ()),
    "similarity_map": ("float32", (None, None)),
    "attention_map": ("float32", (None, None)),
    "same": ("bool", ()),
}
INPUTS: dict[str, dict[str, Tensor]] = {
    "verify": {"image_a": FACE, "image_b": FACE},
    "verify_encoded": {"encoded_a": ENCODED, "encoded_b": ENCODED},
    "embed": {"image": FACE},
    "compare": {"grid_a": GRID, "grid_b": GRID},
    "compare_one_to_many": {"grid_a": GRID, "grid_b": GRID},
}
OUTPUTS: dict[str, dict[str, Tensor]] = {
    "verify": ANSWERS,
    "verify_encoded": {**ANSWERS, "valid_a": ("bool", ()), "valid_b": ("bool", ())},
    "embed": {"grid": GRID},
    "compare": ANSWERS,
    "compare_one_to_many": ANSWERS,
}


def check_inputs(signature: str, inputs: Mapping[str, np.ndarray]) -> int:
    """Return how many answers these inputs ask for.

    Raises:
        XcosError: one is of another type or shape than the signature's, or empty, or they do not
            belong together; nothing need be sent to know it.
    """
    for name, tensor in INPUTS[signature].items():
        if not _fits(inputs[name], tensor) or len(inputs[name]) == 0:
            single = inputs[name].ndim == len(tensor[1])
            advice = "; give a single one a batch axis too" if single else ""
            raise XcosError(
                f"{name} is {_described(inputs[name])} and must be {_wanted(tensor)} with N ≥ 1"
                f"{advice}"
            )
    counts = [len(value) for value in inputs.values()]
    if signature == "compare_one_to_many":
        counts = [max(counts)]
    if len(set(counts)) > 1:
        raise XcosError(
            f"{' and '.join(inputs)} have {' and '.join(map(str, counts))} rows; give as many of "
            "one as of the other"
        )
    grids = [value.shape[1:] for name, value in inputs.items() if INPUTS[signature][name] is GRID]
    if len(set(grids)) > 1:
        raise XcosError(
            f"the grids have shapes {grids[0]} and {grids[1]}; compare grids of one model"
        )
    return counts[0]


def check_outputs(
    signature: str, outputs: Mapping[str, np.ndarray], count: int, server: str
) -> dict[str, np.ndarray]:
    """Return the outputs that the signature has, of their types.

    Raises:
        XcosError: the server's model computes something else.
    """
    checked = {}
    for name, tensor in OUTPUTS[signature].items():
        value = outputs.get(name)
        if value is None or not _fits(value, tensor) or len(value) != count:
            received = f"{_described(value)}" if value is not None else "missing"
            raise XcosError(
                f"the model at {server} is not one that `xcos export` wrote: its {name!r} for "
                f"{count} should be {_wanted(tensor)} and is {received}; check the model's name"
            )
        checked[name] = value
    maps = [checked[name] for name in ("similarity_map", "attention_map") if name in checked]
    if len({value.shape for value in maps}) > 1 or not all(
        np.isfinite(value).all() for value in checked.values()
    ):
        raise XcosError(
            f"the model at {server} answers with numbers that are not finite, or maps of two "
            "sizes; export it again, from weights that are whole"
        )
    return checked


def _fits(value: np.ndarray, tensor: Tensor) -> bool:
    kind, shape = tensor
    fits = value.dtype == (object if kind == "bytes" else kind) and value.ndim == 1 + len(shape)
    if kind == "bytes":
        return fits and all(isinstance(item, bytes) for item in value)
    return fits and all(
        want in (None, have) for want, have in zip(shape, value.shape[1:], strict=True)
    )


def _described(value: np.ndarray) -> str:
    kind = str(value.dtype)
    if kind == "object":
        kind = "/".join(sorted({type(item).__name__ for item in value.flat})) or "nothing"
    return f"{kind} {value.shape}"


def _wanted(tensor: Tensor) -> str:
    kind, shape = tensor
    sizes = ("N", *("n" if size is None else str(size) for size in shape))
    return f"{kind} ({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
