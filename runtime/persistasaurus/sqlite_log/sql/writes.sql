-- What the writer thread does to the log. `{rows}` becomes one `(?, ...)` for each row of a chunk: one statement for
-- many rows, because Python's sqlite3 lets go of the interpreter lock and takes it again around every statement.
--
-- Parameters that stand for NULL are the number 0.5, which no column can hold and binds ten times faster than None;
-- a chunk is filled up to the next prepared size with rows of 0.5, which insert nothing and match no row.

-- name: insert_flows
INSERT INTO execution_log (
    flow_id, step, timestamp, class_name, method_name, status, parameters, return_value, kind, round, due, python,
    digest, recoveries, ended_at, claims, version, engine
)
SELECT
    column1, 0, column2, column3, column4, column5, column6, nullif(column7, 0.5), 'FLOW', column8,
    nullif(column9, 0.5), column10, nullif(column11, 0.5), column12, nullif(column13, 0.5), column14,
    column15, nullif(column16, 0.5)
FROM (VALUES {rows})
WHERE column1 <> 0.5;

-- name: insert_signals
INSERT INTO signals (flow_id, signal_id, method_name, key, arguments, sent_at, taken_by, sent_by)
SELECT column1, column2, column3, nullif(column4, 0.5), column5, column6, nullif(column7, 0.5), column8
FROM (VALUES {rows})
WHERE column1 <> 0.5;

-- Calls as they were made and changes of calls that are there, together: where a batch is nothing else, this statement is
-- its whole transaction, so it also asks whether the engine is still one whose writes count. A change has no kind. Of a call that is not there it finds no class name, and a call that is there
-- cannot be made again, because its status would be NULL: both are refused.
-- name: write_invocations
INSERT INTO execution_log (
    flow_id, step, kind, class_name, method_name, key, timestamp, called_after, parameters, delay, round, status,
    attempts, failures, due, return_value, delivery, delivered_at, cancelled_after
)
SELECT
    column1, column2, column3,
    iif(column3 = '', (SELECT class_name FROM execution_log WHERE flow_id = column1 AND step = column2), column4),
    column5, nullif(column6, 0.5), column7, column8, column9, nullif(column10, 0.5), column11, column12, column13, column14,
    nullif(column15, 0.5), nullif(column16, 0.5), nullif(column17, 0.5), nullif(column18, 0.5), nullif(column19, 0.5)
FROM (VALUES {rows})
WHERE column1 <> 0.5 AND EXISTS (SELECT 1 FROM engines WHERE engine = ? AND lease_until > 0)
ON CONFLICT (flow_id, step) DO UPDATE SET
    status = iif(excluded.kind = '', excluded.status, NULL),
    attempts = excluded.attempts,
    failures = excluded.failures,
    due = excluded.due,
    return_value = excluded.return_value,
    delivery = excluded.delivery,
    delivered_at = excluded.delivered_at,
    cancelled_after = excluded.cancelled_after;

-- A flow that waits stays due if another engine has stored a signal for it of which this one had not heard (column11).
-- It is not found if it went to another engine since (column10).
-- name: update_flows
UPDATE execution_log
SET
    status = v.column2,
    due = iif(
        v.column2 = 'WAITING',
        nullif(min(coalesce(nullif(v.column3, 0.5), 9000000000000000000), coalesce((
            SELECT min(sent_at) FROM signals INDEXED BY signals_unread
            WHERE flow_id = v.column1 AND number > v.column11 AND taken_by IS NULL AND sent_by IS NOT v.column8
        ), 9000000000000000000)), 9000000000000000000),
        nullif(v.column3, 0.5)
    ),
    recoveries = v.column4,
    digest = nullif(v.column5, 0.5),
    return_value = nullif(v.column6, 0.5),
    ended_at = nullif(v.column7, 0.5),
    engine = nullif(v.column8, 0.5),
    claims = v.column9
FROM (VALUES {rows}) AS v
WHERE flow_id = v.column1 AND step = 0 AND claims = v.column10;

-- name: release_flow
UPDATE execution_log
SET engine = NULL, claims = claims + 1
WHERE flow_id = :flow_id AND step = 0 AND status = 'RUNNING' AND claims = :claims;

-- name: claims_of_flow
SELECT claims FROM execution_log WHERE flow_id = :flow_id AND step = 0;

-- Forgetting a flow.
-- name: delete_invocations
DELETE FROM execution_log WHERE flow_id = :flow_id;

-- name: delete_archived
DELETE FROM archived_invocations WHERE flow_id = :flow_id;

-- name: delete_signals
DELETE FROM signals WHERE flow_id = :flow_id;

-- An open wait becomes a step with the signal's arguments; one that is not waiting is not found.
-- name: give_signals
UPDATE execution_log
SET status = 'PENDING', due = NULL, parameters = v.column3, attempts = v.column4
FROM (VALUES {rows}) AS v
WHERE flow_id = v.column1 AND step = v.column2 AND status = 'WAITING_FOR_SIGNAL';

-- name: take_signals
UPDATE signals
SET taken_by = v.column3
FROM (VALUES {rows}) AS v
WHERE flow_id = v.column1 AND signal_id = v.column2 AND taken_by IS NULL;

-- name: return_signals
UPDATE signals
SET taken_by = NULL
FROM (VALUES {rows}) AS v
WHERE flow_id = v.column1 AND signal_id = v.column2 AND taken_by = v.column3;

-- The flows that questions of a batch are about, all in one row of the result, with the engine that has them if it lives.
-- `{rows}` is a list of `(?)`.
-- name: flows_asked_about
SELECT json_group_array(json_array(
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at, claims, version,
    (SELECT e.engine FROM engines AS e WHERE e.engine = execution_log.engine AND e.lease_until > 0)
))
FROM execution_log
WHERE step = 0 AND flow_id IN (VALUES {rows});

-- Reopening a flow (G7), step by step.
-- name: archive_invocation
INSERT INTO archived_invocations (
    archived_in, flow_id, step, timestamp, class_name, method_name, delay, status, attempts, parameters, return_value,
    kind, key, round, due, failures, called_after, delivery, delivered_at, cancelled_after
)
SELECT
    :round, flow_id, step, timestamp, class_name, method_name, delay, status, attempts, parameters, return_value,
    kind, key, round, due, failures, called_after, delivery, delivered_at, cancelled_after
FROM execution_log
WHERE flow_id = :flow_id AND step = :step AND step > 0;

-- name: delete_invocation
DELETE FROM execution_log WHERE flow_id = :flow_id AND step = :step AND step > 0;

-- name: unread_signals_of_step
UPDATE signals SET taken_by = NULL WHERE flow_id = :flow_id AND taken_by = :step;

-- name: move_to_round
UPDATE execution_log SET round = :round WHERE flow_id = :flow_id AND step = :step;

-- Has a statement whose result is not known happened? Then its rows are as it would leave them.
-- name: invocation_is_as_made
SELECT EXISTS (
    SELECT 1 FROM execution_log
    WHERE
        flow_id = :flow_id AND step = :step AND kind = :kind AND class_name = :class_name
        AND method_name = :method_name AND key IS :key AND timestamp = :timestamp AND called_after = :called_after
        AND parameters = :parameters AND delay IS :delay AND round = :round
);

-- name: invocation_is_as_changed
SELECT EXISTS (
    SELECT 1 FROM execution_log
    WHERE
        flow_id = :flow_id AND step = :step AND status = :status AND attempts = :attempts AND failures = :failures
        AND due IS :due AND return_value IS :return_value AND delivery IS :delivery
        AND delivered_at IS :delivered_at AND cancelled_after IS :cancelled_after
);
