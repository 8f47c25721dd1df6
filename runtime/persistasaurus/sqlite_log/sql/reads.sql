-- What the engine reads, in pages. Every statement sees what is committed and waits for no writer. `flows_due` is named
-- because SQLite, which keeps no statistics here, would choose the index by status and sort every waiting flow.

-- name: flow
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at, claims, version
FROM execution_log
WHERE flow_id = :flow_id AND step = 0;

-- name: invocations
SELECT
    flow_id, step, kind, class_name, method_name, key, timestamp, called_after, parameters, delay, round, status,
    attempts, failures, due, return_value, delivery, delivered_at, cancelled_after
FROM execution_log
WHERE flow_id = :flow_id AND step > max(:after, 0)
ORDER BY step
LIMIT :limit;

-- name: archived
SELECT
    flow_id, step, kind, class_name, method_name, key, timestamp, called_after, parameters, delay, round, status,
    attempts, failures, due, return_value, delivery, delivered_at, cancelled_after, archived_in
FROM archived_invocations
WHERE flow_id = :flow_id
ORDER BY archived_in, step
LIMIT :limit;

-- name: unread_signals
SELECT signal_id, flow_id, method_name, key, arguments, sent_at, taken_by
FROM signals
WHERE flow_id = :flow_id AND taken_by IS NULL
ORDER BY signal_id;

-- name: taken_signals
SELECT signal_id, flow_id, method_name, key, arguments, sent_at, taken_by
FROM signals
WHERE flow_id = :flow_id AND taken_by IS NOT NULL
ORDER BY signal_id;

-- name: flows
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at, claims, version
FROM execution_log
WHERE step = 0 AND (timestamp, flow_id) > (:after_timestamp, :after_flow_id)
ORDER BY timestamp, flow_id
LIMIT :limit;

-- name: flows_of_status
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at, claims, version
FROM execution_log
WHERE step = 0 AND status = :status AND (timestamp, flow_id) > (:after_timestamp, :after_flow_id)
ORDER BY timestamp, flow_id
LIMIT :limit;

-- Flows nobody runs, and flows that are due: at once for the engine that ran them last or if that is gone, for others a
-- little later. Each side is bounded by an index before the two are merged.
-- name: available
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at, claims, version
FROM (
    SELECT * FROM (
        SELECT *, timestamp AS since
        FROM execution_log INDEXED BY flows_by_claim
        WHERE
            step = 0 AND status = 'RUNNING' AND engine IS NULL
            AND (timestamp, flow_id) > (:after_since, :after_flow_id)
            AND (iif(class_name = '', method_name, class_name || '.' || method_name)
                IN (SELECT value FROM json_each(:names))) <> :other
        ORDER BY timestamp, flow_id
        LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT *, due AS since
        FROM execution_log INDEXED BY flows_due
        WHERE
            step = 0 AND status = 'WAITING' AND due <= :now AND (due, flow_id) > (:after_since, :after_flow_id)
            AND (
                due <= :now - :head_start
                OR engine IS :engine
                OR engine NOT IN (SELECT engine FROM engines WHERE lease_until > 0)
                OR engine IS NULL
            )
            AND (iif(class_name = '', method_name, class_name || '.' || method_name)
                IN (SELECT value FROM json_each(:names))) <> :other
        ORDER BY due, flow_id
        LIMIT :limit
    )
)
ORDER BY since, flow_id
LIMIT :limit;

-- name: ended
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at, claims, version
FROM execution_log
WHERE step = 0 AND flow_id IN (SELECT value FROM json_each(:flow_ids)) AND status NOT IN ('RUNNING', 'WAITING');

-- name: all_signals
SELECT signal_id, flow_id, method_name, key, arguments, sent_at, taken_by
FROM signals
WHERE flow_id = :flow_id
ORDER BY signal_id;

-- name: last_signal
SELECT coalesce(max(seq), 0)
FROM sqlite_sequence
WHERE name = 'signals';

-- name: signals_from_others
SELECT signal_id, flow_id, method_name, key, arguments, sent_at, taken_by
FROM signals
WHERE number > :after AND number <= :to AND sent_by IS NOT :engine
ORDER BY number;

-- name: next_due
SELECT due
FROM execution_log INDEXED BY flows_due
WHERE step = 0 AND status = 'WAITING' AND due > :after
ORDER BY due
LIMIT 1;

-- name: seed
SELECT seed
FROM log_seed;
