-- Who has the log open, and whose claims are free.

-- name: enter
INSERT INTO engines (name, host, pid, started_at, lease_until) VALUES (:name, :host, :pid, :now, :lease_until)
RETURNING engine;

-- name: extend
UPDATE engines SET lease_until = :lease_until WHERE engine = :engine AND lease_until > 0;

-- Every transaction of the writer begins with this: it finds no row if the engine's writes do not count any more.
-- name: count_commit
UPDATE engines SET commits = ? WHERE engine = ? AND lease_until > 0;

-- name: commits
SELECT commits FROM engines WHERE engine = ?;

-- name: engines
SELECT engine, name, lease_until FROM engines ORDER BY engine;

-- Engines that are gone: they are in the list `dead` because their lock is free, or their lease is over and that of the
-- engine which says so is not.
-- name: fence
UPDATE engines SET lease_until = 0
WHERE
    engine <> :engine AND (
        engine IN (SELECT value FROM json_each(:dead))
        OR (
            :leases AND lease_until <= :now
            AND EXISTS (SELECT 1 FROM engines AS own WHERE own.engine = :engine AND own.lease_until > :now)
        )
    );

-- name: gone
SELECT engine, name FROM engines WHERE lease_until = 0 ORDER BY engine;

-- name: free
UPDATE execution_log SET engine = NULL
WHERE step = 0 AND flow_id IN (
    SELECT flow_id FROM execution_log INDEXED BY flows_by_claim
    WHERE step = 0 AND status = 'RUNNING' AND engine = :engine
    LIMIT :limit
);

-- name: leave
DELETE FROM engines WHERE engine = :engine;
