"""What is measured of a store: what rows hold, and how they read as a page and as a picture."""

from collections import namedtuple
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tools.results import Report, table
from tools.search.measuring import HITS, MIXED, PHOTOS, SEARCHES
from xcos_tf.drawing import default_look
from xcos_tf.explain.canvas import new_figure
from xcos_tf.search.store import CANDIDATES

STORES = {"folder": "a folder", "postgres": "PostgreSQL"}

Search = namedtuple(
    "Search",
    "store faces enroll_seconds index_seconds index_gib search_p50 search_p95 search_cpu find_p50 "
    "find_p95 explain_p50 recall unranked search_gib preset_sha256",
)
"""A store of so many synthetic faces.

Seconds to enroll them and to make the index, and the GiB that took at most; milliseconds until the
candidates are there (`search_cpu`: that our process computed), of a whole search, and of the
explanation of a hit; the recall of the 10 exact nearest among the candidates, which are ranked
anew, and among the first 10 of the index; and the GiB that searching took at most. What a
database's server takes is not in it, but for the time.
"""


def row_of(store: str, size: int, found: Mapping[str, np.ndarray], weights: str) -> Search:
    """Return what `measure` found of a store as a row."""
    search, find = (np.percentile(1e3 * found[name], (50, 95)) for name in ("search", "find"))
    processor, explain = (1e3 * np.median(found[name]) for name in ("processor", "explain"))
    shares = (found[name].mean() for name in ("recall", "unranked"))
    values = *found["making"], *search, processor, *find, explain, *shares, *found["memory"]
    return Search(store, size, *(round(float(x), 4) for x in values), weights)


def report(rows: Sequence[Search], real: int) -> Report:
    """Return the page of what was measured around so many real templates."""
    words = {"table": search_table(rows), "real": f"{real:,}", "mixed": MIXED, "photos": PHOTOS}
    words |= {"searches": SEARCHES, "candidates": CANDIDATES, "hits": HITS}
    words["unranked"] = [f"{row.unranked:.4f}" for row in rows]
    words["sha256"] = rows[0].preset_sha256
    return Report("search", {"search.csv": (Search, rows)}, words, search_figure(rows))


def search_table(rows: Sequence[Search]) -> str:
    """Return one line for each row."""
    columns = {
        "store": lambda row: STORES[row.store],
        "faces": lambda row: f"{row.faces:,}",
        "candidates, p50": lambda row: f"{row.search_p50:.1f} ms",
        "p95": lambda row: f"{row.search_p95:.1f} ms",
        "of them computing": lambda row: f"{row.search_cpu:.1f} ms",
        "whole search, p50": lambda row: f"{row.find_p50:.0f} ms",
        "a hit explained": lambda row: f"{row.explain_p50:.1f} ms",
        "recall@10": lambda row: f"{row.recall:.4f}",
        "memory": lambda row: f"{row.search_gib:.1f} GiB",
        "memory, making it": lambda row: f"{row.index_gib:.1f} GiB",
        "enrolling, index": lambda row: f"{row.enroll_seconds:.0f} s, {row.index_seconds:.0f} s",
    }
    return table(rows, columns)


def search_figure(rows: Sequence[Search]) -> Figure:
    """Return a picture of how the cost of candidates grows with the faces."""
    with default_look():
        figure = new_figure(6, 4)
        axes = figure.subplots()
        for store, words in STORES.items():
            of = sorted((x for x in rows if x.store == store), key=lambda row: row.faces)
            if of:
                faces = [row.faces for row in of]
                [line] = axes.loglog(faces, [x.search_p50 for x in of], "o-", label=f"{words}, p50")
                p95 = [row.search_p95 for row in of]
                axes.loglog(faces, p95, "s--", color=line.get_color(), label=f"{words}, p95")
        axes.set(xlabel="faces", ylabel="ms for the candidates", ylim=(1, 1000))
        axes.legend(loc="lower right")
    return figure
