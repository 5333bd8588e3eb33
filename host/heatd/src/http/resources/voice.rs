//! What people do in chat by heatd: say a line, ban, time out, let back in, remove a line. Each is in the audit log, with who asked for it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use heat_engine::{Action, LineRef, Say};
use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::config::login;
use crate::control::MessageAnswer;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::blocking;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;
use crate::http::path::ChannelPath;
use crate::voice::{LONGEST_TIMEOUT, ModerationError, SayError};

/// Twitch's lines of chat have at most 500 characters, and so have reasons.
const LONGEST: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SayRequest {
    text: String,
    /// Twitch's id of the line that it answers.
    reply_to: Option<String>,
}

#[derive(Serialize)]
struct SaidLine {
    /// Twitch's id of the line.
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BanRequest {
    login: String,
    /// For how long, in seconds. None: for good.
    seconds: Option<u32>,
    #[serde(default)]
    reason: String,
}

/// `POST /channels/{channel}/say`
pub(crate) async fn say(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(request): JsonBody<SayRequest>,
) -> Result<impl IntoResponse, Problem> {
    let text = one_line("text", &request.text)?;
    if text.is_empty() {
        return Err(bad("`text` is empty; write what is to be said"));
    }
    if text.starts_with(['/', '.']) {
        return Err(bad(
            "what begins with / or . is an order to Twitch; for bans and removals there are resources of their own",
        ));
    }
    let is_reply = request.reply_to.is_some();
    let cause = request.reply_to.map(|message| LineRef { message, login: String::new() });
    let say = Say {
        channel: channel.as_str().into(),
        slot: format!("token {}", caller.name).into(),
        text: text.clone(),
        at: now(),
        cause,
        is_reply,
    };
    let id = api.says.ask(say).await.map_err(|error| not_said(&error))?;
    note(&api, place, channel, Action::Say, caller, text).await?;
    Ok(JsonAnswer(SaidLine { id }))
}

/// `POST /channels/{channel}/bans`
pub(crate) async fn ban(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(request): JsonBody<BanRequest>,
) -> Result<impl IntoResponse, Problem> {
    let person = person(&request.login)?;
    let reason = one_line("reason", &request.reason)?;
    if request.seconds.is_some_and(|seconds| !(1..=LONGEST_TIMEOUT).contains(&seconds)) {
        return Err(bad(
            "`seconds` is from 1 to 1209600, which are two weeks; without it the ban is for good",
        ));
    }
    let done = api.moderator.ban(&channel, &person, request.seconds, &reason).await;
    done.map_err(|error| not_done(&error))?;
    let what = match request.seconds {
        Some(seconds) => format!("{person} is timed out in #{channel} for {seconds} s"),
        None => format!("{person} is banned from #{channel}"),
    };
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    note(&api, place, channel, Action::Ban, caller, format!("{what}{because}")).await?;
    Ok(JsonAnswer(MessageAnswer::new(what)))
}

/// `DELETE /channels/{channel}/bans/{login}`
pub(crate) async fn unban(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    Path((channel, written)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let (channel, person) = (api.channel(&channel)?, person(&written)?);
    let done = api.moderator.unban(&channel, &person).await;
    done.map_err(|error| not_done(&error))?;
    let what = format!("{person} may write in #{channel} again");
    note(&api, place, channel, Action::Unban, caller, what.clone()).await?;
    Ok(JsonAnswer(MessageAnswer::new(what)))
}

/// `DELETE /channels/{channel}/messages/{id}`
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    Path((channel, message)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let channel = api.channel(&channel)?;
    let done = api.moderator.delete(&channel, &message).await;
    done.map_err(|error| not_done(&error))?;
    let what = format!("the line {message} is removed from #{channel}");
    note(&api, place, channel, Action::RemoveLine, caller, what.clone()).await?;
    Ok(JsonAnswer(MessageAnswer::new(what)))
}

/// Writes into the audit log what was done.
async fn note(
    api: &Api,
    place: Place,
    channel: String,
    action: Action,
    caller: Caller,
    what: String,
) -> Result<(), Problem> {
    let live = api.live.clone();
    blocking(place, move || live.note(&channel, action, &caller.name, &what)).await
}

fn bad(why: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, why)
}

fn one_line(name: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > LONGEST || text.contains(char::is_control) {
        return Err(bad(&format!("`{name}` is one line of at most {LONGEST} characters")));
    }
    Ok(text.to_owned())
}

fn person(written: &str) -> Result<String, Problem> {
    let plain = written.trim().trim_start_matches('@');
    login(plain).ok_or_else(|| bad(&format!("{written:?} is no login")))
}

fn not_said(error: &SayError) -> Problem {
    let status = match error {
        SayError::Failed(_) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::CONFLICT,
    };
    Problem::new(status, format!("it was not said: {error}"))
}

fn not_done(error: &ModerationError) -> Problem {
    let status = match error {
        ModerationError::Nobody(_) => StatusCode::NOT_FOUND,
        ModerationError::NoModerator(_) => StatusCode::CONFLICT,
        ModerationError::Twitch(error) if error.is_refusal() => StatusCode::CONFLICT,
        ModerationError::Twitch(_) => StatusCode::BAD_GATEWAY,
    };
    Problem::new(status, error.to_string())
}
