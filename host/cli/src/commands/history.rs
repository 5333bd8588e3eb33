//! `heat history`: what was said and done, found in heatd's log.

use std::io::{self, ErrorKind, Write};

use anyhow::Result;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::api::{self, Api};
use crate::target::ChannelArgs;
use crate::terminal::bar::Bar;
use crate::terminal::table::has_colours;
use crate::terminal::{clean, csv, note};
use crate::when;

/// How many messages a page has at most.
const PAGE: u64 = 1_000;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat history pie                     the last 50 lines with this word, the newest first
  heat history --user ann --since 30d  what somebody said and did, under any name
  heat history --kind raid --kind gift --count 0
  heat history --since 18:30 --oldest-first --csv > evening.csv
  heat history --expression '(?i)^!song' --json | jq -r .person.login

Only what the log still has is found: `keep_log` in heatd.toml says for how long.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct HistoryArgs {
    /// Only what has this text, in any case of its letters
    #[arg(value_name = "TEXT", conflicts_with = "expression")]
    text: Option<String>,
    /// Only what matches this regular expression
    #[arg(long, value_name = "REGEX")]
    expression: Option<String>,
    /// Only what is of this person, under any name that they had: an id, a login or a name
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only this kind, such as chat, follow, subscription, gift, cheer, raid, redemption or fave; may be given again
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only since then: 10m, 18:30, 2026-11-20, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<u64>,
    /// Only until before then
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<u64>,
    /// How many at most; 0 for all
    #[arg(long, value_name = "N", default_value = "50")]
    count: u64,
    /// The oldest first
    #[arg(long)]
    oldest_first: bool,
    /// One JSON object a line, as heatd sends them
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// A table (RFC 4180), in which no cell runs as a formula
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    at: ChannelArgs,
}

#[derive(Deserialize)]
struct HistoryPage {
    messages: Vec<Value>,
    next: Option<String>,
    /// The time up to which heatd has read its log.
    reached: Option<u64>,
}

/// A message, as far as it is shown.
#[derive(Deserialize)]
struct Message {
    at: u64,
    channel: String,
    kind: String,
    person: Option<Author>,
    text: String,
}

#[derive(Deserialize)]
struct Author {
    login: String,
    name: String,
}

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    People { colours: bool },
    Json,
    Csv,
}

pub(crate) fn run(options: &HistoryArgs) -> Result<()> {
    let form = match (options.json, options.csv) {
        (true, _) => Form::Json,
        (_, true) => Form::Csv,
        _ => Form::People { colours: has_colours() },
    };
    let api = options.at.api()?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match print_all(options, &api, form, &mut out).and_then(|found| Ok((found, out.flush()?))) {
        Ok((0, ())) if matches!(form, Form::People { .. }) => {
            note("nothing was found");
            Ok(())
        }
        // Whoever read it has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        printed => printed.map(|_| ()),
    }
}

/// Page after page, as they come. Says how many messages there were.
fn print_all(options: &HistoryArgs, api: &Api, form: Form, out: &mut impl Write) -> Result<u64> {
    let most = if options.count == 0 { u64::MAX } else { options.count };
    if form == Form::Csv {
        write!(out, "at,channel,kind,login,name,text\r\n")?;
    }
    let mut query = options.query(api, most)?;
    let mut printed = 0;
    let mut bar = Bar::waiting("searching");
    loop {
        let pairs: Vec<(&str, String)> =
            query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let answer = api.get("/history/messages", &pairs);
        // Whatever is printed and the bar would stand in each other's way.
        bar.end();
        let page: HistoryPage = api::read(answer?, "its history")?;
        for message in page.messages {
            if printed == most {
                return Ok(printed);
            }
            print_one(&message, form, out)?;
            printed += 1;
        }
        // What is found is seen while the rest is looked for.
        out.flush()?;
        match page.next {
            Some(next) if printed < most => query = pairs_of(&next),
            _ => return Ok(printed),
        }
        let reached = page.reached.map(|at| format!(", at {}", when::show(at)));
        bar = Bar::waiting(&format!("searching{}", reached.unwrap_or_default()));
    }
}

