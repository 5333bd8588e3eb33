//! `heat stream`: says that the stream starts or ends.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::api::Api;
use crate::api::status::Status;
use crate::find::{Environment, Place};
use crate::target::{channel_name, only_channel};
use crate::terminal::{clean, print};

#[derive(Args)]
pub(crate) struct StreamArgs {
    /// What the stream does now. Saying it twice does no harm.
    #[arg(value_enum)]
    state: State,
    /// The channel; not needed when heatd has only one.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    Start,
    End,
}

pub(crate) fn run(options: &StreamArgs) -> Result<()> {
    let api = Api::new(options.place.find(&Environment::of_this_process())?);
    let channel = match &options.channel {
        Some(channel) => channel_name(channel)?,
        None => only_channel(&Status::read(api.status()?)?)?,
    };
    let wish = match options.state {
        State::Start => "start",
        State::End => "end",
    };
    let stream = api.stream(&channel, wish)?;
    print(&format!("#{channel} is {}\n", clean::text(&stream.state)))?;
    Ok(())
}
