//! What is sent from the screen: lines, answers, and what moderators do. Threads ask heatd, so that the screen goes on.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use serde_json::{Value, json};

use crate::api::Api;
use crate::api::slots::segment;
use crate::find::Place;
use crate::target::channel_name;
use crate::when;

/// How many outcomes may wait for the screen.
const WAITING: usize = 64;

/// Something to do in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Say {
        text: String,
        answers: Option<String>,
    },
    Ban {
        login: String,
        seconds: Option<u64>,
        reason: String,
    },
    Unban {
        login: String,
    },
    Delete {
        id: String,
    },
    /// An order as moderators give it in chat.
    Order {
        text: String,
    },
}

impl Act {
    /// What was typed: a line, or `/ban`, `/timeout`, `/unban`, `/delete`, `/heat`. `chosen` is the id and the login of the chosen line.
    pub(crate) fn read(
        typed: &str,
        answers: Option<String>,
        chosen: Option<(&str, &str)>,
    ) -> Result<Self, String> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err("there is nothing to send".to_owned());
        }
        let Some(command) = typed.strip_prefix('/') else {
            return Ok(Self::Say { text: typed.to_owned(), answers });
        };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let mut words = rest.split_whitespace();
        let mut who = || match (words.next(), chosen) {
            (Some(word), _) => channel_name(word.trim_start_matches('@'))
                .map_err(|_| format!("{word:?} is no login")),
            (None, Some((_, login))) => Ok(login.to_owned()),
            (None, None) => Err(format!("say whom: /{name} LOGIN, or choose a line first")),
        };
        match name {
            "ban" => {
                let login = who()?;
                Ok(Self::Ban { login, seconds: None, reason: words.collect::<Vec<_>>().join(" ") })
            }
            "timeout" => {
                let login = who()?;
                let time = words.next().unwrap_or("10m");
                let long = when::length(time).and_then(|it| u64::try_from(it).ok());
                let long = long.filter(|it| *it >= 1_000).ok_or_else(|| {
                    format!("{time:?} is no length of time; write 30s, 10m, 2h or 1d")
                })?;
                let reason = words.collect::<Vec<_>>().join(" ");
                Ok(Self::Ban { login, seconds: Some(long / 1_000), reason })
            }
            "unban" | "untimeout" => Ok(Self::Unban { login: who()? }),
            "delete" => match chosen {
                Some((id, _)) if !id.is_empty() => Ok(Self::Delete { id: id.to_owned() }),
                _ => Err("choose the line first, with the arrow keys".to_owned()),
            },
            "heat" => Ok(Self::Order { text: format!("?heat {rest}").trim_end().to_owned() }),
            _ => Err(format!(
                "there is no /{name}; there are /ban, /timeout, /unban, /delete and /heat"
            )),
        }
    }

    /// What is asked before it is done. None: a line is just sent.
    pub(crate) fn question(&self) -> Option<String> {
        Some(match self {
            Self::Say { .. } => return None,
            Self::Ban { login, seconds: None, .. } => format!("ban {login}?"),
            Self::Ban { login, seconds: Some(seconds), .. } => {
                format!("time out {login} for {seconds} seconds?")
            }
            Self::Unban { login } => format!("let {login} write again?"),
            Self::Delete { .. } => "remove this line for everybody?".to_owned(),
            Self::Order { text } => format!("give the order {text}?"),
        })
    }

    /// Does it. What was done, or why not, for people.
    fn run(&self, api: &Api, channel: &str) -> Result<String, String> {
        let below = |rest: &str| format!("/channels/{}{rest}", segment(channel));
        let told = match self {
            Self::Say { text, answers } => {
                api.post(&below("/say"), &json!({ "text": text, "reply_to": answers }))
            }
            Self::Ban { login, seconds, reason } => {
                let body = json!({ "login": login, "seconds": seconds, "reason": reason });
                api.post(&below("/bans"), &body)
            }
            Self::Unban { login } => api.delete(&below(&format!("/bans/{}", segment(login)))),
            Self::Delete { id } => api.delete(&below(&format!("/messages/{}", segment(id)))),
            Self::Order { text } => api.post(&below("/command"), &json!({ "text": text })),
        };
        let told = told.map_err(|failure| failure.to_string())?;
        Ok(told["message"].as_str().unwrap_or_default().to_owned())
    }
}

