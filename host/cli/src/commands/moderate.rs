//! `heat ban`, `heat timeout`, `heat unban` and `heat delete`: what moderators do to people and lines in chat.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::target::{AnswerArgs, SureArgs, channel_name};
use crate::terminal::{clean, note, print, print_json};
use crate::when;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  heat ban troll\n  heat ban troll --reason 'links to scams' --yes"
)]
pub(crate) struct BanArgs {
    /// Who, by login.
    #[arg(value_name = "USER")]
    user: String,
    /// Why; Twitch shows it to the person and to moderators.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  heat timeout troll 10m\n  heat timeout troll 1d --reason 'caps' --yes"
)]
pub(crate) struct TimeoutArgs {
    /// Who, by login.
    #[arg(value_name = "USER")]
    user: String,
    /// For how long: 30s, 10m, 2h, 14d at most.
    #[arg(value_name = "TIME")]
    time: String,
    /// Why; Twitch shows it to the person and to moderators.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  heat unban somebody\n  heat unban somebody --yes      ends a timeout, too"
)]
pub(crate) struct UnbanArgs {
    /// Who, by login.
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  heat delete 5f1c0a3e-...          heat devlog shows the ids of lines\n  heat delete 5f1c0a3e-... --yes"
)]
pub(crate) struct DeleteArgs {
    /// Twitch's id of the line.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    act: ActArgs,
}

/// Where something is done, whether it is asked for first, and the form of the answer.
#[derive(Args)]
struct ActArgs {
    #[command(flatten)]
    sure: SureArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// What heatd has done.
#[derive(Deserialize)]
struct Done {
    message: String,
}

pub(crate) fn ban(options: &BanArgs) -> Result<()> {
    let user = person(&options.user)?;
    let body = json!({ "login": user, "reason": options.reason });
    act(&options.act, &format!("ban {user}"), |api, channel| {
        Ok(api.post(&format!("/channels/{channel}/bans"), &body)?)
    })
}

pub(crate) fn time_out(options: &TimeoutArgs) -> Result<()> {
    let user = person(&options.user)?;
    let time = when::length(&options.time).filter(|time| *time >= 1_000);
    let time = time.with_context(|| {
        format!("{:?} is no length of time; write 30s, 10m, 2h or 1d", options.time)
    })?;
    let body = json!({ "login": user, "seconds": time / 1_000, "reason": options.reason });
    let what = format!("time out {user} for {}", options.time);
    act(&options.act, &what, |api, channel| {
        Ok(api.post(&format!("/channels/{channel}/bans"), &body)?)
    })
}

pub(crate) fn unban(options: &UnbanArgs) -> Result<()> {
    let user = person(&options.user)?;
    act(&options.act, &format!("let {user} write again"), |api, channel| {
        Ok(api.delete(&format!("/channels/{channel}/bans/{user}"))?)
    })
}

pub(crate) fn delete(options: &DeleteArgs) -> Result<()> {
    let id = options.id.trim();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        bail!("{id:?} is no id of a line; heat devlog shows ids");
    }
    act(&options.act, &format!("remove the line {id}"), |api, channel| {
        Ok(api.delete(&format!("/channels/{channel}/messages/{id}"))?)
    })
}

/// A login, however it was typed.
fn person(typed: &str) -> Result<String> {
    channel_name(typed.trim_start_matches('@'))
        .map_err(|_| anyhow::anyhow!("{typed:?} is no login"))
}

fn act(
    ActArgs { sure, answer }: &ActArgs,
    what: &str,
    done: impl FnOnce(&Api, &str) -> Result<Value>,
) -> Result<()> {
    let api = answer.at.api()?;
    let channel = answer.at.one(&api)?;
    if !sure.asks(&format!("{what} in #{channel}?"), answer.json)? {
        note("nothing was done");
        return Ok(());
    }
    let told = done(&api, &channel)?;
    if answer.json {
        return print_json(&told);
    }
    let told: Done = api::read(told, "what was done")?;
    print(&format!("{}\n", clean::text(&told.message)))?;
    Ok(())
}
