"""Three odd patterns of cash, with figures worked by hand."""

import pytest

from common.domain.cash_patterns import ActorFigures, Finding, Pattern, find_patterns

pytestmark = pytest.mark.req("CASH-10")

USD = 1_000_000
PEER = ActorFigures(actor="peer", sessions=20, paid_outs=20, payments=200, quick_refunds=2)


def counted(*variances: int) -> ActorFigures:
    """Somebody whose drawers came to these variances, in dollars."""
    return ActorFigures(actor="karim", variances=tuple(each * USD for each in variances))


def found(*everybody: ActorFigures) -> list[tuple[str, Pattern]]:
    return [(each.actor, each.pattern) for each in find_patterns(everybody)]


@pytest.mark.parametrize(
    ("variances", "odd"),
    [
        ((-5, -5, -5, -5, -5), True),  # no spread at all
        # mean -4, s = 2.236, standard error 1.0: four of them
        ((-2, -3, -4, -3, -8), True),
        # mean -2, s = 3.162, standard error 1.414: 2 < 2.828
        ((-6, -4, -2, 0, 2), False),
        ((-5, -5, -5, -5), False),  # too few to say
        ((5, 5, 5, 5, 5), False),  # over, again and again: nobody lacks anything
        ((0, 0, 0, 0, 0), False),
        ((-100, 30, 30, 30, 5), False),  # one bad day
    ],
)
def test_a_drawer_that_comes_short_again_and_again(variances, odd):
    assert found(counted(*variances)) == ([("karim", Pattern.VARIANCE_TREND)] if odd else [])


def test_says_why_and_how_sure_it_is():
    """Five times 5.00 short without any spread: as sure as can be."""
    (finding,) = find_patterns([counted(-5, -5, -5, -5, -5)])

    assert finding == Finding(
        pattern=Pattern.VARIANCE_TREND,
        actor="karim",
        score_ppm=1_000_000,
        figures={"sessions": 5, "shortMicro": 25 * USD},
    )


@pytest.mark.parametrize(
    ("paid_outs", "odd"),
    [
        (19, False),  # expected are 10, and 19.49 with three times 3.162
        (20, True),
    ],
)
def test_more_paid_outs_than_the_others_have(paid_outs, odd):
    """The others pay out once a session: ten times are expected in ten sessions."""
    one = ActorFigures(actor="karim", sessions=10, paid_outs=paid_outs)
    expected = [("karim", Pattern.FREQUENT_PAID_OUTS)] if odd else []
    assert found(one, PEER) == expected


def test_money_that_is_given_back_soon_after_it_was_taken():
    """The others do it once in a hundred payments: of 100 one is expected, and six are too many."""
    odd = ActorFigures(actor="karim", payments=100, quick_refunds=6)
    usual = ActorFigures(actor="laila", payments=100, quick_refunds=4)

    assert found(odd, PEER) == [("karim", Pattern.QUICK_REFUNDS)]
    assert found(usual, PEER) == []


def test_who_works_alone_is_held_against_once_on_each_occasion():
    """Four sessions, nobody else has any: 4 and three times 2 are 10, and more is odd."""
    assert found(ActorFigures(actor="karim", sessions=4, paid_outs=10)) == []
    assert found(ActorFigures(actor="karim", sessions=4, paid_outs=11)) == [
        ("karim", Pattern.FREQUENT_PAID_OUTS)
    ]


def test_the_same_figures_in_another_order_say_the_same():
    everybody = [counted(-5, -5, -5, -5, -5), PEER, ActorFigures(actor="a", sessions=1)]

    assert find_patterns(everybody) == find_patterns(everybody[::-1])
