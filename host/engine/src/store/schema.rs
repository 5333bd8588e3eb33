//! The version of the tables: a store of an older one is brought up to date, one of a newer one is refused.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use crate::error::StoreError;
use crate::store::guard::builder;
use crate::store::tables::*;

/// The version of all tables. A store of another version is migrated forward, or refused when it is newer.
pub const SCHEMA_VERSION: u64 = 3;

/// Makes the tables, or brings those of an older store up to date.
pub(crate) fn prepare(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        let found = meta.get("schema")?.map(|version| version.value());
        check_version(found, meta.get("schema-since")?.map(|it| it.value()))?;
        // Version 3 has records and tables that version 2 does not know, and changes none.
        if found == Some(1) {
            name_owners(&transaction)?;
        }
        if found != Some(SCHEMA_VERSION) {
            meta.insert("schema", SCHEMA_VERSION)?;
            meta.insert("schema-since", version_number(env!("CARGO_PKG_VERSION")))?;
        }
        macro_rules! make {
                ($($(#[$doc:meta])* $field:ident $name:ident $stored:literal: $key:ty => $value:ty;)*) => {
                    $(transaction.open_table($name)?;)*
                };
            }
        drop(meta);
        tables!(make);
    }
    transaction.commit()?;
    Ok(())
}

/// Looks at the version before anything is opened for writing. What cannot be read so is for whoever opens it.
pub(super) fn refuse_newer(file: &Path) -> Result<(), StoreError> {
    let Ok(database) = builder().open_read_only(file) else { return Ok(()) };
    let Ok(meta) = database.begin_read()?.open_table(META) else { return Ok(()) };
    let number = |name| Ok::<_, StoreError>(meta.get(name)?.map(|number| number.value()));
    check_version(number("schema")?, number("schema-since")?)
}

fn check_version(schema: Option<u64>, since: Option<u64>) -> Result<(), StoreError> {
    match schema {
        Some(found) if found > SCHEMA_VERSION => {
            let needs = since.map_or_else(|| "a newer version".to_owned(), version_name);
            Err(StoreError::Newer { found, known: SCHEMA_VERSION, needs })
        }
        _ => Ok(()),
    }
}

/// A version as one number, as the store keeps that of the heatd that has brought its schema: an older one names it to whoever goes back.
fn version_number(version: &str) -> u64 {
    let parts = version.split(['.', '-', '+']).take(3).map(|part| part.parse().unwrap_or(0));
    parts.fold(0, |number, part: u64| (number << 16) | part)
}

fn version_name(number: u64) -> String {
    format!("version {}.{}.{}", number >> 32, (number >> 16) & 0xFFFF, number & 0xFFFF)
}

/// Schema version 1 did not know whose state a slot has.
fn name_owners(transaction: &WriteTransaction) -> Result<(), StoreError> {
    {
        let before = transaction.open_table(GENERATIONS)?;
        let mut slots = transaction.open_table(SLOTS)?;
        for row in before.iter()? {
            let (key, value) = row?;
            let (generation, version) = value.value();
            slots.insert(key.value(), (generation, version, ""))?;
        }
    }
    transaction.delete_table(GENERATIONS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_store_of_the_first_schema_is_taken_over_with_its_generations() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("heat.redb");
        let database = Database::create(&file)?;
        let transaction = database.begin_write()?;
        transaction.open_table(META)?.insert("schema", 1)?;
        transaction.open_table(GENERATIONS)?.insert(("seaside", "decay"), (3, 2))?;
        transaction.open_table(STATE)?.insert(("seaside", "decay", 3, "m"), &[7][..])?;
        transaction.commit()?;
        drop(database);
        for _ in 0..2 {
            let store = Store::open(&file)?;
            let snapshot = store.snapshot()?;
            let owner = Owner { generation: 3, version: 2, rule: String::new() };
            assert_eq!(snapshot.owner("seaside", "decay")?, Some(owner));
            assert_eq!(snapshot.generations("seaside", "decay")?, [3]);
            assert_eq!(snapshot.meta("schema")?, SCHEMA_VERSION);
            let since = version_name(snapshot.meta("schema-since")?);
            assert_eq!(since, format!("version {}", env!("CARGO_PKG_VERSION")));
        }
        Ok(())
    }
}
