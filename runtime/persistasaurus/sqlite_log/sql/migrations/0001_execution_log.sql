-- The execution log, as it is first created.

-- Every invocation: what ran, when, how often and with which outcome. Step 0 is the flow itself.
-- Times and delays are whole microseconds, times since 1970 UTC; parameters and return values are JSON.
CREATE TABLE execution_log (
    flow_id         TEXT    NOT NULL,
    step            INTEGER NOT NULL,
    timestamp       INTEGER NOT NULL,
    class_name      TEXT    NOT NULL,
    method_name     TEXT    NOT NULL,
    delay           INTEGER,
    status          TEXT    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 1,
    parameters      TEXT    NOT NULL,
    return_value    TEXT,                        -- or the error of a FAILED one, or why a flow is PARKED
    kind            TEXT    NOT NULL,            -- FLOW, STEP, SIGNAL or TIMER
    key             TEXT,                        -- of a named wait for a signal
    round           INTEGER NOT NULL,            -- how often the flow had been reopened when this was called
    due             INTEGER,                     -- when a timer fires, a pause between attempts ends, a flow goes on
    failures        INTEGER NOT NULL DEFAULT 0,  -- attempts that failed, without those a crash cut off
    called_after    INTEGER,                     -- the last delivery the flow had seen when it made the call
    delivery        INTEGER,                     -- the number under which the outcome was handed to the flow
    delivered_at    INTEGER,
    cancelled_after INTEGER,                     -- the last delivery before the flow gave the call up
    -- of the flow's own row only:
    python          TEXT,                        -- the Python version the flow was started on
    digest          TEXT,                        -- of the code of the flow class that parked it
    recoveries      INTEGER,                     -- in a row, without a new record
    ended_at        INTEGER,
    PRIMARY KEY (flow_id, step)
) STRICT;

CREATE INDEX flows_by_time ON execution_log (timestamp, flow_id) WHERE step = 0;
CREATE INDEX flows_by_status ON execution_log (status, timestamp, flow_id) WHERE step = 0;
CREATE INDEX flows_due ON execution_log (due, flow_id) WHERE step = 0 AND status = 'WAITING' AND due IS NOT NULL;

-- The signals sent to each flow, in the order of their ids; unread while `taken_by` is NULL.
CREATE TABLE signals (
    flow_id     TEXT    NOT NULL,
    signal_id   TEXT    NOT NULL,
    method_name TEXT    NOT NULL,
    key         TEXT,
    arguments   TEXT    NOT NULL,
    sent_at     INTEGER NOT NULL,
    taken_by    INTEGER,                         -- the step number of the wait
    PRIMARY KEY (flow_id, signal_id)
) STRICT;

-- Invocations of earlier rounds: what a failed flow had done behind the point at which it was reopened.
CREATE TABLE archived_invocations (
    archived_in     INTEGER NOT NULL,            -- the round whose history this is
    flow_id         TEXT    NOT NULL,
    step            INTEGER NOT NULL,
    timestamp       INTEGER NOT NULL,
    class_name      TEXT    NOT NULL,
    method_name     TEXT    NOT NULL,
    delay           INTEGER,
    status          TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    parameters      TEXT    NOT NULL,
    return_value    TEXT,
    kind            TEXT    NOT NULL,
    key             TEXT,
    round           INTEGER NOT NULL,
    due             INTEGER,
    failures        INTEGER NOT NULL,
    called_after    INTEGER,
    delivery        INTEGER,
    delivered_at    INTEGER,
    cancelled_after INTEGER,
    PRIMARY KEY (flow_id, archived_in, step)
) STRICT;

-- For people: sqlite3 execution_log.db 'SELECT * FROM readable_log'
CREATE VIEW readable_log AS
SELECT
    flow_id,
    step,
    strftime('%Y-%m-%d %H:%M:%f', timestamp / 1e6, 'unixepoch') AS called_at,
    iif(class_name = '', method_name, class_name || '.' || method_name) AS called,
    kind,
    status,
    attempts,
    parameters,
    return_value,
    strftime('%Y-%m-%d %H:%M:%f', due / 1e6, 'unixepoch') AS due_at,
    strftime('%Y-%m-%d %H:%M:%f', coalesce(delivered_at, ended_at) / 1e6, 'unixepoch') AS ended_at
FROM execution_log
ORDER BY flow_id, step;
