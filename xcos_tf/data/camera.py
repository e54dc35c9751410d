"""One frame of a webcam."""

import numpy as np

from xcos_tf.errors import XcosError, extra

DARK = 10
"""Frames in which a camera finds its exposure, before the one that counts."""


def take_photo() -> np.ndarray:
    """Return a frame of the first camera, uint8 (H, W, 3) RGB.

    Raises:
        XcosError: OpenCV is not installed, or no camera gives a frame.
    """
    with extra("camera", "a camera"):
        import cv2
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    camera = cv2.VideoCapture(0)
    try:
        for _ in range(DARK):
            there, frame = camera.read()
    finally:
        camera.release()
        cv2.utils.logging.setLogLevel(level)
    if not there:
        raise XcosError("no camera gives a picture; connect one, or give a second photo")
    return np.ascontiguousarray(frame[..., ::-1])
