//! `heat stream`: says that the stream starts or ends.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::api::Api;
use crate::find::{Place, Surroundings};
use crate::status::Status;
use crate::{clean, print};

#[derive(Args)]
pub(crate) struct Options {
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

pub(crate) fn run(options: &Options) -> Result<()> {
    let api = Api::new(options.place.find(&Surroundings::of_this_process())?);
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

/// The channel that is meant when none is named: the only one, or the only one with rules.
pub(crate) fn only_channel(status: &Status) -> Result<String> {
    match status.channels.as_slice() {
        [channel] => Ok(channel.name.clone()),
        channels => {
            // In the others there is nothing to be asked or told: they are only counted.
            let mut ruled = channels.iter().filter(|channel| channel.has_rules());
            if let (Some(channel), None) = (ruled.next(), ruled.next()) {
                return Ok(channel.name.clone());
            }
            let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
            bail!("heatd has several channels; say which with --channel: {}", names.join(", "))
        }
    }
}

/// The login of a channel, however it was typed.
pub(crate) fn channel_name(typed: &str) -> Result<String> {
    let name = typed.trim_start_matches('#').to_lowercase();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || name.len() > 25 || !plain {
        bail!("{typed:?} is no channel; write the name at the end of the channel's address");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_known_however_it_is_typed() {
        assert_eq!(channel_name("#Seaside").unwrap(), "seaside");
        for odd in ["", "#", "sea side", "sea/side", "a?b", "ü"] {
            assert!(channel_name(odd).is_err(), "{odd}");
        }
    }
}
