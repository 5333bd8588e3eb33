//! `heat stream`: says that the stream starts or ends.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use crate::api::status::Status;
use crate::api::{self, Api};
use crate::find::Place;
use crate::target::{channel_name, only_channel};
use crate::terminal::{clean, print, print_json};

#[derive(Args)]
#[command(after_help = "Examples:\n  heat stream start\n  heat stream end --channel somebody")]
pub(crate) struct StreamArgs {
    /// What the stream does now. Saying it twice does no harm.
    #[arg(value_enum)]
    state: State,
    /// The channel; not needed when heatd has only one.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Prints what heatd answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    Start,
    End,
}

/// The stream as heatd knows it now.
#[derive(Deserialize)]
struct StreamState {
    state: String,
}

pub(crate) fn run(options: &StreamArgs) -> Result<()> {
    let api = Api::at(&options.place)?;
    let channel = match &options.channel {
        Some(channel) => channel_name(channel)?,
        None => only_channel(&Status::read(api.status()?)?)?,
    };
    let wish = match options.state {
        State::Start => "start",
        State::End => "end",
    };
    let told = api.post(&format!("/channels/{channel}/stream"), &json!({ "state": wish }))?;
    if options.json {
        return print_json(&told);
    }
    let stream: StreamState = api::read(told, "the stream")?;
    print(&format!("#{channel} is {}\n", clean::text(&stream.state)))?;
    Ok(())
}
