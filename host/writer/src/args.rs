//! The command line. It fills the same sheet as the settings file, so both know the same settings and the same checks.

use std::path::PathBuf;

use clap::Parser;

use crate::sheet::{Common, FileSheet};

const EXAMPLES: &str = "\
Examples:
  heat-writer --broker 192.168.1.10 --file C:\\stream\\heat.txt
  heat-writer --broker pi.local --user writer --password-file secret.txt --file heat.txt --channel ann
  heat-writer --broker pi.local --tls --ca ca.pem --file song.txt --output latest --text \"now: {song.title}\"
  heat-writer --config writer.toml

In OBS: add a text source, tick \"Read from file\", choose the file. OBS shows a change after one to two seconds.
In templates {value} is the value, {name} a field of a JSON value, {{ and }} are braces.
The password comes from --password-file or from the environment variable HEAT_PASSWORD.
Exit codes: 0 after Ctrl-C, 64 for a mistake in the settings.";

/// Keeps the text file that OBS or Streamlabs shows up to date: MQTT in, text file out
#[derive(Debug, Parser)]
#[command(name = "heat-writer", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Read all settings from this file instead; it may name several text files (see writer.toml)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Common", "FileSheet"])]
    pub(crate) config: Option<PathBuf>,

    /// Also print each written text, one per line
    #[arg(long)]
    pub(crate) print: bool,

    #[command(flatten)]
    pub(crate) common: Common,

    #[command(flatten)]
    pub(crate) file: FileSheet,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["heat-writer"], args].concat())
    }

    #[test]
    fn command_line_is_sound() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn broker_and_file_are_enough() {
        let args = parse(&["--broker", "pi", "--file", "heat.txt"]).unwrap();
        assert!(!args.common.tls && !args.print && args.config.is_none());
    }

    #[test]
    fn settings_file_stands_alone() {
        assert!(parse(&["--config", "writer.toml", "--print"]).is_ok());
        assert!(parse(&["--config", "writer.toml", "--broker", "pi"]).is_err());
        assert!(parse(&["--config", "writer.toml", "--text", "x"]).is_err());
    }

    #[test]
    fn mistakes_name_the_option_and_a_way_out() {
        for (args, hint) in [
            (vec!["--broker", "pi"], "--file"),
            (vec!["--file", "x"], "--broker"),
            (vec!["--broker", "mqtt://pi", "--file", "x"], "write `pi`"),
            (vec!["--broker", "pi", "--file", "x", "--every", "1"], "`500ms`"),
            (vec!["--broker", "pi", "--file", "x", "--channel", "+"], "wildcard"),
            (vec!["--broker", "pi", "--file", "x", "--text", "{value"], "`{{`"),
            (vec!["--broker", "pi", "--file", "x", "--default", ""], "shows nothing"),
            (vec!["--broker", "pi", "--fil", "x"], "--file"),
            (vec!["--broker", "pi", "--file", "x", "--password", "y"], "--password-file"),
        ] {
            let error = parse(&args).unwrap_err().to_string();
            assert!(error.contains(hint), "{args:?}: {error}");
        }
    }
}
