"""`xcos unlock enroll` and `xcos unlock try`: a prototype of unlocking by one's face."""

import argparse

from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths, given

NO_LIVENESS = (
    "A prototype, not a lock: it makes no check that a living person is before the camera, and a "
    "photo of the owner unlocks it."
)

HELP = "a prototype of unlocking by one's face, on TFLite models"
DESCRIPTION = f"Enroll an owner's face, and see whether other photos unlock. {NO_LIVENESS}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    enroll = steps.add_parser(
        "enroll",
        help="store the owner's face",
        description="Check the owner's photos and store what the model makes of them, encrypted "
        f"by a passphrase. {NO_LIVENESS} Exit code: 0 enrolled, 2 error.",
    )
    add(enroll, "photos OWNER_PHOTO", "3 to 5 are best; - for standard input", nargs="+")
    add(enroll, "--variant NAME", "of the models", default="float32")
    attempt = steps.add_parser(
        "try",
        help="see whether photos unlock",
        description="Compare the frames of one try with the owner. More than half of those that "
        "can be used must match, and every such try that does not is counted: soon one must wait, "
        f"then it is locked out. --debug tells the scores of a failure, for trials. {NO_LIVENESS} "
        "Exit code: 0 unlocked, 1 not, 2 error, 3 locked "
        "out or too early.",
    )
    about = "up to 5 frames of one try; - for one from standard input"
    add(attempt, "photos PHOTO", about, nargs="+")
    add(attempt, "--json", "print everything as JSON")
    for step in (enroll, attempt):
        add(step, "--store FILE", "the owner's encrypted store", required=True)
        about = (
            "with the embed and compare files of `xcos export` (default: those enrolled with; to "
            "enroll, those of the default preset, of which FILE.models gets variants but float32)"
        )
        add(step, "--models FOLDER", about)
        add(step, "--aligned", "the photos are 112×112 faces, aligned already")
        about = (
            "the passphrase is its first line (else $XCOS_PASSPHRASE, else a prompt asks for it)"
        )
        add(step, "--passphrase-file FILE", about)


def paths(args: argparse.Namespace) -> Paths:
    """Return what is read and written; `try` writes into the store that it reads."""
    return Paths(
        photos=args.photos,
        pipes=dict.fromkeys(
            given(args.passphrase_file),
            "the passphrase file {} cannot be read, for there is none; check the path",
        ),
        also_read=given(args.models),
        written=(args.store, f"{args.store}.attempts"),
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.cli.unlock_steps import enroll, try_photos
    from xcos_tf.mobile.sealing import private_files

    with private_files():
        return enroll(args) if args.step == "enroll" else try_photos(args)
