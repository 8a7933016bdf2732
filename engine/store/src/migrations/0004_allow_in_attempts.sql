-- An attempt holds the gate's allow, which stood right before it until now. What was recorded stays as it is.
UPDATE journal SET event = json_set(event, '$.decision', json(allowed.decision))
FROM (SELECT run, seq + 1 AS seq, event->'decision' AS decision FROM journal
      WHERE event->>'type' = 'gate_decided') AS allowed
WHERE allowed.run = journal.run AND allowed.seq = journal.seq
  AND journal.event->>'type' = 'attempt_started';
