//! Commands that only moderators and the channel's owner may give, such as `?heat pause`.

use crate::typed::plain;
use crate::{Command, Level, log};

/// What a moderator asks for.
pub struct Order<'a> {
    /// The word behind the command, as the rule writes it.
    pub word: &'static str,
    /// What follows that word, without white space at the ends.
    pub rest: &'a str,
    /// The login of the person who asks.
    pub by: &'a str,
}

impl Order<'_> {
    /// Reads a command that starts with one of these words, compared without case, and as [`plain`] words. None for any other word, which may be another
    /// rule's, and for anyone who is neither moderator nor owner of this channel; that leaves a line in the log and no trace in the state.
    /// A line that a shared chat brought from another channel gives no orders.
    pub fn read<'a>(command: &'a Command, words: &[&'static str]) -> Option<Order<'a>> {
        let arguments = command.arguments.trim();
        let (first, rest) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
        let first = plain(first);
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(&first))?;
        let (line, by) = (&command.line, command.line.person.login.as_str());
        let may = line.standing.moderator || line.standing.broadcaster;
        if !may || line.shared_from.is_some() {
            log(
                Level::Debug,
                &format!("ignored {} {word} of {by}, no moderator here", command.name),
            );
            return None;
        }
        Some(Order { word, rest: rest.trim(), by })
    }
}
