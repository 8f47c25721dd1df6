-- Many engines on one log: who runs a flow, who lives, and what the others have sent.

-- Of the flow's own row only: the engine that runs it or ran it last, and how often that changed. A RUNNING flow is claimed
-- by its engine as long as that lives; a WAITING one by nobody.
ALTER TABLE execution_log ADD COLUMN engine INTEGER;
ALTER TABLE execution_log ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;

CREATE INDEX flows_by_claim ON execution_log (engine, timestamp, flow_id) WHERE step = 0 AND status = 'RUNNING';

-- The engines that have the log open. Each holds a lock on a file of its own in the folder beside the log, and renews its
-- lease; one that does neither is gone, and whatever it still tries to write finds no row here and is refused.
CREATE TABLE engines (
    engine      INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL,                -- of its file
    host        TEXT    NOT NULL,
    pid         INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,                -- 0: it is gone, and its claims are being taken
    commits     INTEGER NOT NULL DEFAULT 0       -- its transactions: tells whether a COMMIT that failed has happened
) STRICT;

-- Signals get a number in the order in which they were stored, by which engines find what others have sent.
CREATE TABLE numbered_signals (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    flow_id     TEXT    NOT NULL,
    signal_id   TEXT    NOT NULL,
    method_name TEXT    NOT NULL,
    key         TEXT,
    arguments   TEXT    NOT NULL,
    sent_at     INTEGER NOT NULL,
    taken_by    INTEGER,                         -- the step number of the wait
    sent_by     INTEGER,                         -- the engine through which it came
    UNIQUE (flow_id, signal_id)
) STRICT;

INSERT INTO numbered_signals (flow_id, signal_id, method_name, key, arguments, sent_at, taken_by)
SELECT flow_id, signal_id, method_name, key, arguments, sent_at, taken_by FROM signals ORDER BY sent_at, signal_id;

DROP TABLE signals;
ALTER TABLE numbered_signals RENAME TO signals;

CREATE INDEX signals_unread ON signals (flow_id, number) WHERE taken_by IS NULL;
