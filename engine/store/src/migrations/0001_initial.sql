-- The first schema. Times are milliseconds since 1970 in UTC; ids, names and digests are stored as they print,
-- so that the file can be read with any SQLite tool. Documents are JSON text. Secrets never enter: tokens,
-- sessions and sign-in links are known by their SHA-256 only.

CREATE TABLE tenants (
    number      INTEGER PRIMARY KEY,   -- stands for the name in the largest tables
    name        TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE principals (
    tenant        TEXT NOT NULL REFERENCES tenants (name),
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    groups        TEXT NOT NULL,   -- a JSON array of names
    operator      TEXT,
    disabled      INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    principal   TEXT NOT NULL,
    label       TEXT NOT NULL,
    scopes      TEXT NOT NULL,   -- a JSON array of actions; empty: no limit
    hash        TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    FOREIGN KEY (tenant, principal) REFERENCES principals (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_tenant ON tokens (tenant, id);

CREATE TABLE sign_in_links (
    hash        TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    principal   TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    FOREIGN KEY (tenant, principal) REFERENCES principals (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash        TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    principal   TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    FOREIGN KEY (tenant, principal) REFERENCES principals (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE servers (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL REFERENCES tenants (name),
    name        TEXT NOT NULL,
    provider    TEXT NOT NULL,
    address     TEXT NOT NULL,
    env         TEXT NOT NULL,
    labels      TEXT NOT NULL,   -- a JSON object of texts
    protected   INTEGER NOT NULL,
    host_key    TEXT,
    identity    TEXT,
    facts       TEXT,            -- JSON
    facts_at    INTEGER,
    version     INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE runbooks (
    tenant        TEXT NOT NULL REFERENCES tenants (name),
    name          TEXT NOT NULL,
    digest        TEXT NOT NULL,
    source        TEXT NOT NULL,
    published_by  TEXT NOT NULL,
    published_at  INTEGER NOT NULL,
    active        INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX runbooks_by_digest ON runbooks (tenant, digest);
CREATE UNIQUE INDEX runbooks_one_active ON runbooks (tenant, name) WHERE active;

CREATE TABLE bundles (
    tenant        TEXT NOT NULL REFERENCES tenants (name),
    digest        TEXT NOT NULL,
    files         TEXT NOT NULL,   -- a JSON object: path → text
    published_by  TEXT NOT NULL,
    published_at  INTEGER NOT NULL,
    active        INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bundles_one_active ON bundles (tenant) WHERE active;

-- Plans with the same digest may differ in what the digest leaves out (times, decisions, outputs of reads), so
-- a plan is stored under the SHA-256 of its whole text and never changes; a run names exactly the one it uses.
CREATE TABLE plans (
    tenant      TEXT NOT NULL REFERENCES tenants (name),
    content     TEXT NOT NULL,
    digest      TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (tenant, content)
) STRICT, WITHOUT ROWID;
CREATE INDEX plans_by_digest ON plans (tenant, digest, made_at);

CREATE TABLE runs (
    number        INTEGER PRIMARY KEY,   -- stands for the id in the journal
    id            TEXT NOT NULL UNIQUE,
    tenant        TEXT NOT NULL REFERENCES tenants (name),
    shard         INTEGER NOT NULL,
    runbook       TEXT NOT NULL,
    workflow      TEXT NOT NULL,
    plan          TEXT NOT NULL,   -- the digest that approvals bind to
    plan_content  TEXT NOT NULL,   -- which stored plan
    requester     TEXT NOT NULL,
    status        TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    FOREIGN KEY (tenant, plan_content) REFERENCES plans (tenant, content)
) STRICT;
CREATE INDEX runs_by_tenant ON runs (tenant, id);
CREATE INDEX runs_unfinished ON runs (shard, id) WHERE finished_at IS NULL;

-- The hottest table. Its key is the sequence check: two writers cannot both append the same number. Rows lie in
-- the order in which they were committed and the key is a small index beside them, so that a group of commits of
-- many runs touches few pages. No foreign key: the writer knows each run's last number before it appends.
CREATE TABLE journal (
    run      INTEGER NOT NULL,   -- runs.number
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    records  INTEGER,            -- on a turn's first event: where its audit records begin, << 16, and how many
    event    TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT;

CREATE TABLE inbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    run      TEXT NOT NULL REFERENCES runs (id),
    at       INTEGER NOT NULL,
    message  TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_by_run ON inbox (run, id);

CREATE TABLE approvals (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (name),
    run        TEXT NOT NULL REFERENCES runs (id),
    status     TEXT NOT NULL,
    opened_at  INTEGER NOT NULL,
    body       TEXT NOT NULL    -- the projection, votes included
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_tenant ON approvals (tenant, status, id);
CREATE INDEX approvals_by_run ON approvals (run, id);

CREATE TABLE outputs (
    tenant     TEXT NOT NULL,
    attempt    TEXT NOT NULL,
    position   INTEGER NOT NULL,   -- of the chunk's first byte in the whole output
    run        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    stream     TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (tenant, attempt, position)
) STRICT, WITHOUT ROWID;

-- The text is exactly what was hashed. No foreign key, for the same reason as in the journal. The records of a run
-- are found through its journal and `audit_of_runs`: an index would cost a quarter of each commit.
CREATE TABLE audit (
    tenant    INTEGER NOT NULL,   -- tenants.number
    position  INTEGER NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;

-- Records about runs that no turn made: votes, cancellations, refusals.
CREATE TABLE audit_of_runs (
    run       INTEGER NOT NULL REFERENCES runs (number),
    position  INTEGER NOT NULL,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

-- Full tiles of 256 hashes, as in C2SP tlog-tiles: level 0 holds leaves, level n the roots of tiles below.
CREATE TABLE audit_tiles (
    tenant    INTEGER NOT NULL REFERENCES tenants (number),
    level     INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    hashes    BLOB NOT NULL,
    PRIMARY KEY (tenant, level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    tenant  INTEGER NOT NULL REFERENCES tenants (number),
    size    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    note    TEXT NOT NULL,
    PRIMARY KEY (tenant, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    shard       INTEGER PRIMARY KEY,
    holder      TEXT,               -- nobody, after a release
    epoch       INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    tenant      TEXT NOT NULL,
    principal   TEXT NOT NULL,
    key         TEXT NOT NULL,
    request     TEXT NOT NULL,      -- the digest of what was asked for
    response    TEXT,               -- nothing while the first request is under way
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, principal, key)
) STRICT, WITHOUT ROWID;
