"""Where a set's pairs have their weight: shares of regions, and the paper's claim in numbers."""

from dataclasses import dataclass

import numpy as np

from xcos_tf.explain.regions import region_map, region_totals

MOUTH_AND_CHIN = ("left mouth corner", "mouth", "right mouth corner", "chin")
CENTRAL = 3 / 7  # of the width: three columns of the paper's seven


@dataclass(frozen=True)
class WeightShare:
    """How much of the weight lies in a part of the face.

    Attributes:
        part: its name.
        cells: the share of the grid's cells that are in it, which an even W would give it.
        mean: over all pairs, of the share of a pair's weight.
        spread: standard deviation over pairs.
        genuine, impostor: the mean over pairs of that kind; NaN where there are none.
    """

    part: str
    cells: float
    mean: float
    spread: float
    genuine: float
    impostor: float


def region_shares(attention_maps: np.ndarray, same: np.ndarray) -> list[WeightShare]:
    """Return the share of each region, the one with the most weight first.

    Args:
        attention_maps: W of each pair, float (P, h, w), each of which sums to 1.
        same: bool (P,), which pairs are genuine.
    """
    regions = region_map(*attention_maps.shape[1:])
    names = region_totals(np.zeros(regions.shape))
    shares = [_share(name, regions == name, attention_maps, same) for name in names]
    return sorted(shares, key=lambda share: -round(share.mean, 9))


def claimed_shares(attention_maps: np.ndarray, same: np.ndarray) -> list[WeightShare]:
    """Return the shares of where the paper (Fig. 3) sees attention: the centre, mouth and chin.

    Central columns are those whose middle lies in the middle three sevenths of the face.
    """
    height, width = attention_maps.shape[1:]
    middles = (np.arange(width) + 0.5) / width
    central = np.broadcast_to(np.abs(middles - 0.5) < CENTRAL / 2, (height, width))
    low = np.isin(region_map(height, width), MOUTH_AND_CHIN)
    parts = {"central columns": central, "mouth and chin": low}
    return [_share(name, inside, attention_maps, same) for name, inside in parts.items()]


def _share(name: str, inside: np.ndarray, attention_maps, same) -> WeightShare:
    shares = attention_maps[:, inside].sum(axis=1, dtype=np.float64)
    genuine, impostor = (
        float(shares[kind].mean()) if kind.any() else float("nan") for kind in (same, ~same)
    )
    return WeightShare(
        name, float(inside.mean()), float(shares.mean()), float(shares.std()), genuine, impostor
    )
