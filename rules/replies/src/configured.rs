//! The settings, read once in the life of an instance, and the check whether they go together.

use heat_rule::people::{is_listed, listed};
use heat_rule::{Ability, ChatLine, Interests, Settings, configured};

/// The settings that a command is held against. A command or an answer that is empty is none.
pub(crate) struct Configured {
    pub(crate) heat_command: String,
    pub(crate) faves_command: String,
    pub(crate) top_command: String,
    pub(crate) top: u32,
    pub(crate) heat_text: String,
    pub(crate) faves_text: String,
    pub(crate) item_text: String,
    pub(crate) top_text: String,
    pub(crate) people_text: String,
    pub(crate) nothing_text: String,
    pub(crate) user_cooldown: u64,
    pub(crate) global_cooldown: u64,
    pub(crate) reply: bool,
    bots: Vec<String>,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which contradict each other, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let [heat_command, faves_command, top_command] =
            ["heat_command", "faves_command", "top_command"].map(|name| settings.text(name));
        check(&[&heat_command, &faves_command, &top_command])?;
        Ok(Self {
            heat_command,
            faves_command,
            top_command,
            top: u32::try_from(settings.integer("top")).unwrap_or(1),
            heat_text: settings.text("heat_text"),
            faves_text: settings.text("faves_text"),
            item_text: settings.text("item_text"),
            top_text: settings.text("top_text"),
            people_text: settings.text("people_text"),
            nothing_text: settings.text("nothing_text"),
            user_cooldown: settings.duration("user_cooldown"),
            global_cooldown: settings.duration("global_cooldown"),
            reply: settings.boolean("reply"),
            bots: listed(settings, "bots"),
        })
    }

    /// What the rule wants to be called for, and that it must be able to speak.
    pub(crate) fn interests(self) -> Interests {
        [self.heat_command, self.faves_command, self.top_command]
            .into_iter()
            .filter(|command| !command.is_empty())
            .fold(Interests::none().need(Ability::Say), Interests::command)
    }

    /// Whether a line gets an answer at all: it is of this channel, and of no bot.
    pub(crate) fn answers(&self, line: &ChatLine) -> bool {
        line.shared_from.is_none() && !is_listed(&self.bots, &line.person)
    }
}

fn check(commands: &[&String]) -> Result<(), String> {
    let given: Vec<String> = commands
        .iter()
        .filter(|command| !command.is_empty())
        .map(|command| command.to_lowercase())
        .collect();
    if given.is_empty() {
        return Err("there is no command, so nothing could be asked; set one of `heat_command`, `faves_command` and `top_command`".to_owned());
    }
    for (place, command) in given.iter().enumerate() {
        if given[..place].contains(command) {
            return Err(format!(
                "{command:?} cannot ask for two things; give each command a name of its own"
            ));
        }
    }
    Ok(())
}
