-- Locks: runs that name the same one do their work one after the other. A run has a place in the queue from its first
-- turn to its last. The first in the queue may hold the lock; places only ever grow, so it stays the first.
CREATE TABLE run_locks (
    place   INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT NOT NULL REFERENCES tenants (name),
    name    TEXT NOT NULL,
    run     TEXT NOT NULL UNIQUE REFERENCES runs (id),
    held    INTEGER NOT NULL
) STRICT;
CREATE INDEX run_locks_by_name ON run_locks (tenant, name, place);
CREATE UNIQUE INDEX run_locks_one_holder ON run_locks (tenant, name) WHERE held;
