"""The colours of maps; readers who are colour-blind can tell both sets apart."""

from dataclasses import dataclass

from xcos_tf.errors import XcosError

INK, GREY = "#1a1a1a", "#666666"  # of texts
BLUE, RED = "#2166ac", "#b2182b"  # of maps: for the same person, and against


@dataclass(frozen=True)
class Colours:
    """How maps are coloured.

    Attributes:
        signed: matplotlib's name of the colour map from dissimilar to similar.
        weight: that from no weight to the greatest.
        for_same, against: what is laid over a face where it speaks for the same person, and
            against, as matplotlib's colours.
        name_for, name_against: what these are called.
    """

    signed: str
    weight: str
    for_same: str
    against: str
    name_for: str
    name_against: str


COLOURS = {
    # Blue = similar, as in the paper's figures.
    "paper": Colours("RdBu", "Purples", BLUE, RED, "blue", "red"),
    # Ever lighter with the value, so that it survives a print in grey.
    "cividis": Colours("cividis", "cividis", "#fee838", "#00224e", "yellow", "dark blue"),
}


def colours_named(name: str) -> Colours:
    """Return a set of colours.

    Raises:
        XcosError: there is none of this name.
    """
    if name not in COLOURS:
        raise XcosError(f"there are no colours {name!r}; use one of {', '.join(COLOURS)}")
    return COLOURS[name]


PAPER = COLOURS["paper"]