/// What became of something that was asked of heatd.
pub(crate) enum Outcome {
    /// What was done, or why not.
    Done { act: Act, done: Result<String, String> },
    /// A line of chat as it came, by its id.
    Raw { id: String, raw: Result<String, String> },
}

/// A line as it came, out of the last minutes of the devlog.
fn raw_line(api: &Api, channel: &str, id: &str) -> Result<String, String> {
    let query = [
        ("channel", channel.to_owned()),
        ("follow", "false".to_owned()),
        ("kind", "irc".to_owned()),
        ("kind", "eventsub".to_owned()),
    ];
    let body = api.body("/devlog", &query).map_err(|failure| failure.to_string())?;
    for line in BufReader::new(body).lines() {
        let line = line.map_err(|error| error.to_string())?;
        let Some(entry) = line.strip_prefix("data:") else { continue };
        let Ok(entry) = serde_json::from_str::<Value>(entry) else { continue };
        let is_it = entry["became"]["events"]
            .as_array()
            .is_some_and(|events| events.iter().any(|event| event == id));
        if is_it {
            return Ok(entry["raw"].as_str().unwrap_or_default().to_owned());
        }
    }
    Err("heatd does not have it raw any more; it keeps the last minutes".to_owned())
}

/// Sends, and tells what became of it.
pub(crate) struct ActSender {
    place: Place,
    outcomes: (SyncSender<Outcome>, Receiver<Outcome>),
}

impl ActSender {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, outcomes: sync_channel(WAITING) }
    }

    pub(crate) fn send(&self, channel: String, act: Act) -> std::io::Result<()> {
        let (place, outcomes) = (self.place.clone(), self.outcomes.0.clone());
        let work = move || {
            let api = Api::at(&place).map_err(|error| format!("{error:#}"));
            let done = api.and_then(|api| act.run(&api, &channel));
            // The screen may be gone.
            let _ = outcomes.send(Outcome::Done { act, done });
        };
        thread::Builder::new().name("send".to_owned()).spawn(work).map(drop)
    }

    /// Asks for a line as it came.
    pub(crate) fn look_up(&self, channel: String, id: String) -> std::io::Result<()> {
        let (place, outcomes) = (self.place.clone(), self.outcomes.0.clone());
        let work = move || {
            let api = Api::at(&place).map_err(|error| format!("{error:#}"));
            let raw = api.and_then(|api| raw_line(&api, &channel, &id));
            // The screen may be gone.
            let _ = outcomes.send(Outcome::Raw { id, raw });
        };
        thread::Builder::new().name("look-up".to_owned()).spawn(work).map(drop)
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcomes.1.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_line_or_a_command_with_a_question() {
        let chosen = Some(("m-1", "troll"));
        let read = |typed: &str| Act::read(typed, None, chosen);
        assert_eq!(read(" hi "), Ok(Act::Say { text: "hi".to_owned(), answers: None }));
        let banned = |login: &str, seconds, reason: &str| {
            Ok(Act::Ban { login: login.to_owned(), seconds, reason: reason.to_owned() })
        };
        assert_eq!(read("/ban @Ann be kind"), banned("ann", None, "be kind"));
        assert_eq!(read("/timeout"), banned("troll", Some(600), ""));
        assert_eq!(read("/timeout ann 2h"), banned("ann", Some(7_200), ""));
        assert_eq!(read("/delete"), Ok(Act::Delete { id: "m-1".to_owned() }));
        assert_eq!(read("/heat set 5"), Ok(Act::Order { text: "?heat set 5".to_owned() }));
        for (typed, words) in [
            ("", "nothing to send"),
            ("/dance", "there is no /dance"),
            ("/timeout ann soon", "is no length of time"),
            ("/ban #!", "is no login"),
        ] {
            let refused = read(typed).err().unwrap_or_default();
            assert!(refused.contains(words), "{typed}: {refused}");
        }
        assert!(Act::read("/delete", None, None).is_err());
        assert!(
            read("/ban").unwrap().question().is_some() && read("x").unwrap().question().is_none()
        );
    }
}