impl HistoryArgs {
    fn query(&self, api: &Api, most: u64) -> Result<Vec<(String, String)>> {
        let mut query: Vec<(String, String)> = Vec::new();
        let mut push = |name: &str, value: Option<String>| {
            query.extend(value.map(|value| (name.to_owned(), value)));
        };
        // A person is looked up in one channel.
        let channel = match &self.user {
            Some(_) => Some(self.at.one(api)?),
            None => self.at.named()?,
        };
        push("channel", channel);
        push("text", self.text.clone());
        push("expression", self.expression.clone());
        push("user", self.user.clone());
        self.kinds.iter().for_each(|kind| push("kind", Some(kind.clone())));
        push("from", self.since.map(|at| at.to_string()));
        push("to", self.until.map(|at| at.to_string()));
        push("order", self.oldest_first.then(|| "oldest".to_owned()));
        push("count", Some(most.min(PAGE).to_string()));
        Ok(query)
    }
}

/// The names and values of a query as heatd wrote it.
fn pairs_of(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn print_one(message: &Value, form: Form, out: &mut impl Write) -> Result<()> {
    if form == Form::Json {
        writeln!(out, "{}", clean::json(&message.to_string()))?;
        return Ok(());
    }
    let it: Message = api::read(message.clone(), "a message of its history")?;
    match form {
        Form::Csv => writeln!(out, "{}\r", row(&it))?,
        Form::People { colours } => writeln!(out, "{}", line(&it, colours))?,
        Form::Json => {}
    }
    Ok(())
}

fn line(it: &Message, colours: bool) -> String {
    let (dim, bold, plain) = if colours { ("\x1b[2m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
    let time = when::show(it.at);
    let channel = clean::text(&it.channel);
    let text = clean::text(&it.text);
    let said = match (&it.person, it.kind.as_str()) {
        (Some(person), "chat") => format!("{bold}{}:{plain} {text}", clean::text(&shown(person))),
        (Some(person), "fave") => {
            format!("{bold}* {} faves {text}{plain}", clean::text(&shown(person)))
        }
        _ => format!("{bold}* {text}{plain}"),
    };
    format!("{dim}{time} #{channel}{plain} {said}")
}

/// A name, with the login where that is another word.
fn shown(person: &Author) -> String {
    match person.name.to_lowercase() == person.login {
        true => person.name.clone(),
        false => format!("{} ({})", person.name, person.login),
    }
}

fn row(it: &Message) -> String {
    let (login, name) = it.person.as_ref().map_or(("", ""), |it| (&it.login, &it.name));
    let cells = [it.channel.as_str(), &it.kind, login, name, &it.text];
    let cells: Vec<String> = cells.iter().map(|cell| csv::cell(cell)).collect();
    format!("{},{}", when::rfc3339(it.at), cells.join(","))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, text: &str) -> Message {
        let person = Author { login: "ann".to_owned(), name: "Ann\u{1b}[2J".to_owned() };
        let (channel, kind) = ("seaside".to_owned(), kind.to_owned());
        Message { at: 0, channel, kind, person: Some(person), text: text.to_owned() }
    }

    #[test]
    fn strangers_reach_no_terminal_and_no_spreadsheet() {
        let shown = line(&message("chat", "\u{202e}hi\u{7}"), false);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{shown:?}");
        assert!(row(&message("chat", "=1+1, \"x\"")).ends_with(",\"'=1+1, \"\"x\"\"\""));
    }

    #[test]
    fn the_next_page_is_asked_for_as_heatd_says() {
        let pairs = pairs_of("id=%40ann&text=a%26b&after=7");
        let expected = [("id", "@ann"), ("text", "a&b"), ("after", "7")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
