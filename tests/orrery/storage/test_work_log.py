from dataclasses import replace

import pytest

from orrery.storage.work_log import (
    WORK,
    Session,
    begin_session,
    combined,
    processors,
    sessions,
    write_sessions,
)

LONG = Session("2025-03-01T12:00:00+00:00", 1000, 3000.0, actors=2, deaths=1, cpus=4)
WIDE = Session("2025-03-02T12:00:00+00:00", 200, 800.0, actors=8, cpus=16, nodes=2)


def test_what_is_written_is_read(tmp_path):
    assert sessions(tmp_path) == ()
    write_sessions(tmp_path, (LONG, WIDE))
    assert sessions(tmp_path) == (LONG, WIDE)


def test_damaged_lines_are_left_out(tmp_path):
    write_sessions(tmp_path, (LONG, WIDE))
    good = (tmp_path / WORK).read_text()
    (tmp_path / WORK).write_text("half a li\n" + good + '{"hours": 3}\n')
    assert sessions(tmp_path) == (LONG, WIDE)


def test_kinds_of_processor_add_up_where_they_are_known(tmp_path):
    with_kinds = (
        replace(LONG, processors={"old": 600, "new": 400}),
        WIDE,
        replace(WIDE, processors={"new": 200}),
    )
    write_sessions(tmp_path, with_kinds)
    assert processors(sessions(tmp_path)) == {"old": 600, "new": 600}
    assert combined(with_kinds).processors == {"old": 600, "new": 600}
    assert processors((LONG, WIDE)) == {}


def test_sessions_add_up():
    both = combined((WIDE, LONG))
    assert both.began == LONG.began
    assert both.simulations == 1200
    assert both.rate == pytest.approx(1200 / 3800)
    assert (both.actors, both.deaths, both.cpus, both.nodes) == (8, 1, 16, 2)


def test_a_session_begins_with_nothing_done():
    session = begin_session()
    assert session.began.endswith("+00:00")
    assert session.simulations == 0
    assert session.rate == 0
    assert session.cpus >= 1
