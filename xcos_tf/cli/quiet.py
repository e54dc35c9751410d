"""What libraries say of themselves, kept off the terminal."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from xcos_tf.quiet import LEVEL, quiet_start

# A notebook's back end of matplotlib, or another one of Keras, may not even be installed here; and
# keras.json, in Keras's home, is for the user's own programs.
_OWN_SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,
    "KERAS_NNX_ENABLED": "false",
    "MPLBACKEND": "agg",
}


@contextlib.contextmanager
def quiet_libraries(speak: bool = False) -> Iterator[None]:
    """Keep back the warnings of libraries, which a user of a command cannot act on.

    If it is to `speak`, for a report, they pass; so they do if the user set TF_CPP_MIN_LOG_LEVEL.
    """
    if speak or LEVEL in os.environ or sys.warnoptions:
        yield
        return
    # TensorFlow adds no handler of its own where there is one. Some loggers have a level of theirs.
    errors, before = logging.StreamHandler(), logging.root.level
    errors.setLevel(logging.ERROR)
    logging.root.addHandler(errors)
    logging.root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.removeHandler(errors)
        logging.root.setLevel(before)


def ready_environment() -> None:
    """Set the environment as the commands need it, whatever it is set for.

    Notices of TensorFlow are left out, unless the user set TF_CPP_MIN_LOG_LEVEL.
    """
    if "tensorflow" not in sys.modules:  # else the process is not a command's own
        os.environ.update(_OWN_SETTINGS)
        os.environ.pop("TF2_BEHAVIOR", None)
    os.environ.setdefault(LEVEL, "3")


def import_tensorflow() -> None:
    """Import TensorFlow as the commands need it.

    Raises:
        ImportError: it cannot be imported, whatever the reason.
    """
    ready_environment()
    with quiet_start():
        try:
            import tensorflow  # noqa: F401
        except Exception as error:  # another version of what it needs brings up anything
            raise ImportError(f"tensorflow: {type(error).__name__}: {error}") from error
