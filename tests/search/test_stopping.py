"""The epoch that speaks for a trial."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from linnaeus.search.stopping import chosen_epoch

CURVES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(CURVES, st.integers(1, 10_000))
def test_it_is_within_an_error_of_the_best_and_nothing_later_is(curve: list[float], images: int) -> None:
    epoch = chosen_epoch(curve, images)
    best = max(curve)
    error = (best * (1 - best) / images) ** 0.5
    assert best - curve[epoch - 1] <= error + 1e-12
    assert all(best - v > error - 1e-12 for v in curve[epoch:])


def test_lucky_peaks_on_few_images_do_not_end_a_training_early() -> None:
    curve = [0.90, 0.99, 0.97, 0.98, 0.985]
    assert chosen_epoch(curve, 100) == 5
    assert chosen_epoch(curve, 100_000) == 2


def test_an_objective_that_is_no_proportion_has_ties_only() -> None:
    assert chosen_epoch([-3.0, -1.0, -1.0, -1.001], 10) == 3
