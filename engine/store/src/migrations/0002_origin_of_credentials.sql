-- Who issued a credential to somebody else, or what it was made with (none: the operator of the machine), and the
-- tokens and sessions that it was made with, with which it ends: JSON arrays.

ALTER TABLE tokens ADD COLUMN issued_by TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tokens ADD COLUMN made_with TEXT NOT NULL DEFAULT '[]';

-- Who made the tokens that are there stands in the audit log.
UPDATE tokens SET issued_by = json_array(made.by)
FROM (SELECT body->'data'->>'token' AS token, tenants.name AS tenant,
             substr(body->>'actor', instr(body->>'actor', ':') + 1) AS by
      FROM audit JOIN tenants ON tenants.number = audit.tenant
      WHERE body LIKE '%"kind":"token.created"%' AND body->>'kind' = 'token.created'
        AND body->>'actor' <> 'local-operator') AS made
WHERE made.token = tokens.id AND made.tenant = tokens.tenant AND made.by <> tokens.principal;

-- Nobody knows who made the links and sessions that are there: people sign in again.
DROP TABLE sign_in_links;
CREATE TABLE sign_in_links (
    hash           TEXT PRIMARY KEY,
    tenant         TEXT NOT NULL,
    principal      TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    session_until  INTEGER,         -- when the session ends at the latest; null: no sooner than any other
    issued_by      TEXT NOT NULL,
    made_with      TEXT NOT NULL,
    FOREIGN KEY (tenant, principal) REFERENCES principals (tenant, name)
) STRICT, WITHOUT ROWID;

DROP TABLE sessions;
CREATE TABLE sessions (
    hash        TEXT PRIMARY KEY,
    id          TEXT NOT NULL,      -- stays when the secret changes
    tenant      TEXT NOT NULL,
    principal   TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    issued_by   TEXT NOT NULL,
    made_with   TEXT NOT NULL,
    FOREIGN KEY (tenant, principal) REFERENCES principals (tenant, name)
) STRICT, WITHOUT ROWID;

-- Keys are named from now on, and granted on the machine itself; a path names none.
UPDATE servers SET identity = NULL, version = version + 1 WHERE identity IS NOT NULL;
