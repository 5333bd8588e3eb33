//! The tables as of one commit, each opened when somebody first reads it: a snapshot is made with every commit, and most of them read few.

use std::sync::OnceLock;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata};

use crate::error::StoreError;
use crate::store::tables::*;

macro_rules! read_tables {
    ($($(#[$doc:meta])* $field:ident $name:ident $stored:literal: $key:ty => $value:ty;)*) => {
        /// Owns what it reads, so that it can live as long as an overlay.
        pub(crate) struct ReadTables {
            transaction: ReadTransaction,
            $($field: OnceLock<ReadOnlyTable<$key, $value>>,)*
        }

        impl ReadTables {
            pub(crate) fn new(transaction: ReadTransaction) -> Self {
                Self { transaction, $($field: OnceLock::new(),)* }
            }

            $(
                $(#[$doc])*
                pub(crate) fn $field(&self) -> Result<&ReadOnlyTable<$key, $value>, StoreError> {
                    if let Some(table) = self.$field.get() {
                        return Ok(table);
                    }
                    let table = self.transaction.open_table($name)?;
                    Ok(self.$field.get_or_init(|| table))
                }
            )*

            /// How many rows all tables have together.
            pub(crate) fn all_rows(&self) -> Result<u64, StoreError> {
                Ok(0 $(+ self.$field()?.len()?)*)
            }
        }
    };
}
tables!(read_tables);
