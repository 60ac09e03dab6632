"""The virtual machine of the tests marked `judge`: one for the whole session, and never skipped where it is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from packetsim.errors import OracleError
from packetsim.oracle.judge import Judge, virtual_machine
from packetsim.oracle.verify import Bench


@pytest.fixture(scope="session")
def machine() -> Iterator[Judge]:
    try:
        judge = virtual_machine()
    except OracleError as error:
        pytest.exit(str(error), returncode=1)
    with judge:
        yield judge


@pytest.fixture(scope="session")
def bench(machine: Judge) -> Bench:
    return Bench(machine)
