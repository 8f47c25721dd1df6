-- What the engine reads, in pages. Every statement sees what is committed and waits for no writer. `flows_due` is named
-- because SQLite, which keeps no statistics here, would choose the index by status and sort every waiting flow.

-- name: flow
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at
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
    return_value, ended_at
FROM execution_log
WHERE step = 0 AND (timestamp, flow_id) > (:after_timestamp, :after_flow_id)
ORDER BY timestamp, flow_id
LIMIT :limit;

-- name: flows_of_status
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at
FROM execution_log
WHERE step = 0 AND status = :status AND (timestamp, flow_id) > (:after_timestamp, :after_flow_id)
ORDER BY timestamp, flow_id
LIMIT :limit;

-- name: due
SELECT
    flow_id, class_name, method_name, timestamp, parameters, status, python, round, due, recoveries, digest,
    return_value, ended_at
FROM execution_log INDEXED BY flows_due
WHERE step = 0 AND status = 'WAITING' AND due <= :before AND (due, flow_id) > (:after_due, :after_flow_id)
ORDER BY due, flow_id
LIMIT :limit;

-- name: next_due
SELECT due
FROM execution_log INDEXED BY flows_due
WHERE step = 0 AND status = 'WAITING' AND due > :after
ORDER BY due
LIMIT 1;
