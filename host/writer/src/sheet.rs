//! The settings as people write them: one pair of structs for the command line and the settings file. Each field is
//! checked on its own here; `settings` checks what belongs together.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use crate::address::Address;
use crate::durations::{Every, OfflineAfter};
use crate::template::{Template, ValueField};
use crate::text::Line;
use crate::topic::{Level, Outputs, Topic};

/// What all files have in common. The doc comments are also the help of the command line.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Common {
    /// The MQTT broker; port 1883, or 8883 with --tls, unless given
    #[arg(long, value_name = "HOST[:PORT]", required_unless_present = "config")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) broker: Option<Address>,

    /// User name at the broker
    #[arg(long, value_name = "NAME")]
    #[serde(default)]
    pub(crate) user: Option<String>,

    /// File that holds the password (otherwise the environment variable HEAT_PASSWORD)
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub(crate) password_file: Option<PathBuf>,

    /// Encrypt the connection; the broker's certificate is checked against the system's authorities
    #[arg(long)]
    #[serde(default)]
    pub(crate) tls: bool,

    /// Check the certificate against this authority (PEM file) instead; needs --tls
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub(crate) ca: Option<PathBuf>,

    /// First part of the daemon's topics [default: heat/v1]
    #[arg(long, value_name = "TOPIC")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) prefix: Option<Topic>,

    /// How long the broker may be away before the offline text is shown [default: 10s]
    #[arg(long, value_name = "DURATION")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) offline_after: Option<OfflineAfter>,

    /// MQTT client id, for brokers that demand a certain one [default: heat-writer- and random digits]
    #[arg(long, value_name = "ID")]
    #[serde(default)]
    pub(crate) client_id: Option<String>,

    /// The text files, each a `[[file]]` of the settings file.
    #[arg(skip)]
    #[serde(default)]
    pub(crate) file: Vec<FileSheet>,
}

/// One text file and what it shows.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FileSheet {
    /// The text file that OBS reads; its folder must exist
    #[arg(long = "file", value_name = "PATH", required_unless_present = "config")]
    #[serde(default)]
    pub(crate) path: Option<PathBuf>,

    /// The Twitch channel; may be left out while only one channel publishes
    #[arg(long, value_name = "NAME")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) channel: Option<Level>,

    /// The output to show, or several: heat,level; the text names each, such as "{heat} · {level}" [default: heat]
    #[arg(long, value_name = "NAME[,NAME]")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) output: Option<Outputs>,

    /// A whole topic to show, instead of channel and output
    #[arg(long, value_name = "TOPIC")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) topic: Option<Topic>,

    /// What to show [default: "🔥 HEAT LEVEL: {value}"]
    #[arg(long, value_name = "TEMPLATE")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) text: Option<Template>,

    /// The field of a JSON object that {value} is, and that may be 0 [default: value]
    #[arg(long, value_name = "FIELD")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) value: Option<ValueField>,

    /// What to show while the value is 0 [default: "🔥 HEAT LEVEL RISING"]
    #[arg(long, value_name = "TEXT")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) zero_text: Option<Line>,

    /// What to show before the first value and after the output was removed [default: the zero text]
    #[arg(long, value_name = "TEXT")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) default: Option<Line>,

    /// What to show while broker or daemon are away [default: the last text stays]
    #[arg(long, value_name = "TEXT")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) offline_text: Option<Line>,

    /// Least time between two writes; 0s writes every value [default: 1s]
    #[arg(long, value_name = "DURATION")]
    #[serde(default, deserialize_with = "given")]
    pub(crate) every: Option<Every>,
}

/// Reads a setting with the same parser as the command line, so that its errors carry the place in the file.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    let raw = String::deserialize(deserializer)?;
    raw.parse().map(Some).map_err(de::Error::custom)
}
