"""Measure how often the unlock prototype lets others in, and keeps owners out.

    python tools/measure_unlock.py FACES --out docs/results [--readme README.md ...]

FACES is a folder of aligned 112×112 faces with a sub-folder for each person, as `xcos align` makes
it of LFW. Writes unlock.md and unlock.csv. The rule and the thresholds were fixed before on the
validation people, where `--validation` measures other rules too, into unlock-validation.*. A run
that was stopped goes on with the variants that it had not finished.
"""

import argparse
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

VARIANTS = ("float32", "float16", "int8", "qat")


def build_parser() -> argparse.ArgumentParser:
    from tools.command import add_cache, add_out, add_readme
    from tools.unlock.inputs import add_inputs

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    add_out(parser)
    parser.add_argument(
        "--variants",
        nargs="+",
        default=VARIANTS,
        metavar="NAME",
        help=f"of the models (default: {' '.join(VARIANTS)})",
    )
    parser.add_argument(
        "--validation", action="store_true", help="measure other rules too, to choose among them"
    )
    add_cache(parser, "runs/unlock", "the tries of each variant")
    add_readme(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    from tools.command import run

    return run("measure_unlock", _measure, build_parser().parse_args(argv))


def _measure(args) -> None:
    """Measure, print and write."""
    from tools.unlock.inputs import models_of
    from tools.unlock.keeping import KeptTrials
    from tools.unlock.people import embed_people, read_people
    from tools.unlock.trials import RULES, TWO_BEST, measure
    from xcos_tf.files import check_can_write
    from xcos_tf.mobile.lite_verifier import LiteVerifier

    check_can_write(args.out, within=args.out)
    people = read_people(args.faces)
    rules = tuple(RULES) if args.validation else (TWO_BEST,)
    set_name = "validation people" if args.validation else "LFW"
    rows, kept = [], KeptTrials(args.cache, people)
    with models_of(args.models, args.variants) as models:
        for variant in args.variants:
            verifier = LiteVerifier.from_folder(models, f"{variant}.batch", threads=2)

            def make(verifier=verifier):
                return measure(set_name, embed_people(people, verifier), verifier, rules)

            rows += kept.trials(set_name, verifier, rules, make)
    _write(args, rows)


def _write(args, rows) -> None:
    from tools.unlock.page import write_page
    from tools.unlock.table import unlock_table

    name = "unlock-validation" if args.validation else "unlock"
    thresholds = dict.fromkeys(f"{row.variant} {row.threshold:.4f}" for row in rows)
    notes = [
        "Owners are the people with at least one face after the fifth that can be used; they try "
        "with all those, the same whatever number is enrolled. Everyone else tries on each owner. "
        "A try of three frames takes three faces, none of them used twice.",
        "In brackets: 95 % confidence intervals that take the tries as independent. Tries that "
        "share a person say less than that, so that an interval is the least that is uncertain.",
        "Refused: the photos of an owner that do not match one another, which the prototype does "
        "not enroll. A try whose photos are all too dark, blurred or the like counts as a false "
        "reject, and in the column `unusable` of the CSV file.",
        f"Thresholds, of FMR 1e-3 for a pair on the validation people: {', '.join(thresholds)}.",
        f"Weights SHA-256 {rows[0].preset_sha256}.",
        f"Made by `{_command(args)}`.",
    ]
    write_page(
        args.out, name, rows, f"The unlock prototype on {rows[0].set}", unlock_table(rows), notes
    )


def _command(args) -> str:
    """Return the command, without where this machine has its faces."""
    words = ["python", "tools/measure_unlock.py", "FACES", "--out", args.out.as_posix()]
    if tuple(args.variants) != VARIANTS:
        words += ["--variants", *args.variants]
    return shlex.join(words + ["--validation"] * args.validation)


if __name__ == "__main__":
    sys.exit(main())
