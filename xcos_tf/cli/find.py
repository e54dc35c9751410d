"""`xcos find PHOTO --store STORE`: which enrolled person is this, and why."""

import argparse
import json

from xcos_tf.cli.arguments import (
    add_face_arguments,
    add_store_argument,
    photo_argument,
    store_paths,
)
from xcos_tf.cli.parser import add, finite_number, number, whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.errors import XcosError, on_one_line, shown
from xcos_tf.progress import log

FOUND, NOBODY = 0, 1

HELP = "find who of a store's people a photo shows, and explain it"
DESCRIPTION = """Search a store for the face of a photo, and print the likeliest people. Exit code:
0 somebody reaches the threshold, 1 nobody does, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "photo PHOTO", "a photo; - for standard input")
    add_store_argument(parser)
    add(parser, "--top N", "the most people to print", whole_number, 5)
    limit = parser.add_mutually_exclusive_group()
    about = (
        "the preset's threshold for pairs at this false match rate (default: one for searches "
        "among as many faces as the store has, at a false positive identification rate of 1 %%)"
    )
    add(limit, "--fmr X", about, number)
    add(limit, "--threshold X", "a threshold of your own", finite_number)
    about = "what decides among the candidates (default: the preset's last)"
    add(parser, "--attention {patched,correlated,learned}", about)
    add(parser, "--all-faces", "search for each face of the photo")
    add(parser, "--explain DIR", "draw S, W and S·W of each hit in here")
    add(parser, "--json", "print everything as JSON")
    add(parser, "--preset NAME", "bundled preset or preset folder (default: the store's)")
    add_face_arguments(parser)


def paths(args: argparse.Namespace) -> Paths:
    if args.all_faces and args.aligned:
        raise XcosError("--aligned is for a photo of one face; leave out --all-faces")
    return store_paths(
        args.store,
        photos=(args.photo,),
        presets=given(args.preset),
        filled=given(args.explain),
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.search.store import MOST, FaceStore

    if not 1 <= args.top <= MOST:
        raise XcosError(f"--top {args.top} is not from 1 to {MOST}; give how many people to print")
    with FaceStore.open(args.store, args.preset, args.face) as store:
        if args.explain and not store.verifier.explains:
            raise XcosError(
                f"the preset {store.settings.preset!r} has no maps to draw; use a store of an xCos "
                "preset or leave out --explain"
            )
        searches = []
        for probe in _probes(args, store.verifier):
            hits = store.find(
                probe, args.top, args.attention, fmr=args.fmr, threshold=args.threshold
            )
            searches.append((probe, hits))
        faces = len(store)
    pictures = _draw(args, searches) if args.explain else {}
    show = _as_json if args.json else _as_text
    print(show(args, searches, faces, pictures))
    return FOUND if any(hit for _, hits in searches for hit in hits) else NOBODY


def _probes(args, verifier):
    photo = photo_argument(args.photo)
    if args.all_faces:
        return verifier.enroll_all(photo)
    probe = verifier.enroll(photo, args.aligned)
    if probe.faces_found > 1:
        log.warning(
            f"warning: {args.photo} shows {probe.faces_found} faces; the {args.face} one was "
            "searched (choose with --face, or search for each with --all-faces)"
        )
    return [probe]


def _as_text(args, searches, faces, pictures) -> str:
    lines = []
    for face, (_, hits) in enumerate(searches, 1):
        threshold = hits[0].verification.threshold
        if args.threshold is not None:
            basis = "your threshold"
        elif args.fmr is not None:
            basis = f"threshold of pairs at FMR {args.fmr:g}"
        else:
            basis = f"threshold for a search among {faces:,} faces"
        heading = f"face {face} of {len(searches)}: " if args.all_faces else ""
        found = sum(map(bool, hits))
        said = f"{found} found" if found else "nobody found"
        lines.append(f"{heading}{said} ({basis}: {threshold:.3f})")
        for rank, hit in enumerate(hits, 1):
            sign = "≥" if hit else "<"
            score = f"{hit.score:.3f} {sign} {threshold:.3f}"
            lines.append(f"{rank}. {shown(hit.person)}: {score} ({shown(hit.photo)})")
            if hit.verification.similarity_map is not None:
                lines.append(f"   {hit.verification.sentence}")
            if picture := pictures.get((face, rank)):
                lines.append(f"   picture: {on_one_line(picture)}")
    return "\n".join(lines)


def _as_json(args, searches, faces, pictures) -> str:
    def one(face, rank, hit):
        picture = pictures.get((face, rank))
        return {
            "person": hit.person,
            "photo": hit.photo,
            "same": bool(hit),
            "score": hit.score,
            **hit.verification.told(),
            **({"picture": str(picture)} if picture else {}),
        }

    answer = {
        "photo": args.photo,
        "store": {"faces": faces},
        "faces": [
            {
                **probe.box_and_landmarks,
                "found": any(hits),
                "threshold": hits[0].verification.threshold,
                "attention": hits[0].verification.attention,
                "hits": [one(face, rank, hit) for rank, hit in enumerate(hits, 1)],
            }
            for face, (probe, hits) in enumerate(searches, 1)
        ],
    }
    return json.dumps(answer, indent=2)


def _draw(args, searches) -> dict:
    from pathlib import Path

    from xcos_tf.explain.canvas import save_figure
    from xcos_tf.explain.figure import draw_verification
    from xcos_tf.files import check_can_write

    folder = Path(args.explain)
    check_can_write(folder, folder)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for face, (_, hits) in enumerate(searches, 1):
        for rank, hit in enumerate(hits, 1):
            figure = draw_verification(hit.verification, Path(args.photo).name, hit.person)
            pictures[face, rank] = folder / f"face-{face}-hit-{rank}.png"
            save_figure(figure, pictures[face, rank])
    return pictures
