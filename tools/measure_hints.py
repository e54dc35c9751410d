"""Measure how often a failed try of the unlock prototype names the part that is covered.

    python tools/measure_hints.py FACES --out docs/results [--readme docs/mobile.md ...]

FACES is a folder of aligned 112×112 faces with a sub-folder for each person, as `xcos align` makes
it of LFW. A plain patch is put over one half of each face that is tried with. Writes
unlock-hints.md and unlock-hints.csv.
"""

import argparse
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

VARIANT = "float32"
NAME = "unlock-hints"
SET = "LFW"


def build_parser() -> argparse.ArgumentParser:
    from tools.command import add_out, add_readme
    from tools.unlock.inputs import add_inputs

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    add_out(parser)
    parser.add_argument("--set", default=SET, help="what to call the faces (default: %(default)s)")
    add_readme(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    from tools.command import run

    return run("measure_hints", _measure, build_parser().parse_args(argv))


def _measure(args) -> None:
    """Measure, print and write."""
    from tqdm import tqdm

    from tools.unlock.hint_trials import ENROLLED, measure_hints
    from tools.unlock.inputs import models_of
    from tools.unlock.page import write_page
    from tools.unlock.people import read_people
    from tools.unlock.table import hint_table
    from xcos_tf.files import check_can_write
    from xcos_tf.mobile.lite_verifier import LiteVerifier

    check_can_write(args.out, within=args.out)
    people = read_people(args.faces)
    with models_of(args.models, (VARIANT,)) as models:
        verifier = LiteVerifier.from_folder(models, VARIANT, threads=2)
        rows = measure_hints(args.set, people, verifier, lambda x: tqdm(x, unit="person"))
    notes = [
        f"{rows[0].owners} owners, enrolled with {ENROLLED} photos, try with each photo after the "
        "fifth, one at a time; the patch has the mean colour of the face. Left and right are those "
        "of the image.",
        "In brackets: 95 % confidence intervals that take the tries as independent.",
        f"Models: {VARIANT}; weights SHA-256 {rows[0].preset_sha256}.",
        f"Made by `{_command(args)}`.",
    ]
    title = f"Hints of the unlock prototype on {args.set}"
    write_page(args.out, NAME, rows, title, hint_table(rows), notes)


def _command(args) -> str:
    """Return the command, without where this machine has its faces."""
    words = ["python", "tools/measure_hints.py", "FACES", "--out", args.out.as_posix()]
    return shlex.join(words + (["--set", args.set] if args.set != SET else []))


if __name__ == "__main__":
    sys.exit(main())
