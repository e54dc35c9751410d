"""`xcos enroll FOLDER --store STORE`: people's photos into a store, to be found by their faces."""

import argparse

from xcos_tf.cli.arguments import (
    add_face_arguments,
    add_ray_argument,
    add_store_argument,
    is_url,
)
from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError, counted
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.progress import log

HELP = "enroll people's photos in a store, for `xcos find`"
DESCRIPTION = """Enroll all photos of FOLDER: those in a sub-folder show the person of its name,
those beside it a person of the photo's name. The store is made if there is none. Photos that are
enrolled already are passed over, so that a run that was stopped goes on. Exit code: 0 done, 2
error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "folder FOLDER", "photos, one sub-folder for each person")
    add_store_argument(parser)
    about = f"(default: the store's; {DEFAULT_PRESET} for a new one)"
    add(parser, "--preset NAME", f"bundled preset or preset folder {about}")
    many = parser.add_mutually_exclusive_group()
    add(many, "--workers N", "processes that work side by side", whole_number, 1)
    add_ray_argument(many)
    add_face_arguments(parser)


def paths(args: argparse.Namespace) -> Paths:
    if not 1 <= args.workers <= 256:
        raise XcosError(f"--workers {args.workers} is not from 1 to 256; give a number of cores")
    return Paths(
        folders={args.folder: "there is no folder {}; give one with photos of people"},
        presets=given(args.preset),
        filled=() if is_url(args.store) else (args.store,),
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.cluster import connect
    from xcos_tf.data.detection import check_rule
    from xcos_tf.search.enrolling import enroll_photos, photos_of
    from xcos_tf.search.store import FaceStore

    check_rule(args.face)
    # Before a store is made.
    photos = photos_of(args.folder)
    if args.ray is not None:
        connect(args.ray)
    with FaceStore.open(args.store, args.preset, create=True) as store, goes_on():
        done = enroll_photos(store, photos, args.aligned, args.face, args.workers, args.ray)
        for photo, reason in done.failed.items():
            log.warning(f"warning: {photo}: {reason}")
        if done.several_faces:
            shows = counted(done.several_faces, "photo shows", "photos show")
            log.warning(
                f"warning: {shows} several faces; the {args.face} one was used (choose with --face)"
            )
        print(
            f"{counted(done.enrolled, 'face')} of {counted(len(done.people), 'person', 'people')} "
            f"enrolled, {done.already_done:,} already there, {len(done.failed):,} failed; the "
            f"store has {counted(len(store), 'face')}"
        )
    return 0
