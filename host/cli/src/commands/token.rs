//! `heat token`: makes links that let others in, each with a role; lists them, and revokes them.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::find::{Place, checked_url, page_link};
use crate::terminal::table::{Colour, Table, has_colours};
use crate::terminal::{clean, note, print, print_json, qr};
use crate::when;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token, and prints a link with it, once: as text, and for a telephone's camera.
    New(NewTokenArgs),
    /// Shows who has a token, and when it was used last. Not the tokens: nobody can see them again.
    #[command(after_help = "Examples:\n  heat token list")]
    List(ListTokensArgs),
    /// Ends a token at once.
    #[command(after_help = "Examples:\n  heat token revoke ann")]
    Revoke(RevokeArgs),
}

/// Stands below the help of `new`.
const AFTER_HELP: &str = "\
Examples:
  heat token new --role moderator --name ann
  heat token new --role viewer --expires 12h --url https://heat.example

What each role may do:
  viewer     sees figures, and nobody's name
  moderator  sees people; pauses, sets and adds heat, says when the stream starts and ends, takes back, asks why
  owner      everything, so the rules and the tokens too

heatd listens on its own machine only. docs/security.md says how others reach it, and that address is --url.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct NewTokenArgs {
    #[arg(long, value_enum)]
    role: TokenRole,
    /// For the list and the audit log: lower-case letters, digits, - and _. By default that of the role.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// For how long it is good: 12h, 30d. By default until it is revoked.
    #[arg(long, value_name = "TIME", value_parser = length)]
    expires: Option<u64>,
    /// The address under which the other one reaches heatd, for the link. By default the one of this machine.
    #[arg(long, value_name = "URL", value_parser = checked_url)]
    url: Option<String>,
    /// Prints what heatd tells, as JSON, with the token and without a link.
    #[arg(long)]
    json: bool,
    /// heatd's data folder, when it is neither HEAT_DATA nor one of the usual ones.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ListTokensArgs {
    /// Prints what heatd tells, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// Its name; heat token list shows it.
    #[arg(value_name = "NAME")]
    name: String,
    /// Prints what heatd answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TokenRole {
    Viewer,
    Moderator,
    Owner,
}

/// A token as heatd tells of it.
#[derive(Debug, Deserialize)]
struct Token {
    name: String,
    role: String,
    created_at: Option<u64>,
    expires_at: Option<u64>,
    last_used_at: Option<u64>,
    /// Only when it was just made.
    token: Option<String>,
}

pub(crate) fn run(command: &TokenCommand) -> Result<()> {
    match command {
        TokenCommand::New(options) => new(options),
        TokenCommand::List(options) => list(options),
        TokenCommand::Revoke(options) => revoke(options),
    }
}

fn new(options: &NewTokenArgs) -> Result<()> {
    let api = Api::at(&Place { url: None, data: options.data.clone() })?;
    let role = options.role.to_possible_value();
    let role = role.map(|role| role.get_name().to_owned());
    let wish = json!({ "role": role, "name": options.name, "expires_in": options.expires });
    let told = api.post("/tokens", &wish)?;
    if options.json {
        return print_json(&told);
    }
    let token: Token = api::read(told, "the token")?;
    let url = options.url.as_deref().unwrap_or(api.url());
    print(&token.page(url)?)?;
    if let Some(words) = caution(url) {
        note(words);
    }
    Ok(())
}

fn list(options: &ListTokensArgs) -> Result<()> {
    let told = Api::at(&options.place)?.get("/tokens", &[])?;
    if options.json {
        return print_json(&told);
    }
    print(&page(told, has_colours())?)?;
    Ok(())
}

fn revoke(options: &RevokeArgs) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    anyhow::ensure!(
        !options.name.is_empty() && options.name.chars().all(plain),
        "{:?} is no name of a token; heat token list shows them",
        options.name
    );
    let told = Api::at(&options.place)?.delete(&format!("/tokens/{}", options.name))?;
    if options.json {
        return print_json(&told);
    }
    let done = told.get("message").and_then(Value::as_str).unwrap_or_default();
    print(&format!("{}\n", clean::text(done)))?;
    Ok(())
}

impl Token {
    /// The link, as text and as a picture of blocks that is read from a dark terminal.
    fn page(&self, url: &str) -> Result<String> {
        let token = self.token.as_deref().context("heatd has told no token")?;
        let link = clean::text(&page_link(url, token));
        let head = clean::text(&format!("{}, {}, {}", self.name, self.role, self.until()));
        let end = "heatd shows this link only once. Anybody who has the link can use it: send it to one person, and never put it in a public place.\n";
        if is_of_this_machine(url) {
            // A telephone would look for heatd on itself.
            return Ok(format!("{head}\n\n{link}\n\n{end}"));
        }
        let picture = qr::picture(&link)?;
        Ok(format!("{head}\n\n{link}\n\n{picture}\n\n{end}"))
    }

