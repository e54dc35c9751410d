"""Whether the people of a run can make the pairs that it needs, which is asked before it starts."""

import numpy as np

from xcos_tf.data.face_set import FaceSet
from xcos_tf.errors import XcosError
from xcos_tf.training.config import TrainingConfig
from xcos_tf.training.validation import validation_positions
from xcos_tf.wording import counted


def check_pairs(config: TrainingConfig, faces: FaceSet, held_out: FaceSet) -> None:
    """Refuse a run whose people make no genuine pairs to train on, or no pairs to validate on.

    Args:
        config: of the run.
        faces: that train.
        held_out: to validate on, and to measure thresholds on; may be empty.

    Raises:
        XcosError: so it is.
    """
    if config.batch.pairs and config.batch.genuine and np.bincount(faces.labels).max() < 2:
        raise XcosError(
            f"batch: genuine {config.batch.genuine:g} needs genuine pairs, and of the "
            f"{counted(len(faces.people), 'person', 'people')} that train none has two photos; "
            "give more photos, or genuine: 0"
        )
    if not len(held_out):
        return
    limit = config.data.validation_faces
    labels = held_out.labels[validation_positions(len(held_out), limit, config.seed)]
    _, photos = np.unique(labels, return_counts=True)
    for kind, there_are in (("genuine", (photos > 1).any()), ("impostor", len(photos) > 1)):
        if not there_are:
            raise XcosError(
                f"data: hold_out leaves {counted(len(labels), 'photo')} of "
                f"{counted(len(photos), 'person', 'people')} to validate on, which make no "
                f"{kind} pair; hold out more people with two photos or more, or nobody"
            )


def without_people_held_out(config: TrainingConfig) -> str:
    """Return what a run does without, of which nobody is held out."""
    validation = "" if config.data.verification else "there is no validation, "
    return (
        f"nobody is held out (data: hold_out): {validation}the last weights become the preset, "
        "and it has no thresholds"
    )
