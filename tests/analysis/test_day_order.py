"""The richest day first, as far as every stop's hours allow."""

from dataclasses import replace

import numpy as np

from geo.analysis import day_order, routing
from tests.analysis.test_routing import plane_problem

DAY = 100.0


def three_days(worth, *, closes=None):
    """One team on three days, its base beside five stops; `worth` by stop."""
    one = plane_problem(np.random.default_rng(1), stops=len(worth), views=routing.separate_views(worth))
    return replace(
        one, out=np.tile(one.out, (3, 1)), back=np.tile(one.back, (1, 3)), budget=np.full(3, 50.0),
        allowed=np.ones((3, len(worth)), bool), sets_out=DAY * np.arange(3), closes=closes,
    )  # fmt: skip


def test_days_stand_by_what_they_find():
    problem = three_days([1.0, 3.0, 2.0, 0.5])
    assert day_order.richest_first(problem, ((0,), (2, 3), (1,)), 1) == ((1,), (2, 3), (0,))


def test_a_deadline_keeps_a_poor_day_in_front():
    """Stop 0 must be begun on the first day, stop 2 on the second at the latest."""
    problem = three_days([1.0, 3.0, 2.0, 0.5], closes=np.array([DAY / 2, np.inf, 1.5 * DAY, np.inf]))
    assert day_order.richest_first(problem, ((0,), (2, 3), (1,)), 1) == ((0,), (2, 3), (1,))


def test_ground_seen_on_an_earlier_day_counts_no_more():
    """Stops 1 and 2 show the same ground, 1 better; after 1 the plain stop 0 is worth more than 2."""
    views = routing.Views(np.array([0, 1, 2, 3]), np.array([0, 1, 1]), np.array([1.0, 0.9, 0.8]), np.array([1.0, 5.0]))
    problem = replace(three_days([1.0, 1.0, 1.0]), views=views)
    assert day_order.richest_first(problem, ((2,), (0,), (1,)), 1) == ((1,), (0,), (2,))
