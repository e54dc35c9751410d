"""What TensorFlow and Keras keep for a whole process, kept away from our networks.

Keras takes the types and layouts of layers from settings that a file, a variable of the environment
or any code of the process may have changed; a network built under `default_settings` computes the
same numbers whatever they are. TensorFlow's threads do not survive a fork, and its functions do
nothing within a graph; `check_process` says so instead.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from xcos_tf.errors import XcosError, reason_of
from xcos_tf.quiet import quiet_start

_settings_lock = threading.RLock()
_first_process: int | None = None  # TensorFlow's own state is one for each process, and so is this


def _load():
    """Return TensorFlow and its Keras, which may compute by other libraries than TensorFlow."""
    try:
        with quiet_start():
            import tensorflow as tf
        from tensorflow import keras

        backend = keras.backend.backend()  # loads it
    except Exception as error:  # of any of the libraries that these import
        first = error  # TensorFlow says only that Keras cannot be imported
        while first.__cause__ or first.__context__:
            first = first.__cause__ or first.__context__
        if isinstance(first, ImportError) and first.name == "tensorflow":
            raise XcosError(
                f"this needs TensorFlow, which is not installed ({reason_of(first)}); run pip "
                "install tensorflow"
            ) from None
        raise XcosError(
            f"TensorFlow and Keras cannot be loaded ({type(first).__name__}: "
            f"{' '.join(str(first).split())[:100]}); unset KERAS_BACKEND, MPLBACKEND, "
            "KERAS_NNX_ENABLED and TF_USE_LEGACY_KERAS if they are set, see that "
            "~/.keras/keras.json is as Keras wrote it, or install them anew"
        ) from error
    if backend != "tensorflow":
        raise XcosError(
            f"Keras computes by {backend} in this process, and xcos_tf by TensorFlow; unset "
            'KERAS_BACKEND, or set it to "tensorflow" before Keras is imported'
        )
    return tf, keras


tf, keras = _load()


@contextmanager
def default_settings(policy: str = "float32") -> Iterator[None]:
    """Build layers within the block as if nobody had changed Keras's settings.

    Their dtype policy may be another, such as "mixed_float16".
    """
    with _settings_lock:  # the settings are those of all threads
        backend, precision = keras.backend, keras.mixed_precision
        before = (backend.floatx(), backend.epsilon(), backend.image_data_format())
        policy_before = precision.global_policy()
        _set("float32", 1e-7, "channels_last", policy)
        try:
            yield
        finally:
            _set(*before, policy_before)


def _set(floatx, epsilon, image_data_format, policy) -> None:
    keras.backend.set_floatx(floatx)
    keras.backend.set_epsilon(epsilon)
    keras.backend.set_image_data_format(image_data_format)
    keras.mixed_precision.set_global_policy(policy)


def check_process() -> None:
    """Call before TensorFlow computes, where it would otherwise wait for ever or return nothing.

    Raises:
        XcosError: the process was forked from one that has called this, or TensorFlow's eager
            execution is off.
    """
    global _first_process
    _first_process = _first_process or os.getpid()
    if _first_process != os.getpid():
        raise XcosError(
            "this process was forked from one in which TensorFlow ran already, and would wait for "
            "ever; load the preset in the worker itself, after the fork, or start workers by "
            "`spawn` (docs/web-servers.md)"
        )
    if not tf.executing_eagerly():
        raise XcosError(
            "TensorFlow's eager execution is off here; call xcos_tf outside of `tf.Graph` and "
            "`tf.function`, and without `disable_eager_execution` and TF2_BEHAVIOR=0"
        )
