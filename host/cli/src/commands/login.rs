//! `heat login` and `heat logout`: logs heatd in to Twitch, says how its accounts stand, and ends a login.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stdin, stdout};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::find::Place;
use crate::target::channel_name;
use crate::terminal::table::{Colour, Table, has_colours};
use crate::terminal::words::many;
use crate::terminal::{answer, clean, note, print, print_json, qr};
use crate::when;

/// How often heatd is asked whether the person has agreed.
const LOOK: Duration = Duration::from_secs(1);

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat login                      the account of the only channel
  heat login --channel somebody
  heat login --bot                the account that speaks
  heat login status

heat prints an address and a code. Open the address on any device, agree there, and wait: heat says when it is done.
Which accounts there are, and for what, says [[twitch.account]] in heatd.toml: docs/login.md.";

#[derive(Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct LoginArgs {
    #[command(subcommand)]
    other: Option<LoginCommand>,
    #[command(flatten)]
    begin: BeginArgs,
}

#[derive(Subcommand)]
enum LoginCommand {
    /// Says how each account stands, and what it is for.
    #[command(after_help = "Examples:\n  heat login status\n  heat login status --json")]
    Status(LoginStatusArgs),
}

#[derive(Args)]
struct BeginArgs {
    #[command(flatten)]
    account: AccountChoice,
    /// In a browser on heatd's machine, instead of with a code. It needs a confidential client.
    #[arg(long)]
    browser: bool,
    /// The client id, where heatd.toml has none.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Prints what heatd answers, as JSON: how the login began, and how it ended.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Which account.
#[derive(Args)]
struct AccountChoice {
    /// The account of this channel; not needed when there is only one account.
    #[arg(long, value_name = "NAME", conflicts_with = "bot")]
    channel: Option<String>,
    /// The account that speaks.
    #[arg(long)]
    bot: bool,
}

#[derive(Args)]
struct LoginStatusArgs {
    /// Prints what heatd tells, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  heat logout --channel somebody\n  heat logout --bot\n\nTwitch ends the login, and heatd forgets it."
)]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    account: AccountChoice,
    /// Prints what heatd answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Deserialize)]
struct AccountList {
    has_client_id: bool,
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    login: String,
    bot: bool,
    state: String,
    problem: Option<String>,
    features: Vec<Feature>,
    /// Of an older heatd: none.
    #[serde(default)]
    eventsub: Option<Hearing>,
    begun: Option<Begun>,
}

/// What an account hears.
#[derive(Deserialize)]
struct Hearing {
    connected: bool,
    hears: Vec<String>,
    refused: BTreeMap<String, String>,
    problem: Option<String>,
}

impl Hearing {
    /// How it stands, in sentences.
    fn words(&self, login: &str) -> Vec<String> {
        let mut words = Vec::new();
        match (&self.problem, self.connected) {
            (Some(problem), false) => {
                words.push(format!("{login} hears nothing at present: {problem}"));
            }
            (_, true) => words
                .push(format!("{login} hears EventSub: {}", many(self.hears.len() as u64, "type"))),
            _ => {}
        }
        for (kind, why) in &self.refused {
            words.push(format!("{login} does not hear {kind}: {why}"));
        }
        words
    }
}

#[derive(Deserialize)]
struct Feature {
    name: String,
    why: String,
    covered: bool,
}

/// A login that has begun.
#[derive(Clone, Deserialize)]
struct Begun {
    address: String,
    code: Option<String>,
    expires_at: u64,
    state: String,
    problem: Option<String>,
}

pub(crate) fn run(options: &LoginArgs) -> Result<()> {
    match &options.other {
        Some(LoginCommand::Status(status)) => show(status),
        None => begin(&options.begin),
    }
}

fn listed(api: &Api) -> Result<AccountList> {
    api::read(api.get("/accounts", &[])?, "its accounts")
}

