"""Backbones that are not ours: named in a configuration, or stored in a preset as Keras has them.

Who trains names a function, which is imported and called. Who loads a preset, perhaps somebody
else's, gets layers of Keras and of packages they have imported, and none of the preset's code runs.
"""

import importlib
from difflib import get_close_matches

from xcos_tf.environment import keras
from xcos_tf.errors import reason_of

STORED = "keras"
APPLICATIONS = "keras.applications"
_DEFAULTS = {"include_top": False, "weights": None, "input_shape": (112, 112, 3)}
_OTHERS_OF_KERAS = ("Functional", "Sequential", "DTypePolicy", "Policy")
_PARTS_OF_KERAS = (
    "layers",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
    "src.applications.",
    "src.ops.",
)


def nearest(name: str, known) -> str:
    """Return a half-sentence that offers the known name most like one that is not known."""
    found = get_close_matches(str(name), list(known), 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def application(name: str, options: dict) -> keras.Model:
    """Build a model of `keras.applications` by its name, with random weights.

    By default it has no classifier and takes images of 112×112.

    Raises:
        ValueError: there is none of this name, or its weights would be downloaded.
        TypeError: the function has no such argument.
    """
    known = [x for x in dir(keras.applications) if x[0].isupper()]
    if name not in known:
        raise ValueError(
            f"Expected `kind` to be a model of {APPLICATIONS}. Received: {name!r}"
            + nearest(name, known)
        )
    options = {**_DEFAULTS, **options}
    if options["weights"] is not None:
        raise ValueError(
            "Expected `weights` to be left out, since nothing is downloaded. "
            f"Received: weights={options['weights']!r}"
        )
    return getattr(keras.applications, name)(**_with_tuples(options))


def from_function(path: str, options: dict) -> keras.Model:
    """Import a function by its dotted path and return the model that it builds.

    Raises:
        ValueError: there is no such function, or it returns something else.
        TypeError: the function has no such argument.
    """
    home, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(home)
    except ModuleNotFoundError as error:
        raise ValueError(f"Expected {path!r} to be a function that can be imported: {error}") from (
            None
        )
    function = getattr(module, name, None)
    if not callable(function):
        known = [x for x in dir(module) if callable(getattr(module, x))]
        raise ValueError(
            f"Expected a function in {home}. Received: {name!r}" + nearest(name, known)
        )
    try:
        model = function(**_with_tuples(options))
    except SystemExit:  # a command's `main` may be named by mistake
        model = None
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected {path} to return a keras.Model. Received: {type(model)}")
    return model


def store(model: keras.Model) -> dict:
    """Return the section of a preset that `restore` rebuilds a functional model from.

    Raises:
        ValueError: nobody could restore it; see there.
    """
    config = keras.layers.serialize(model)
    _check_known(config)
    return {"kind": STORED, "config": config}


def restore(config: dict) -> keras.Model:
    """Build a model from what Keras says of it, with random weights.

    Raises:
        ValueError: it has an object that neither Keras nor an imported package has, or a Lambda,
            which is code, or it cannot be built.
    """
    _check_known(config)
    try:
        return keras.layers.deserialize(config)
    except Exception as error:  # whatever the layers' constructors raise
        raise ValueError(
            f"a stored model cannot be built, perhaps since another Keras stored it: "
            f"{reason_of(error, 200)}"
        ) from None


def _check_known(config) -> None:
    """Raise ValueError unless all objects in a configuration are Keras's own, or registered.

    Keras 2 would import any module that a configuration names.
    """
    if isinstance(config, (list, tuple)):
        for value in config:
            _check_known(value)
    if not isinstance(config, dict):
        return
    for value in config.values():
        _check_known(value)
    name, module = config.get("class_name"), config.get("module")
    if "class_name" not in config or str(name).startswith("__"):
        return
    if keras.utils.get_registered_object(config.get("registered_name")) is not None:
        return
    if name == "Lambda":
        raise ValueError(
            "the model has a Lambda, which is code, and a preset holds none; make it a layer"
        )
    owner, _, part = str(module).removeprefix("tf_").partition(".")
    of_keras = part.startswith(_PARTS_OF_KERAS) or name in _OTHERS_OF_KERAS
    if owner != "keras" or not of_keras:
        raise ValueError(
            f"the model has a {name!r}, which neither is Keras's own nor registered with it; "
            "import the module that registers it (by keras.utils.register_keras_serializable) first"
        )


def _with_tuples(options: dict) -> dict:
    """Return arguments with tuples for lists: YAML has no tuples, and Keras wants them."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
