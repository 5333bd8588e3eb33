//! `heat page`: the link that opens heatd's page for its owner.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::api::Api;
use crate::find::{Environment, Place, page_link};
use crate::terminal::{clean, print, print_json};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat page
  xdg-open \"$(heat page)\"

The link has the owner's token in it: it is for you alone. For others, heat token new makes links with a role.

heatd listens on its own machine only. From another machine of the house, make a way there first, and leave it open:
  ssh -N -L 8077:127.0.0.1:8077 pi.local
Then the link that heat page prints on heatd's machine works on yours. For a phone, see docs/security.md.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PageArgs {
    /// heatd's data folder, when it is neither HEAT_DATA nor one of the usual ones.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Prints the link as JSON: {"link": ...}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &PageArgs) -> Result<()> {
    let place = Place { url: None, data: options.data.clone() };
    let daemon = place.find(&Environment::of_this_process())?;
    let link = page_link(&daemon.url, &daemon.token);
    // A link to a heatd that does not answer, or with a token that is no longer good, would lead nowhere.
    Api::new(daemon).status()?;
    if options.json {
        return print_json(&json!({ "link": link }));
    }
    print(&format!("{}\n", clean::text(&link)))?;
    Ok(())
}
