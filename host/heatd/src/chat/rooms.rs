//! Twitch's id of a channel, which stays when the channel gets another login: the engine is told it once a connection, before the first line of the
//! channel, and takes over what was kept under the login before.

use std::collections::BTreeMap;

use heat_engine::{FormerLogin, OpenError, RoomNews, StoreError};
use tracing::{error, info, warn};
use twitch_irc::message::IRCMessage;

use super::tags::room;
use crate::queue::{EngineAccess, Input};

/// The ids of the channels of one connection.
#[derive(Default)]
pub(super) struct Rooms(BTreeMap<String, u64>);

impl Rooms {
    /// What the engine has to be told of a message's channel; none when it was told already.
    pub(super) fn news(&mut self, message: &IRCMessage) -> Option<Input> {
        let (channel, id) = room(message)?;
        let id: u64 = id.parse().ok().filter(|id| *id != 0)?;
        if self.0.get(channel) == Some(&id) {
            return None;
        }
        self.0.insert(channel.to_owned(), id);
        let channel = channel.to_owned();
        Some(Input::task("channel.room", move |access| note(access, &channel, id)))
    }
}

fn note(access: &mut EngineAccess<'_>, channel: &str, id: u64) -> Result<(), StoreError> {
    match access.engine.note_room(channel, id) {
        Ok(RoomNews::Known) => {}
        Ok(RoomNews::Renamed(FormerLogin { login, faves, .. })) => info!(
            channel,
            before = login,
            id,
            faves,
            "the channel has another name now: counts, heat and log of the name before go on under this one"
        ),
        Ok(RoomNews::BothCounted(FormerLogin { login, faves, own })) => warn!(
            channel,
            before = login,
            id,
            faves_before = faves,
            faves_now = own,
            command = format!("heatd rename {login} {channel} --data FOLDER"),
            "the channel had another name before, and both have counts, so they stay apart; stop heatd and run the command to add them"
        ),
        Err(OpenError::Store(error)) => return Err(error),
        Err(error) => error!(
            channel,
            id,
            %error,
            "the channel has another name now, and a rule cannot go on with what it kept; heatd says the same at its next start"
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_once_and_again_when_it_is_another() {
        let mut rooms = Rooms::default();
        let mut told = |line: &str| rooms.news(&IRCMessage::parse(line).unwrap()).is_some();
        assert!(told("@room-id=1000 :tmi.twitch.tv ROOMSTATE #seaside"));
        assert!(!told("@room-id=1000 :ann!a@a PRIVMSG #seaside :hi"));
        assert!(told("@room-id=7 :ann!a@a PRIVMSG #harbor :hi"));
        assert!(told("@room-id=1001 :tmi.twitch.tv ROOMSTATE #seaside"));
        for line in ["@room-id=x :t ROOMSTATE #a", "@room-id=0 :t ROOMSTATE #a", ":t ROOMSTATE #a"]
        {
            assert!(!told(line), "{line}");
        }
    }
}
