"""`xcos evaluate --all-pairs FOLDER`: every face of a folder against every other."""

import json
import tempfile
from contextlib import nullcontext
from pathlib import Path

from xcos_tf.cli.streams import goes_on


def run_all_pairs(folder: str, presets: list[str], templates: str | None, as_json: bool) -> int:
    """Measure every score of every preset on all pairs of a folder's faces, and print tables.

    If that is interrupted, what is finished is printed.

    Args:
        folder: of aligned faces, with a sub-folder for each person.
        presets: bundled names or preset folders; one alone if `templates` is given.
        templates: file that keeps the templates; read if it is there, else made. None: they are
            made anew each time and not kept.
        as_json: print everything, the histograms too, as JSON.

    Returns:
        The exit code.

    Raises:
        XcosError: see `make_templates` and `compare_all`.
    """
    from xcos_tf.errors import XcosError
    from xcos_tf.evaluation.all_pairs import compare_all
    from xcos_tf.evaluation.matcher import open_matchers
    from xcos_tf.evaluation.templates import make_templates

    matchers = open_matchers(presets)
    if templates and len(matchers) > 1:
        raise XcosError(
            f"--templates keeps templates of one preset and there are {len(matchers)}; choose one "
            "with --preset"
        )
    results = []
    try:
        for matcher in matchers:
            with tempfile.TemporaryDirectory() as temporary:
                path = Path(templates) if templates else Path(temporary) / "templates.safetensors"
                with goes_on() if templates else nullcontext():
                    store = make_templates(matcher.verifier, folder, path)
                # The learned attention last: it takes the longest by far.
                for score in sorted(matcher.scores, key="learned".__eq__):
                    results.append((store.info, matcher.name, compare_all(store, matcher, score)))
    except KeyboardInterrupt:
        if results:
            _show(folder, results, as_json)
        raise
    _show(folder, results, as_json)
    return 0


def _show(folder: str, results, as_json: bool) -> None:
    from xcos_tf.evaluation.all_pairs_text import all_pairs_document, all_pairs_tables

    document = all_pairs_document(folder, results)
    print(json.dumps(document, indent=2) if as_json else all_pairs_tables(document))
