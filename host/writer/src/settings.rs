//! The settings in their final form. Everything is checked here, once, before any socket opens: what belongs together,
//! the password, the certificates, the files.

use std::path::Path;

use anyhow::{Result, anyhow};

use crate::args::Args;
use crate::connection::Connection;
use crate::mistake::Mistake;
use crate::replace;
use crate::sheet::Common;
use crate::sheet_file::SheetFile;
use crate::texts::Texts;

pub(crate) struct Settings {
    pub(crate) connection: Connection,
    pub(crate) texts: Texts,
}

impl Settings {
    /// `password` is the one from the environment.
    pub(crate) fn load(args: Args, password: Option<String>) -> Result<Self> {
        let print = args.print;
        let mut settings = match &args.config {
            Some(path) => {
                let file = SheetFile::open(path)?;
                // Relative paths are meant from where the settings are: a program that starts at logon does not
                // choose its working folder.
                let base = replace::folder(path);
                Self::check(file.sheet()?, base, password)
                    .map_err(|mistake| file.mistake(&mistake))?
            }
            None => {
                let mut sheet = args.common;
                sheet.file = vec![args.file];
                Self::check(sheet, Path::new(""), password)
                    .map_err(|mistake| on_command_line(&mistake))?
            }
        };
        settings.texts.print = print;
        Ok(settings)
    }

    fn check(sheet: Common, base: &Path, password: Option<String>) -> Result<Self, Mistake> {
        Ok(Self {
            texts: Texts::check(&sheet, base)?,
            connection: Connection::check(sheet, base, password)?,
        })
    }
}

fn on_command_line(mistake: &Mistake) -> anyhow::Error {
    let option = match mistake.key {
        "path" => "file",
        key => key,
    };
    anyhow!("--{option}: {}", mistake.text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    fn from_file(text: &str, password: Option<&str>) -> Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("writer.toml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("secret.txt"), "\u{feff}pass word \r\n").unwrap();
        fs::write(folder.path().join("empty.txt"), "\n").unwrap();
        fs::write(folder.path().join("film.txt"), vec![b'x'; 100_000]).unwrap();
        let args =
            Args::parse_from(["heat-writer".as_ref(), "--config".as_ref(), path.as_os_str()]);
        Settings::load(args, password.map(str::to_owned))
    }

    #[track_caller]
    fn mistake(text: &str, line: &str, hint: &str) {
        let error = format!("{:#}", from_file(text, None).err().unwrap());
        assert!(error.contains(&format!("writer.toml{line}:")) && error.contains(hint), "{error}");
    }

    #[test]
    fn example_is_the_reference_and_is_sound() {
        let example = include_str!("../writer.toml");
        let settings = from_file(example, None).unwrap();
        assert_eq!(settings.texts.outputs.len(), 1);
        // Every key that is commented out must be one that the program knows, so that it can be switched on.
        let all: String = example
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.toml");
        fs::write(&path, all).unwrap();
        let sheet = SheetFile::open(&path).unwrap().sheet().unwrap();
        assert!(sheet.tls && sheet.file.len() == 2 && sheet.file[0].every.is_some());
    }

    #[test]
    fn defaults_need_a_broker_and_a_path_only() {
        let settings = from_file("broker = 'pi'\n[[file]]\npath = 'heat.txt'\n", None).unwrap();
        assert_eq!(settings.connection.endpoint.to_string(), "pi:1883");
        assert!(settings.connection.client_id.starts_with("heat-writer-"));
        assert_eq!(settings.texts.filters(), ["heat/v1/status", "heat/v1/+/heat"]);
        let output = &settings.texts.outputs[0];
        assert!(output.path.is_absolute() && output.path.ends_with("heat.txt"));
        assert_eq!(output.look.default, output.look.zero);
        assert_eq!(output.every, Duration::from_secs(1));
    }

    #[test]
    fn files_may_share_a_source() {
        let text = "broker = 'pi'\n[[file]]\npath = 'a'\n[[file]]\npath = 'b'\n[[file]]\npath = 'c'\ntopic = 'x/y'\n";
        let settings = from_file(text, None).unwrap();
        assert_eq!(settings.texts.filters(), ["heat/v1/status", "heat/v1/+/heat", "x/y"]);
    }

    #[test]
    fn password_is_the_line_in_the_file_or_the_environment() {
        let text =
            "broker = 'pi'\nuser = 'ann'\npassword-file = 'secret.txt'\n[[file]]\npath = 'x'\n";
        let login = from_file(text, Some("other")).unwrap().connection.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("ann", "pass word "));
        let text = "broker = 'pi'\nuser = 'ann'\n[[file]]\npath = 'x'\n";
        let login = from_file(text, Some("other")).unwrap().connection.login.unwrap();
        assert_eq!(login.password, "other");
        mistake(text, ", line 2", "HEAT_PASSWORD");
    }

    #[test]
    fn mistakes_point_at_their_line() {
        let file = "[[file]]\npath = 'x'\n";
        mistake(&format!("user = 'ann'\n{file}"), "", "no broker is named");
        mistake("broker = 'pi'\n", "", "[[file]]");
        mistake(&format!("broker = 'pi'\nca = 'x'\n{file}"), ", line 2", "switch tls on");
        mistake(
            &format!("broker = 'pi'\ntls = true\nca = 'x'\n{file}"),
            ", line 3",
            "failed to read",
        );
        mistake(
            &format!("broker = 'pi'\ntls = true\nca = 'secret.txt'\n{file}"),
            ", line 3",
            "BEGIN CERTIFICATE",
        );
        mistake(
            &format!("broker = 'pi'\npassword-file = 'secret.txt'\n{file}"),
            ", line 2",
            "needs a user",
        );
        mistake(
            &format!("broker = 'pi'\nuser = 'a'\npassword-file = 'no.txt'\n{file}"),
            ", line 3",
            "cannot read",
        );
        mistake(
            &format!("broker = 'pi'\nuser = 'a'\npassword-file = 'empty.txt'\n{file}"),
            ", line 3",
            "one line",
        );
        mistake(&format!("broker = 'pi'\nclient-id = ''\n{file}"), ", line 2", "leave it out");
        mistake("broker = 'pi'\n[[file]]\noutput = 'x'\n", ", line 2", "no path");
        mistake(&format!("broker = 'pi'\n{file}[[file]]\npath = 'x'\n"), ", line 5", "two outputs");
        mistake("broker = 'pi'\n[[file]]\npath = '.'\n", ", line 3", "names no file");
        mistake("broker = 'pi'\n[[file]]\npath = \"C:\\temp\"\n", ", line 3", "single quotes");
        mistake("broker = 'pi'\n[[file]]\npath = 'film.txt'\n", ", line 3", "would be lost");
        mistake(
            "broker = 'pi'\n[[file]]\npath = 'x'\ntopic = 'a'\nchannel = 'b'\n",
            ", line 4",
            "stands for itself",
        );
    }

    #[test]
    fn mistakes_on_the_command_line_name_the_option() {
        let args = ["heat-writer", "--broker", "pi", "--file", "/"];
        let error = Settings::load(Args::parse_from(args), None).err().unwrap();
        assert!(error.to_string().starts_with("--file: "), "{error}");
    }
}
