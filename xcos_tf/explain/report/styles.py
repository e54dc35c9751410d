"""How each score is drawn, the same in every chart and in the legend."""

from collections.abc import Iterable
from typing import NamedTuple

# Dark enough to be read on white (contrast 4.5:1 or more), and told apart by the colour-blind
# together with the dashes.
_COLOURS = ("#1f5fa8", "#c2410c", "#0f766e", "#7e22ce", "#92610a", "#be185d", "#475569", "#3f7a0a")
_DASHES = ((), (5, 2), (1.5, 1.5), (7, 2, 1.5, 2))
_MARKERS = "osD^vPX*"


class Score(NamedTuple):
    """Which score of which preset; see `ScoredPairs`."""

    preset: str
    score: str

    def __str__(self) -> str:
        return f"{self.preset} ({self.score})"


class Style(NamedTuple):
    """A colour, the dashes of a line (lengths of ink and gap, none for an unbroken one), a mark."""

    colour: str
    dashes: tuple[float, ...]
    marker: str

    @property
    def line(self) -> dict:
        """As matplotlib takes it."""
        return (
            {"color": self.colour, "dashes": self.dashes} if self.dashes else {"color": self.colour}
        )


def styles_of(scores: Iterable[Score]) -> dict[Score, Style]:
    """Return a style for each score, in the order in which they are first met.

    Up to eight differ in colour, and up to 32 in colour or dashes.
    """
    return {
        score: Style(
            _COLOURS[i % len(_COLOURS)],
            _DASHES[(i + i // len(_COLOURS)) % len(_DASHES)],
            _MARKERS[i % len(_MARKERS)],
        )
        for i, score in enumerate(dict.fromkeys(scores))
    }
