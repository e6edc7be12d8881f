"""A receiver whose secret is replaced: what is owed goes out with the new one, and no sooner than was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.delivery.outbox import LONGEST_WAIT, DeliveryOutcome
from alerts.incidents.incident import Notice
from alerts.notify import Address, NotifyError
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import Receiver, world

DRIFT = rule()
SOON = NotifyError("it is down", retry=True)
REVOKED = NotifyError("the token is revoked", retry=False)


class Keyed(Receiver):
    """Refuses until its secret's file was replaced."""

    def __init__(self, refusal: NotifyError) -> None:
        super().__init__()
        self.file, self.secret, self.refusal = "old", "old", refusal

    def read_again(self) -> bool:
        changed, self.secret = self.file != self.secret, self.file
        return changed

    def send(self, notice: Notice, address: Address | None) -> Address:
        if self.secret == "old":
            raise self.refusal
        return super().send(notice, address)


def test_a_secret_that_was_replaced_is_read_when_the_old_one_is_refused(tmp_path: Path) -> None:
    pager = Keyed(REVOKED)
    with world(tmp_path, [DRIFT], pager) as it:
        pager.file = "new"
        it.window(3.2, 1)
        it.deliver()
        assert it.outcomes == [("pager", DeliveryOutcome.SENT, None)]
    assert pager.told == ["first"]


@pytest.mark.parametrize("refusal", [SOON, NotifyError("no answer", retry=True, unsure=True)])
def test_what_may_have_arrived_or_may_succeed_soon_is_tried_with_the_new_secret_in_its_turn(
    tmp_path: Path, refusal: NotifyError
) -> None:
    pager = Keyed(refusal)
    with world(tmp_path, [DRIFT], pager) as it:
        pager.file = "new"
        it.window(3.2, 1)
        it.deliver()
        assert pager.told == [], "not twice within one pass"
        it.deliver(LONGEST_WAIT)
    assert pager.told == ["first"]


@pytest.mark.parametrize("refusal", [REVOKED, SOON])
def test_a_reload_delivers_at_once_what_waited_for_a_mended_secret(tmp_path: Path, refusal: NotifyError) -> None:
    pager = Keyed(refusal)
    with world(tmp_path, [DRIFT], pager) as it:
        it.window(3.2, 1)
        for _ in range(100):
            it.deliver()
        pager.file = "new"
        it.delivery.hasten(it.clock.now)
        it.deliver(0.1)
        assert it.outcomes[-1] == ("pager", DeliveryOutcome.SENT, None)
    assert pager.told == ["first"]


@pytest.mark.parametrize("refusal", [REVOKED, SOON])
def test_a_restart_delivers_at_once_and_does_not_wait_the_backoff_out(tmp_path: Path, refusal: NotifyError) -> None:
    clock, pager = FakeClock(), Receiver()
    pager.refusals = [refusal] * 6
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(3.2, 1)
        while pager.refusals:
            it.deliver()
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.deliver(0.1)
        assert it.outcomes[0] == ("pager", DeliveryOutcome.RETRIED, str(refusal)), "and says what was wrong until then"
    assert pager.told == ["first"]


def test_neither_a_reload_nor_a_restart_asks_sooner_who_said_when(tmp_path: Path) -> None:
    clock, pager = FakeClock(), Receiver()
    pager.refusals = [NotifyError("slow down", retry=True, after=60.0)]
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(3.2, 1)
        it.deliver()
        it.delivery.hasten(it.clock.now)
        it.deliver()
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.deliver()
        it.delivery.hasten(it.clock.now)
        it.deliver()
        assert pager.told == []
        it.deliver(60.0)
    assert pager.told == ["first"]
