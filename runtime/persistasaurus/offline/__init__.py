"""What a log holds and whether code fits it, without an engine: for `persistc diff --log` and for tests.

Nothing is written to the log and no step body runs.
"""

from persistasaurus.offline.recorded import IN_FLIGHT, Recorded, recorded_flows
from persistasaurus.offline.registered import FlowTypes
from persistasaurus.offline.rehearsal import rehearse
from persistasaurus.sqlite_log.looking import look_into

__all__ = ["IN_FLIGHT", "FlowTypes", "Recorded", "look_into", "recorded_flows", "rehearse"]
