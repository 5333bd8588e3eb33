//! What moderators do to people and lines by heatd: bans, timeouts, their ends, and the removal of a line.

use std::fmt;
use std::sync::Arc;

use heat_engine::wit::Person;

use super::speakers::Speakers;
use crate::clock::now;
use crate::config::Feature;
use crate::helix::{Helix, HelixError};
use crate::view::removals::{Removal, Removals};

/// The longest timeout, in seconds (dev.twitch.tv/docs/api/reference, "Ban User"): two weeks.
pub(crate) const LONGEST: u32 = 1_209_600;

/// Why nothing was done. For people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModerationError {
    /// The configuration has no account that moderates there.
    NoModerator(String),
    /// Twitch knows nobody of this name.
    Nobody(String),
    Twitch(HelixError),
}

impl fmt::Display for ModerationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoModerator(channel) => write!(
                f,
                "no account moderates #{channel}: it wants a [[twitch.account]] with the feature \"moderate\", and heat login"
            ),
            Self::Nobody(login) => write!(f, "Twitch knows nobody called {login}"),
            Self::Twitch(error) => error.fmt(f),
        }
    }
}

impl From<HelixError> for ModerationError {
    fn from(error: HelixError) -> Self {
        Self::Twitch(error)
    }
}

/// Moderates as the accounts of the configuration.
pub(crate) struct Moderator {
    helix: Arc<Helix>,
    speakers: Speakers,
    removals: Arc<Removals>,
}

/// An account in a channel, by their ids.
struct Seat {
    account: String,
    id: String,
    channel: String,
}

impl Moderator {
    pub(crate) fn new(helix: Arc<Helix>, speakers: Speakers, removals: Arc<Removals>) -> Self {
        Self { helix, speakers, removals }
    }

    /// Bans somebody, or times them out for so many seconds.
    pub(crate) async fn ban(
        &self,
        channel: &str,
        login: &str,
        seconds: Option<u32>,
        reason: &str,
    ) -> Result<(), ModerationError> {
        let seat = self.seat(channel).await?;
        let person = self.person(&seat, login).await?;
        let ids = (seat.channel.as_str(), seat.id.as_str(), person.id.as_str());
        self.helix.ban(&seat.account, ids, seconds, reason).await?;
        self.removals.note(now(), channel, Removal::Person(person.login));
        Ok(())
    }

    /// Ends a ban or a timeout.
    pub(crate) async fn unban(&self, channel: &str, login: &str) -> Result<(), ModerationError> {
        let seat = self.seat(channel).await?;
        let person = self.person(&seat, login).await?;
        let ids = (seat.channel.as_str(), seat.id.as_str(), person.id.as_str());
        Ok(self.helix.unban(&seat.account, ids).await?)
    }

    /// Removes a line, by its id.
    pub(crate) async fn delete(&self, channel: &str, message: &str) -> Result<(), ModerationError> {
        let seat = self.seat(channel).await?;
        self.helix.delete_line(&seat.account, (&seat.channel, &seat.id), message).await?;
        self.removals.note(now(), channel, Removal::Line(message.to_owned()));
        Ok(())
    }

    async fn seat(&self, channel: &str) -> Result<Seat, ModerationError> {
        let no = || ModerationError::NoModerator(channel.to_owned());
        let account = self.speakers.of(channel, Feature::Moderate).ok_or_else(no)?;
        let account = account.login.clone();
        let id = self.helix.accounts().user_id(&account).ok_or_else(|| {
            HelixError::NoLogin(format!("nobody is logged in as {account}: heat login mends it"))
        })?;
        let channel = match account == channel {
            true => id.clone(),
            false => {
                let found = self.helix.person(&account, channel).await?;
                found.ok_or_else(|| ModerationError::Nobody(channel.to_owned()))?.id
            }
        };
        Ok(Seat { account, id, channel })
    }

    async fn person(&self, seat: &Seat, login: &str) -> Result<Person, ModerationError> {
        let found = self.helix.person(&seat.account, login).await?;
        found.ok_or_else(|| ModerationError::Nobody(login.to_owned()))
    }
}