impl AccountChoice {
    fn find<'a>(&self, accounts: &'a [Account]) -> Result<&'a Account> {
        let names = || accounts.iter().map(|it| it.login.as_str()).collect::<Vec<_>>().join(", ");
        if accounts.is_empty() {
            bail!(
                "heatd.toml has no account yet. Write\n\n[[twitch.account]]\nchannel = \"yourname\"\nfeatures = [\"follows\", \"subscriptions\"]\n\nand start heatd again; docs/login.md has all features"
            );
        }
        let channel = self.channel.as_deref().map(channel_name).transpose()?;
        let found = match (&channel, self.bot) {
            (Some(channel), _) => accounts.iter().find(|it| it.login == *channel && !it.bot),
            (None, true) => accounts.iter().find(|it| it.bot),
            (None, false) if accounts.len() == 1 => accounts.first(),
            (None, false) => {
                bail!("heatd has several accounts; say which with --channel or --bot: {}", names())
            }
        };
        match found {
            Some(account) => Ok(account),
            None => bail!("heatd.toml has no such account; it has {}", names()),
        }
    }
}

fn begin(options: &BeginArgs) -> Result<()> {
    let api = Api::at(&options.place)?;
    let list = listed(&api)?;
    let account = options.account.find(&list.accounts)?;
    if !options.json {
        print(&account.wanted())?;
    }
    let path = format!("/accounts/{}/login", account.login);
    let client_id = match &options.client_id {
        None if !list.has_client_id && stdin().is_terminal() && !options.json => Some(ask()?),
        given => given.clone(),
    };
    let wish = json!({ "client_id": client_id, "browser": options.browser });
    let told = api.post(&path, &wish)?;
    if options.json {
        print(&format!("{}\n", clean::json(&told.to_string())))?;
    }
    let begun: Begun = api::read(told, "the login")?;
    if !options.json {
        print(&begun.page()?)?;
    }
    wait(&api, &account.login, &begun, options.json)
}

/// Asks the person for the client id: without one no login can begin.
fn ask() -> Result<String> {
    note(
        "heatd knows no client id yet. Register an application at dev.twitch.tv/console (Category: Chat Bot; Client Type: Public; OAuth Redirect URL: \
         http://localhost), and type its client id here",
    );
    answer("client id: ")
}

/// Waits until the person has agreed, or has not.
fn wait(api: &Api, login: &str, begun: &Begun, json: bool) -> Result<()> {
    loop {
        sleep(LOOK);
        let found = listed(api)?.accounts.into_iter().find(|it| it.login == login);
        let Some(now) = found.as_ref().and_then(|it| it.begun.clone()) else {
            bail!("heatd was started again meanwhile; begin again");
        };
        if now.address != begun.address || now.expires_at != begun.expires_at {
            bail!("another login of {login} has begun meanwhile");
        }
        match now.state.as_str() {
            "waiting" => {}
            "done" => {
                if json {
                    return Ok(print(&format!(
                        "{}\n",
                        json!({ "login": login, "state": "done" })
                    ))?);
                }
                let problem = found.and_then(|it| it.problem);
                let rest = problem.map(|it| format!("{}\n", clean::text(&it))).unwrap_or_default();
                return Ok(print(&format!("heatd is logged in as {login}\n{rest}"))?);
            }
            _ => bail!("{}", clean::text(now.problem.as_deref().unwrap_or("the login has failed"))),
        }
    }
}

impl Account {
    /// For what the person is about to agree.
    fn wanted(&self) -> String {
        let mut page = format!("heatd wants to be logged in as {}. With it heatd\n", self.login);
        for feature in &self.features {
            page.push_str(&clean::text(&format!("  - {} ({})", feature.why, feature.name)));
            page.push('\n');
        }
        page
    }
}

impl Begun {
    fn page(&self) -> Result<String> {
        let address = clean::text(&self.address);
        let until = when::show(self.expires_at);
        let Some(code) = &self.code else {
            return Ok(format!(
                "\nOpen this in a browser on heatd's machine, until {until}:\n  {address}\n\n"
            ));
        };
        let code = clean::text(code);
        let mut page =
            format!("\nOpen {address}\nand compare the code there, until {until}:\n\n  {code}\n\n");
        if stdout().is_terminal() {
            let drawn = qr::picture(&self.address)?;
            page.push_str(&format!("{drawn}\n\n"));
        }
        page.push_str("waiting ...\n");
        Ok(page)
    }
}

