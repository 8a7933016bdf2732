-- Everything that turns and their audit records add, in one text: the trip to the connection's thread is dear.
-- ($3 is the third argument of the text; ?3 would be the third of its statement.)
--
-- Rare rows come as a JSON array of arrays. The many come packed, which costs a third of that: one blob with all
-- rows, each with its numbers in columns of fixed width before its text, and a JSON array of where each row begins
-- (counted from 1, in the upper bits) and how long its text is (in the lower 32).
--
-- OR FAIL: an error rolls the whole transaction back, so that SQLite need not keep a copy of every page in order to
-- undo a single statement.

-- A plan that is stored already is the same plan, since its key is the digest of its text.
INSERT INTO plans (tenant, content, digest, made_at, body)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each($1) WHERE true
ON CONFLICT DO NOTHING;

INSERT INTO runs (id, tenant, shard, runbook, workflow, plan, plan_content, requester, status, started_at,
                  updated_at, finished_at, number)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
       value->>9, value->>9, value->>10, value->>11
FROM json_each($2);

INSERT OR FAIL INTO journal (run, seq, at, records, event)
SELECT CAST(substr($3, value >> 32, 12) AS INTEGER), CAST(substr($3, (value >> 32) + 12, 12) AS INTEGER),
       CAST(substr($3, (value >> 32) + 24, 16) AS INTEGER),
       nullif(CAST(substr($3, (value >> 32) + 40, 18) AS INTEGER), 0),
       CAST(substr($3, (value >> 32) + 58, value & 0xffffffff) AS TEXT)
FROM json_each($4);

-- The last change of a run in a group is the one that is passed.
UPDATE runs SET status = coalesce(change.status, runs.status), updated_at = change.at,
                finished_at = change.finished_at
FROM (SELECT value->>0 AS id, value->>1 AS status, value->>2 AS at, value->>3 AS finished_at
      FROM json_each($5)) AS change
WHERE runs.id = change.id;

INSERT INTO approvals (id, tenant, run, status, opened_at, body)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each($6) WHERE true
ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body
WHERE approvals.tenant = excluded.tenant AND approvals.run = excluded.run;

DELETE FROM inbox WHERE id IN (SELECT value FROM json_each($7));

INSERT OR FAIL INTO audit (tenant, position, body)
SELECT CAST(substr($8, value >> 32, 12) AS INTEGER), CAST(substr($8, (value >> 32) + 12, 12) AS INTEGER),
       CAST(substr($8, (value >> 32) + 24, value & 0xffffffff) AS TEXT)
FROM json_each($9);
