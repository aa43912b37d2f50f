"""The thread for work that can wait ends when it is told."""

import threading

import pytest

from helpers.lecture.workshop import Workshop

PATIENCE = 60


def test_it_ends_its_piece_of_work_and_begins_no_other():
    begun, may_end, done = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        may_end.wait(PATIENCE)
        done.append("piece")
        return True

    workshop = Workshop(work)
    workshop.open()
    assert begun.wait(PATIENCE)
    closing = threading.Thread(target=workshop.close)
    closing.start()
    may_end.set()
    closing.join(PATIENCE)
    workshop.open()
    workshop.wait(PATIENCE)
    assert done == ["piece"] and not closing.is_alive()


def test_closed_it_does_not_wait_for_its_hour():
    workshop = Workshop(lambda: pytest.fail("was closed"))
    workshop.open(seconds_before=3600)
    workshop.close()