    fn until(&self) -> String {
        match self.expires_at {
            Some(at) => format!("until {}", when::show(at)),
            None => format!("until it is revoked: heat token revoke {}", self.name),
        }
    }
}

/// Whether an address leads nowhere else than to the machine that asks for it.
fn is_of_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// What there is to say of an address that others shall use.
fn caution(url: &str) -> Option<&'static str> {
    if is_of_this_machine(url) {
        Some(
            "the link leads to this machine only, so there is no picture of it; --url names the address under which others reach heatd, see docs/security.md",
        )
    } else if url.starts_with("http:") {
        Some(
            "the link is not encrypted: whoever is on the way can read the token. Let --url begin with https",
        )
    } else {
        None
    }
}

fn page(told: Value, colours: bool) -> Result<String> {
    #[derive(Deserialize)]
    struct TokenList {
        tokens: Vec<Token>,
    }
    let TokenList { tokens } = api::read(told, "its tokens")?;
    let mut table = Table::new(&["name", "role", "made", "expires", "last used"]);
    for token in &tokens {
        let time = |at: Option<u64>| (at.map(when::show).unwrap_or_default(), Colour::Plain);
        let used = match (token.created_at, token.last_used_at) {
            // The one of the data folder.
            (None, _) => ("in the data folder".to_owned(), Colour::Dim),
            (_, None) => ("never".to_owned(), Colour::Dim),
            (_, used) => time(used),
        };
        table.row([
            (token.name.clone(), Colour::Bold),
            (token.role.clone(), Colour::Plain),
            time(token.created_at),
            time(token.expires_at),
            used,
        ]);
    }
    Ok(table.text(colours))
}

fn length(typed: &str) -> Result<u64, String> {
    let length = when::length(typed).and_then(|length| u64::try_from(length).ok());
    length
        .filter(|length| *length > 0)
        .ok_or_else(|| format!("{typed:?} is no length of time; write 12h or 30d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stands_behind_the_hash_of_the_link_and_in_a_picture() {
        let token: Token = api::read(
            json!({ "name": "ann", "role": "moderator", "created_at": 0, "expires_at": null, "last_used_at": null, "token": "ab".repeat(32) }),
            "it",
        )
        .unwrap();
        let page = token.page("https://heat.example.org").unwrap();
        let link = format!("\nhttps://heat.example.org/#token={}\n", "ab".repeat(32));
        assert!(page.contains(&link) && page.contains("heat token revoke ann"), "{page}");
        let here = token.page("http://127.0.0.1:8077").unwrap();
        assert!(here.contains("http://127.0.0.1:8077/#token=") && !here.contains('█'), "{here}");
        let rows: Vec<&str> = page.lines().filter(|line| line.contains('█')).collect();
        assert!(rows.len() > 15, "{page}");
        let wide = rows[0].chars().count();
        assert!(rows.iter().all(|row| row.chars().count() == wide) && wide < 80, "{page}");
    }

    #[test]
    fn an_address_that_is_of_no_use_to_others_or_not_encrypted_is_said_to_be() {
        for here in ["http://127.0.0.1:8077", "http://localhost", "http://[::1]:80"] {
            assert!(caution(here).unwrap().contains("this machine only"), "{here}");
        }
        assert!(caution("http://pi.local:8077").unwrap().contains("not encrypted"));
        assert_eq!(caution("https://heat.example.org/x"), None);
    }

    #[test]
    fn the_list_tells_who_and_when() {
        let told = json!({ "tokens": [
            { "name": "owner", "role": "owner", "created_at": null, "expires_at": null, "last_used_at": null },
            { "name": "ann", "role": "viewer", "created_at": 0, "expires_at": null, "last_used_at": null },
        ]});
        let page = page(told, false).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        assert!(lines[1].starts_with("owner  owner") && lines[1].contains("data folder"), "{page}");
        assert!(lines[2].starts_with("ann") && lines[2].ends_with("never"), "{page}");
    }

    #[test]
    fn a_time_is_a_length() {
        assert_eq!(length("30d"), Ok(30 * 86_400_000));
        for odd in ["", "0d", "soon", "-1h"] {
            assert!(length(odd).is_err(), "{odd}");
        }
    }
}
