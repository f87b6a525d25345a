"""A process that does not start, or does not end, keeps no test run from ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import processes
from tests.support.processes import Process, Server


@pytest.fixture
def stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments of a make that prints its process id, ignores SIGTERM and never ends."""
    makefile = tmp_path / "Makefile"
    makefile.write_text("serve:\n\t@trap '' TERM; echo id $$$$; while :; do sleep 1; done\n")
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.1)
    return ["-f", str(makefile), "serve"]


def is_running(printed: str) -> bool:
    """Check whether the process that printed its id runs; one that ended may still be listed."""
    status = Path("/proc", printed.split()[1], "status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_a_process_that_ignores_sigterm_is_killed(stubborn: list[str]) -> None:
    """With all that it started."""
    with Process(*stubborn) as process:
        process.wait_for("id")
        assert is_running(process.printed)
    assert not is_running(process.printed)


def test_a_server_that_does_not_come_up_is_stopped(
    stubborn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error shows what it printed."""
    monkeypatch.setattr(processes, "START_SECONDS", 0.5)
    with pytest.raises(AssertionError, match="was not printed in time") as raised:
        Server(*stubborn)
    assert not is_running(str(raised.value).partition("\n")[2])
