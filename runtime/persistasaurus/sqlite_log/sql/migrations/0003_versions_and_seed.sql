-- Versions of flows, and what random values of flow code are derived from.

-- Of the flow's own row only: the version of the flow that it was started on, and runs to its end. An engine of schema
-- version 2 that has the log open meanwhile knows no other than the first.
ALTER TABLE execution_log ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- One row, made with the log: two logs never give the same random values, a copy of a log gives those of its original.
CREATE TABLE log_seed (
    seed BLOB NOT NULL CHECK (length(seed) = 16)
) STRICT;

INSERT INTO log_seed (seed) VALUES (randomblob(16));

DROP VIEW readable_log;

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
    strftime('%Y-%m-%d %H:%M:%f', coalesce(delivered_at, ended_at) / 1e6, 'unixepoch') AS ended_at,
    iif(step = 0, version, NULL) AS version
FROM execution_log
ORDER BY flow_id, step;
