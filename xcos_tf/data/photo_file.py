"""Whether a path can be that of a photo, told without reading it."""

import os
import stat

from xcos_tf.errors import XcosError, shown


def check_photo_file(path: str | os.PathLike) -> str:
    """Return the path of a file that may be a photo.

    Raises:
        XcosError: there is no such file, it is a folder, a device or empty, or cannot be read.
    """
    given = os.fsdecode(path)
    name = shown(given)
    try:
        status = os.stat(given)
    except (FileNotFoundError, NotADirectoryError):
        raise XcosError(f"there is no file {name or repr(name)}; check the path") from None
    except PermissionError:
        raise XcosError(f"{name} may not be read; change its permissions") from None
    except (OSError, ValueError) as error:  # too long, a loop of links, a null byte, a failing disk
        reason = getattr(error, "strerror", None) or error
        raise XcosError(f"{name!r} cannot be read ({reason}); check the path") from None
    if stat.S_ISDIR(status.st_mode):
        raise XcosError(f"{name} is a folder; give a photo file")
    if not stat.S_ISREG(status.st_mode):
        raise XcosError(f"{name} is not a regular file; give a photo file")
    if status.st_size == 0:
        raise XcosError(f"{name} is empty (0 bytes); copy or download it again")
    if not os.access(given, os.R_OK):
        raise XcosError(f"{name} may not be read; change its permissions")
    return given
