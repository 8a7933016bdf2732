-- Everything that turns and their audit records add. Each statement takes the next argument, a JSON array of rows.
-- (Numbered parameters would not do: each statement of the text counts its own.)
INSERT INTO plans (tenant, content, digest, made_at, body)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(?) WHERE true
ON CONFLICT DO NOTHING;
INSERT INTO runs (id, tenant, shard, runbook, workflow, plan, plan_content, requester, status, started_at,
                  updated_at, finished_at)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
       value->>9, value->>9, value->>10
FROM json_each(?);
INSERT INTO journal (run, seq, at, event)
SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?);
UPDATE runs SET status = coalesce(change.status, runs.status), updated_at = change.at,
                finished_at = change.finished_at
FROM (SELECT value->>0 AS id, value->>1 AS status, value->>2 AS at, value->>3 AS finished_at
      FROM json_each(?)) AS change
WHERE runs.id = change.id;
INSERT INTO approvals (id, tenant, run, status, opened_at, body)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?) WHERE true
ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body
WHERE approvals.tenant = excluded.tenant AND approvals.run = excluded.run;
DELETE FROM inbox WHERE id IN (SELECT value FROM json_each(?));
INSERT INTO audit (tenant, position, body)
SELECT value->>0, value->>1, value->>2 FROM json_each(?);
