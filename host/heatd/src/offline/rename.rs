//! `heatd rename`: adds what was counted under a channel's login before to its login of now. heatd does so by itself, unless both have counts.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use heat_engine::{FormerLogin, Store, StoreError, rename_channel};

use crate::config::login;
use crate::data::STORE;

#[derive(Args)]
pub(crate) struct RenameOptions {
    /// The login before.
    old: String,
    /// The login of now.
    new: String,
    /// heatd's data folder.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
}

pub(crate) fn run(options: &RenameOptions) -> Result<String> {
    let [old, new] = [&options.old, &options.new].map(|written| {
        login(written).with_context(|| {
            format!("{written:?} is no channel: a login is 1 to 25 letters, digits and underscores")
        })
    });
    let (old, new) = (old?, new?);
    ensure!(old != new, "#{old} has that name already");
    let file = options.data.join(STORE);
    ensure!(
        file.is_file(),
        "there is no store {}; --data names heatd's data folder",
        file.display()
    );
    let store = match Store::open(&file) {
        Err(StoreError::InUse) => {
            bail!("a heatd has the store {} open; stop it first", file.display())
        }
        opened => opened.with_context(|| format!("failed to open {}", file.display()))?,
    };
    let known = store.snapshot()?.contents()?.faves;
    if !known.iter().any(|(name, _)| *name == old) {
        let names: Vec<String> = known.iter().map(|(name, _)| format!("#{name}")).collect();
        bail!("nothing was counted under #{old}; there are counts of {}", names.join(", "));
    }
    let FormerLogin { faves, own, .. } = rename_channel(&store, &old, &new)?;
    Ok(match own {
        0 => format!("#{new} goes on with everything of #{old}: {faves} faves\n"),
        own => format!(
            "#{new} has the {faves} faves of #{old} beside its own {own}, with the log and the graphs of both; its heat stays what it is\n"
        ),
    })
}