fn show(options: &LoginStatusArgs) -> Result<()> {
    let told = Api::at(&options.place)?.get("/accounts", &[])?;
    if options.json {
        return print_json(&told);
    }
    let list: AccountList = api::read(told, "its accounts")?;
    print(&page(&list.accounts, has_colours()))?;
    Ok(())
}

fn page(accounts: &[Account], colours: bool) -> String {
    if accounts.is_empty() {
        return "heatd.toml has no [[twitch.account]]; heatd reads chat without a login\n"
            .to_owned();
    }
    let mut table = Table::new(&["account", "is", "login", "for", ""]);
    for account in accounts {
        let colour = if account.state == "logged-in" { Colour::Green } else { Colour::Red };
        let mut first = true;
        for feature in &account.features {
            let (covered, mark) = match feature.covered {
                true => (Colour::Plain, ""),
                false => (Colour::Yellow, "not yet"),
            };
            let once = |text: &str| if first { text.to_owned() } else { String::new() };
            table.row([
                (once(&account.login), Colour::Bold),
                (once(if account.bot { "bot" } else { "channel" }), Colour::Plain),
                (once(&account.state), colour),
                (feature.name.clone(), covered),
                (mark.to_owned(), covered),
            ]);
            first = false;
        }
    }
    let mut page = table.text(colours);
    for account in accounts {
        for line in account.eventsub.iter().flat_map(|it| it.words(&account.login)) {
            page.push_str(&clean::text(&line));
            page.push('\n');
        }
    }
    for problem in accounts.iter().filter_map(|it| it.problem.as_deref()) {
        page.push_str(&clean::text(problem));
        page.push('\n');
    }
    page
}

pub(crate) fn log_out(options: &LogoutArgs) -> Result<()> {
    let api = Api::at(&options.place)?;
    let list = listed(&api)?;
    let account = options.account.find(&list.accounts)?;
    let told = api.delete(&format!("/accounts/{}/login", account.login))?;
    if options.json {
        return print_json(&told);
    }
    let done = told.get("message").and_then(Value::as_str).unwrap_or_default();
    print(&format!("{}\n", clean::text(done)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_listed_with_what_they_are_for() {
        let told = json!({ "has_client_id": true, "accounts": [
            { "login": "seaside", "bot": false, "state": "logged-in", "problem": "The login of seaside does not cover rewards yet: heat login --channel seaside", "features": [
                { "name": "follows", "why": "hears who follows", "covered": true },
                { "name": "rewards", "why": "hears rewards", "covered": false },
            ], "eventsub": { "connected": true, "hears": ["channel.follow", "stream.online"], "refused": { "channel.raid": "subscription already exists" }, "problem": null }, "begun": null },
            { "login": "bot", "bot": true, "state": "logged-out", "problem": null, "features": [{ "name": "say", "why": "speaks", "covered": false }], "begun": null },
        ] });
        let list: AccountList = api::read(told, "accounts").unwrap();
        let page = page(&list.accounts, false);
        let lines: Vec<&str> = page.lines().collect();
        assert!(lines[1].starts_with("seaside  channel  logged-in   follows"), "{page}");
        assert!(
            lines[2].trim_start().starts_with("rewards") && lines[2].contains("not yet"),
            "{page}"
        );
        assert!(lines[3].contains("bot") && lines[3].contains("logged-out"), "{page}");
        assert_eq!(lines[4], "seaside hears EventSub: 2 types");
        assert_eq!(lines[5], "seaside does not hear channel.raid: subscription already exists");
        assert!(lines[6].contains("heat login --channel seaside"), "{page}");
        let choice =
            |channel: Option<&str>, bot| AccountChoice { channel: channel.map(str::to_owned), bot };
        assert_eq!(choice(None, true).find(&list.accounts).unwrap().login, "bot");
        assert_eq!(choice(Some("#Seaside"), false).find(&list.accounts).unwrap().login, "seaside");
        let error = choice(None, false).find(&list.accounts).err().unwrap().to_string();
        assert!(error.contains("--channel or --bot: seaside, bot"), "{error}");
        assert!(
            choice(None, false).find(&[]).err().unwrap().to_string().contains("[[twitch.account]]")
        );
    }
}
