//! The tenants' audit logs as the writer appends to them.
//!
//! A record gets its number and its hash here, since only the writer knows what stands before it. What is kept in
//! memory is the last, not yet full tiles; after a failed transaction they are read back.

use std::collections::HashMap;

use clawd_audit::{Checkpoint, Hash, Prepared, Record, SigningKey, TiledLog, origin};
use clawd_model::{TenantName, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::error::ReadError;
use crate::row::Row;
use crate::sql::sql;
use crate::writer::bulk::Bulk;

/// After so many records a checkpoint is signed, in the transaction that holds the last of them.
const RECORDS_PER_CHECKPOINT: u64 = 1000;

struct Log {
    /// What stands for the tenant in the log's tables.
    number: i64,
    tiles: TiledLog,
    /// The size of the last signed checkpoint.
    signed: u64,
}

/// All logs that were appended to since the start.
pub(super) struct Logs {
    key: SigningKey,
    known: HashMap<TenantName, Log>,
}

impl Logs {
    pub(super) fn new(key: SigningKey) -> Self {
        Self {
            key,
            known: HashMap::new(),
        }
    }

    /// After a rollback: what is in memory is ahead of what is stored.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Makes sure that a tenant's log can be appended to; false when there is no such tenant.
    pub(super) async fn open(
        &mut self,
        connection: &mut SqliteConnection,
        tenant: &TenantName,
    ) -> Result<bool, ReadError> {
        if self.known.contains_key(tenant) {
            return Ok(true);
        }
        let Some(log) = load(connection, tenant).await? else {
            return Ok(false);
        };
        self.known.insert(tenant.clone(), log);
        Ok(true)
    }

    /// Numbers and hashes records, and adds their rows; tells the first number. The log has to be open.
    pub(super) fn append(&mut self, tenant: &TenantName, records: &[Prepared], out: &mut Bulk) -> u64 {
        let Some(log) = self.known.get_mut(tenant) else {
            return 0;
        };
        let first = log.tiles.size();
        let mut filled = Vec::new();
        for (position, record) in (first..).zip(records) {
            let numbers = [log.number, i64::try_from(position).unwrap_or(i64::MAX)];
            let leaf = out
                .audit
                .push_with(numbers, |blob| record.append_to(blob, position));
            log.tiles.append(leaf, &mut filled);
        }
        for tile in &filled {
            out.tile(log.number, tile);
        }
        first
    }

    /// Signs the logs whose next checkpoint is due.
    pub(super) fn settle(&mut self, now: Timestamp, out: &mut Bulk) {
        for (tenant, log) in &mut self.known {
            if log.tiles.size() - log.signed >= RECORDS_PER_CHECKPOINT {
                sign(&self.key, tenant, log, now, out);
            }
        }
    }

    /// Logs whose last checkpoint is behind.
    pub(super) fn unsigned(&self) -> Vec<TenantName> {
        self.known
            .iter()
            .filter(|(_, log)| log.signed < log.tiles.size())
            .map(|(tenant, _)| tenant.clone())
            .collect()
    }

    /// Signs the log as it is now.
    pub(super) async fn sign(
        &mut self,
        connection: &mut SqliteConnection,
        tenant: &TenantName,
        now: Timestamp,
        out: &mut Bulk,
    ) -> Result<(), ReadError> {
        self.open(connection, tenant).await?;
        if let Some(log) = self.known.get_mut(tenant) {
            sign(&self.key, tenant, log, now, out);
        }
        Ok(())
    }
}

fn sign(key: &SigningKey, tenant: &TenantName, log: &mut Log, now: Timestamp, out: &mut Bulk) {
    let size = log.tiles.size();
    let name = origin(tenant);
    let checkpoint = Checkpoint {
        origin: name.clone(),
        size,
        root: log.tiles.root(),
    };
    out.checkpoint(log.number, size, now, &checkpoint.sign(key, &name));
    log.signed = size;
}

/// Reads a log's last tiles back: full ones below them as stored, the last leaves from the records themselves.
async fn load(connection: &mut SqliteConnection, tenant: &TenantName) -> Result<Option<Log>, ReadError> {
    let (_, found) = sql("SELECT number, name,
                coalesce((SELECT max(position) + 1 FROM audit WHERE tenant = tenants.number), 0) AS size,
                coalesce((SELECT max(size) FROM checkpoints WHERE tenant = tenants.number), 0) AS signed
         FROM tenants WHERE name = ?")
    .bind(tenant.as_str())
    .run(connection)
    .await?;
    let Some(row) = found.first() else { return Ok(None) };
    let row = Row::new(row, "tenants", "name");
    let number = row.number("number")?;
    let (size, signed): (u64, u64) = (row.int("size")?, row.int("signed")?);
    let tiles = tiles(connection, tenant, number, size).await?;
    check(connection, tenant, number, signed).await?;
    Ok(Some(Log {
        number,
        tiles,
        signed,
    }))
}

/// Holds the newest checkpoint against the records that it covers. Whoever altered the newest of them behind our back
/// is noticed here, before anything is appended to a log that could never be verified again.
async fn check(
    connection: &mut SqliteConnection,
    tenant: &TenantName,
    number: i64,
    signed: u64,
) -> Result<(), ReadError> {
    let (_, rows) = sql("SELECT note FROM checkpoints WHERE tenant = ? ORDER BY size DESC LIMIT 1")
        .bind(number)
        .run(connection)
        .await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let corrupt = |source| ReadError::Corrupt {
        table: "checkpoints",
        column: "note",
        row: format!("{tenant}/{signed}"),
        source,
    };
    let checkpoint = Checkpoint::read_unverified(row.try_get(0)?).map_err(|error| corrupt(error.into()))?;
    let root = tiles(connection, tenant, number, signed).await?.root();
    if checkpoint.size == signed && checkpoint.root == root {
        Ok(())
    } else {
        Err(corrupt("the records are not those that were signed".into()))
    }
}

/// The last tiles of the log when it held `size` records.
async fn tiles(
    connection: &mut SqliteConnection,
    tenant: &TenantName,
    number: i64,
    size: u64,
) -> Result<TiledLog, ReadError> {
    let mut levels = Vec::new();
    let mut unit = 1;
    for (level, width) in TiledLog::widths(size).into_iter().enumerate() {
        // The first entry of the level's last tile.
        let first = size / unit - width;
        let hashes = if level == 0 {
            leaves(connection, number, first, width).await?
        } else {
            tile_roots(connection, number, level - 1, first, width).await?
        };
        levels.push(hashes);
        unit *= 256;
    }
    TiledLog::resume(size, levels).ok_or_else(|| ReadError::Corrupt {
        table: "audit_tiles",
        column: "hashes",
        row: tenant.to_string(),
        source: "tiles or records are missing".into(),
    })
}

async fn leaves(
    connection: &mut SqliteConnection,
    tenant: i64,
    first: u64,
    width: u64,
) -> Result<Vec<Hash>, ReadError> {
    let (_, rows) =
        sql("SELECT body FROM audit WHERE tenant = ? AND position >= ? ORDER BY position LIMIT ?")
            .bind(tenant)
            .bind(i64::try_from(first).unwrap_or(i64::MAX))
            .bind(i64::try_from(width).unwrap_or(i64::MAX))
            .run(connection)
            .await?;
    rows.iter().map(|row| Ok(Record::leaf(row.try_get(0)?))).collect()
}

/// The roots of `width` full tiles of a level, from the one at `first` on.
async fn tile_roots(
    connection: &mut SqliteConnection,
    tenant: i64,
    level: usize,
    first: u64,
    width: u64,
) -> Result<Vec<Hash>, ReadError> {
    let (_, rows) = sql(
        "SELECT hashes FROM audit_tiles WHERE tenant = ? AND level = ? AND position >= ?
         ORDER BY position LIMIT ?",
    )
    .bind(tenant)
    .bind(i64::try_from(level).unwrap_or(i64::MAX))
    .bind(i64::try_from(first).unwrap_or(i64::MAX))
    .bind(i64::try_from(width).unwrap_or(i64::MAX))
    .run(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let bytes: &[u8] = row.try_get(0)?;
            let hashes: Vec<Hash> = bytes.chunks_exact(32).filter_map(Hash::from_slice).collect();
            Ok(clawd_audit::proof::root(&hashes))
        })
        .collect()
}
