"""What TensorBoard shows of a run.

Written as protocol buffers, since `tf.summary` needs the package tensorboard, which TensorFlow
2.21 no longer brings along.
"""

import errno
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.training.run_files import writing

_Event, _SessionLog, _Summary = (
    tf.compat.v1.Event,
    tf.compat.v1.SessionLog,
    tf.compat.v1.Summary,
)


class EventFile:
    """One more file of events in a folder, from a step on.

    What older files in the folder hold of later steps, TensorBoard then leaves out; its fast
    loader does so once these steps are written again.
    """

    def __init__(self, folder: Path, start: int):
        """Start the file, and make the folder if it is not there.

        Args:
            folder: to give to `tensorboard --logdir`.
            start: steps made before.

        Raises:
            XcosError: it cannot be written.
        """
        # TensorBoard reads the files of a folder in the order of their names.
        name = f"events.out.tfevents.{time.time():.6f}.{platform.node()}.{os.getpid()}"
        self.path = folder / name
        with writing(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = tf.io.TFRecordWriter(str(self.path))
        self._write(_Event(file_version="brain.Event:2"))
        session = _SessionLog(status=_SessionLog.START)
        self._write(_Event(step=start + 1, session_log=session))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers.

        Raises:
            XcosError: the disk is full, or the file is gone.
        """
        summary = _Summary()
        for tag, value in values.items():
            summary.value.add(tag=tag, simple_value=value)
        self._write(_Event(step=step, summary=summary))

    def images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Write pictures, uint8 (h, w, 3) RGB.

        Raises:
            ValueError: one is something else.
            XcosError: the disk is full, or the file is gone.
        """
        summary = _Summary()
        for tag, image in images.items():
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(
                    "Expected `images` to hold uint8 arrays (h, w, 3). Received: "
                    f"{tag}={image.dtype} {image.shape}"
                )
            png = _Summary.Image(
                height=image.shape[0],
                width=image.shape[1],
                colorspace=3,
                encoded_image_string=tf.io.encode_png(image).numpy(),
            )
            summary.value.add(tag=tag, image=png)
        self._write(_Event(step=step, summary=summary))

    def close(self) -> None:
        """Close the file.

        Raises:
            XcosError: the disk is full.
        """
        with writing(self.path):
            self._writer.close()

    def _write(self, event: _Event) -> None:
        event.wall_time = time.time()
        with writing(self.path):
            if not self.path.exists():  # what is written to an open file without a name is lost
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._writer.write(event.SerializeToString())
            self._writer.flush()
