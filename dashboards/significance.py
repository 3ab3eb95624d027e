"""Whether rates of deliveries differ by more than chance: two-proportion z-tests and Holm's correction. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

#: Below this expected number of messages in any of the four cells a test says nothing.
LEAST_EXPECTED = 5
#: A difference counts as more than chance below this p.
LEVEL = 0.05


@dataclass(frozen=True)
class Proportion:
    """`part` messages of `whole`: a rate whose messages count at most once."""

    part: int
    whole: int

    @property
    def is_one(self) -> bool:
        """Whether it can be tested: there is a whole and the part is in it."""
        return self.whole > 0 and 0 <= self.part <= self.whole


def p_value(a: Proportion, b: Proportion) -> float | None:
    """Two-sided p of the pooled two-proportion z-test; None where the messages are too few to tell.

    With p = (xa + xb) / (na + nb): z = (xa/na - xb/nb) / sqrt(p (1 - p) (1/na + 1/nb)), and the p-value is
    2 (1 - Φ(|z|)). The normal approximation needs at least 5 expected messages in each of the four cells (Cochran's
    rule); otherwise there is no answer. Source: NIST/SEMATECH e-Handbook of Statistical Methods, section 7.3.3; W. G.
    Cochran, Some methods for strengthening the common χ² tests, Biometrics 10 (1954).
    """
    if not (a.is_one and b.is_one):
        return None
    pooled = (a.part + b.part) / (a.whole + b.whole)
    if min(a.whole, b.whole) * min(pooled, 1 - pooled) < LEAST_EXPECTED:
        return None
    error = sqrt(pooled * (1 - pooled) * (1 / a.whole + 1 / b.whole))
    z = (a.part / a.whole - b.part / b.whole) / error
    return 2 * NormalDist().cdf(-abs(z))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several tests, adjusted so that the chance of any false alarm stays below the level.

    The i-th smallest of m is multiplied by m - i + 1, none is less than the one before it, none more than 1.
    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979).
    """
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = least
    return adjusted


def against(proportions: Sequence[Proportion], reference: int, chosen_by_rate: bool) -> list[float | None]:
    """Adjusted p of each proportion against the one numbered `reference`; None for itself and where it can't be told.

    `chosen_by_rate`: the reference is the best or the worst of them. To be fair to one that was picked for its rate,
    all pairs are tests then, and Holm's correction is over all of them; else it is over those with the reference.
    """
    numbers = range(len(proportions))
    pairs = [(i, j) for i in numbers for j in numbers if i < j and (chosen_by_rate or reference in (i, j))]
    tested = {pair: p for pair in pairs if (p := p_value(proportions[pair[0]], proportions[pair[1]])) is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return [adjusted.get((min(i, reference), max(i, reference))) for i in numbers]
