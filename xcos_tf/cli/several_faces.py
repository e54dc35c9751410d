"""The warnings of a photo with several faces, and of one that lies on its side."""

from xcos_tf.cli.streams import warn


def warn_of_several(command: str, path: str, faces_found: int, rule: str) -> None:
    """Say on standard error which of a photo's faces was used, if it shows several."""
    if faces_found > 1:
        warn(
            command,
            f"warning: {path} shows {faces_found} faces; the {rule} one was used (choose with "
            "--face)",
        )


def warn_of_turned(command: str, path: str, degrees: int) -> None:
    """Say on standard error that the photo was turned to find its face, if it was."""
    if degrees:
        warn(
            command,
            f"warning: {path} was turned by {degrees}° clockwise to have its face upright",
        )
