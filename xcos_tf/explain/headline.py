"""A verdict in the headline of a figure."""

from xcos_tf.explain.notation import told_apart

BLUE, RED = "#2166ac", "#b2182b"  # of the maps: for the same person, and against


def headline(name: str, score: float, threshold: float, same: bool) -> tuple[str, str]:
    """Return a line such as "Same person · xCos 0.71 ≥ 0.35", and its colour.

    Args:
        name: of the score.
        score, threshold: as many decimals are shown as tell them apart.
        same: the verdict.
    """
    shown_score, shown_threshold = told_apart(score, threshold)
    verdict, sign, colour = ("Same person", "≥", BLUE) if same else ("Different people", "<", RED)
    return f"{verdict} · {name} {shown_score} {sign} {shown_threshold}", colour
