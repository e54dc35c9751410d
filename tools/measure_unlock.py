"""Measure how often the unlock prototype lets others in, and keeps owners out.

    python tools/measure_unlock.py FACES --out docs/results [--readme docs/mobile.md]

FACES is a folder of aligned 112×112 faces with a sub-folder for each person, as `xcos align` makes
it of LFW. Writes unlock.md and unlock.csv. The rule and the thresholds were fixed before on the
validation people, where `--validation` measures other rules too, into unlock-validation.*. A run
that was stopped goes on with the variants that it had not finished.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import unlock
from tools.results import Report, parser_of, run
from xcos_tf.cli.parser import add
from xcos_tf.evaluation.score_cache import ScoreCache, code_version, sha256_of
from xcos_tf.verifier import Verifier

VARIANTS = ("float32", "float16", "int8", "qat")


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("measure_unlock", __doc__, ("runs/unlock", "the tries of each variant"))
    unlock.add_inputs(parser)
    words = f"of the models (default: {' '.join(VARIANTS)})"
    parser.add_argument("--variants", nargs="+", default=VARIANTS, metavar="NAME", help=words)
    add(parser, "--validation", "measure other rules too, to choose among them")
    return run(parser, _measure, argv)


def _measure(args):
    people = unlock.read_people(args.faces)
    faces = sha256_of(*(x for name in people for x in (name, *(f.face for f in people[name]))))
    rules = tuple(unlock.RULES) if args.validation else (unlock.TWO_BEST,)
    set_name = "validation people" if args.validation else "LFW"
    rows, cache = [], ScoreCache(args.cache)
    with unlock.models_of(args.models, args.variants) as models:
        for variant in args.variants:
            verifier = Verifier.from_export(models, f"{variant}.batch", threads=2)
            key = {"faces": faces, "rules": rules, "models": verifier.runtime.identity}
            key["code"] = code_version(*unlock.CODE)

            def make(verifier=verifier):
                embedded = unlock.embed_people(people, verifier)
                return {"counts": unlock.count_tries(embedded, verifier, rules)}

            rows += unlock.rows_of(set_name, verifier, rules, cache.kept(key, make)["counts"])
    thresholds = dict.fromkeys(f"{row.variant} {row.threshold:.4f}" for row in rows)
    words = {"set": set_name, "table": unlock.unlock_table(rows)}
    words |= {"thresholds": ", ".join(thresholds), "sha256": rows[0].preset_sha256}
    name = "unlock-validation" if args.validation else "unlock"
    yield Report(name, {f"{name}.csv": (unlock.Trials, rows)}, words)


if __name__ == "__main__":
    sys.exit(main())
