-- An execution log of schema version 3, as an engine that was killed left it.
PRAGMA application_id = 1347636295;
PRAGMA user_version = 3;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
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
INSERT INTO "archived_invocations" VALUES(0,'signup-3',1,1735900000001003,'SignupFlow','create_user_record',NULL,'FAILED',1,'[]','{"type":"ValueError"}','STEP',NULL,0,NULL,0,0,1,1735900000002003,NULL);
CREATE TABLE engines (
    engine      INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL,                -- of its file
    host        TEXT    NOT NULL,
    pid         INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,                -- 0: it is gone, and its claims are being taken
    commits     INTEGER NOT NULL DEFAULT 0       -- its transactions: tells whether a COMMIT that failed has happened
) STRICT;
INSERT INTO "engines" VALUES(3,'4711-0badcafe','host',4711,1736000000000000,1736000015000000,12);
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
    ended_at        INTEGER, engine INTEGER, claims INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (flow_id, step)
) STRICT;
INSERT INTO "execution_log" VALUES('signup-1',0,1735900000000001,'SignupFlow','sign_up',NULL,'COMPLETE',1,'["user 1","user1@example.com"]','42','FLOW',NULL,0,NULL,0,NULL,NULL,NULL,NULL,'3.11',NULL,0,1735900000009000,NULL,0,1);
INSERT INTO "execution_log" VALUES('signup-2',0,1735900000000002,'SignupFlow','sign_up',NULL,'WAITING',1,'["user 2","user2@example.com"]',NULL,'FLOW',NULL,0,1736100000000000,0,NULL,NULL,NULL,NULL,'3.11',NULL,0,NULL,NULL,0,2);
INSERT INTO "execution_log" VALUES('signup-3',0,1735900000000003,'SignupFlow','sign_up',NULL,'RUNNING',1,'["user 3","user3@example.com"]',NULL,'FLOW',NULL,1,NULL,0,NULL,NULL,NULL,NULL,'3.11',NULL,0,NULL,3,0,1);
INSERT INTO "execution_log" VALUES('signup-1',1,1735900000001001,'SignupFlow','create_user_record',NULL,'COMPLETE',1,'["user 1","user1@example.com"]','42','STEP',NULL,0,NULL,0,0,1,1735900000002001,NULL,NULL,NULL,NULL,NULL,NULL,0,1);
INSERT INTO "execution_log" VALUES('signup-1',2,1735900000002001,'SignupFlow','send_welcome_email',259200000000,'COMPLETE',2,'[42,"user1@example.com"]','null','STEP',NULL,0,NULL,1,1,2,1735900000004001,NULL,NULL,NULL,NULL,NULL,NULL,0,1);
INSERT INTO "execution_log" VALUES('signup-1',3,1735900000003001,'SignupFlow','confirm_email_address',604800000000,'COMPLETE',1,'["2025-01-04T09:00:00Z"]','"2025-01-04T09:00:00Z"','SIGNAL',NULL,0,NULL,0,2,3,1735900000006001,NULL,NULL,NULL,NULL,NULL,NULL,0,1);
INSERT INTO "execution_log" VALUES('signup-1',4,1735900000004001,'SignupFlow','finalize_signup',NULL,'COMPLETE',1,'[42,"2025-01-04T09:00:00Z"]','null','STEP',NULL,0,NULL,0,3,4,1735900000008001,NULL,NULL,NULL,NULL,NULL,NULL,0,1);
INSERT INTO "execution_log" VALUES('signup-2',1,1735900000001002,'SignupFlow','confirm_email_address',NULL,'WAITING_FOR_SIGNAL',0,'[]',NULL,'SIGNAL','again',0,1736300000000000,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,1);
INSERT INTO "execution_log" VALUES('signup-4',0,1735900000000004,'SignupFlow','sign_up',NULL,'PARKED',1,'["user 4","user4@example.com"]','{"why":"step 1 was create_user, is create_user_record"}','FLOW',NULL,0,NULL,0,NULL,NULL,NULL,NULL,'3.11','sha256:0123',3,NULL,NULL,0,1);
CREATE TABLE log_seed (
    seed BLOB NOT NULL CHECK (length(seed) = 16)
) STRICT;
INSERT INTO "log_seed" VALUES(X'000102030405060708090A0B0C0D0E0F');
CREATE TABLE "signals" (
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
INSERT INTO "signals" VALUES(1,'signup-1','0001','confirm_email_address',NULL,'["2025-01-04T09:00:00Z"]',1735900000005000,3,3);
INSERT INTO "signals" VALUES(2,'signup-2','0002','confirm_email_address',NULL,'["2025-01-05T09:00:00Z"]',1736100000000000,NULL,3);
CREATE INDEX flows_by_time ON execution_log (timestamp, flow_id) WHERE step = 0;
CREATE INDEX flows_by_status ON execution_log (status, timestamp, flow_id) WHERE step = 0;
CREATE INDEX flows_due ON execution_log (due, flow_id) WHERE step = 0 AND status = 'WAITING' AND due IS NOT NULL;
CREATE INDEX flows_by_claim ON execution_log (engine, timestamp, flow_id) WHERE step = 0 AND status = 'RUNNING';
CREATE INDEX signals_unread ON signals (flow_id, number) WHERE taken_by IS NULL;
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('signals',2);
INSERT INTO "sqlite_sequence" VALUES('engines',3);
COMMIT;
