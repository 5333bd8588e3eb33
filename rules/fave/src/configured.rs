//! The settings, read once in the life of an instance, and the check whether they go together.

use std::rc::Rc;

use heat_rule::people::{is_person, listed};
use heat_rule::{Interests, Kind, Settings};

use crate::{ONCE_PER_ITEM, ONCE_PER_STREAM};

/// Whether a person may fave an item again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    Always,
    OncePerItem,
    OncePerStream,
}

/// The settings that an event is held against. Lists of people are as [`listed`] makes them.
pub(crate) struct Configured {
    pub(crate) words: Vec<String>,
    pub(crate) user_cooldown: u64,
    pub(crate) global_cooldown: u64,
    pub(crate) repeats: Repeats,
    pub(crate) grace: u64,
    pub(crate) allow: Vec<String>,
    /// `deny` and `bots`.
    pub(crate) deny: Vec<String>,
    pub(crate) broadcaster: bool,
    pub(crate) shared: bool,
    pub(crate) moderator_command: String,
}

thread_local! {
    static CONFIGURED: Rc<Configured> = Rc::new(Configured::read(&Settings::configured()));
}

impl Configured {
    /// The settings of this instance.
    pub(crate) fn of_instance() -> Rc<Self> {
        CONFIGURED.with(Rc::clone)
    }

    fn read(settings: &Settings) -> Self {
        let mut deny = listed(settings, "deny");
        deny.extend(listed(settings, "bots"));
        Self {
            words: settings.texts("words"),
            user_cooldown: settings.duration("user_cooldown"),
            global_cooldown: settings.duration("global_cooldown"),
            repeats: repeats(settings),
            grace: settings.duration("grace"),
            allow: listed(settings, "allow"),
            deny,
            broadcaster: settings.boolean("broadcaster"),
            shared: settings.boolean("shared"),
            moderator_command: settings.text("moderator_command"),
        }
    }
}

fn repeats(settings: &Settings) -> Repeats {
    match settings.text("repeats").as_str() {
        ONCE_PER_ITEM => Repeats::OncePerItem,
        ONCE_PER_STREAM => Repeats::OncePerStream,
        _ => Repeats::Always,
    }
}

/// What the rule wants to be called for. An error says which settings contradict each other.
pub(crate) fn interests(settings: &Settings) -> Result<Interests, String> {
    let commands = commands(settings);
    let (words, topics) = (settings.texts("words"), settings.texts("topics"));
    check_commands(&commands, &settings.text("moderator_command"))?;
    check_people(settings)?;
    if commands.is_empty() && words.is_empty() && topics.is_empty() {
        return Err(
            "there is neither a command nor a word nor a topic, so nothing could be a fave; \
                    set one of `command`, `words` and `topics`"
                .to_owned(),
        );
    }
    let moderators = Some(settings.text("moderator_command")).filter(|text| !text.is_empty());
    let mut interests = Interests::none();
    for command in commands.into_iter().chain(moderators) {
        interests = interests.command(command);
    }
    for word in words {
        interests = interests.word(word);
    }
    for topic in topics {
        interests = interests.topic(topic);
    }
    Ok(match repeats(settings) {
        Repeats::OncePerStream => interests.kind(Kind::Streams),
        _ => interests,
    })
}

/// The commands that are a fave.
fn commands(settings: &Settings) -> Vec<String> {
    let command = Some(settings.text("command")).filter(|text| !text.is_empty());
    settings.texts("aliases").into_iter().chain(command).collect()
}

fn check_commands(commands: &[String], moderators: &str) -> Result<(), String> {
    match commands.iter().find(|command| command.to_lowercase() == moderators.to_lowercase()) {
        Some(command) => Err(format!(
            "{command:?} cannot be both a fave and `moderator_command`; give one of them another name"
        )),
        None => Ok(()),
    }
}

fn check_people(settings: &Settings) -> Result<(), String> {
    let allow = listed(settings, "allow");
    for list in ["allow", "deny", "bots"] {
        if !listed(settings, list).iter().all(|entry| is_person(entry)) {
            return Err(format!(
                "`{list}` has a name that is none; write logins such as \"ann\", as in the channel's address, or ids such as \"id:123\""
            ));
        }
    }
    for list in ["deny", "bots"] {
        if let Some(login) = listed(settings, list).iter().find(|login| allow.contains(login)) {
            return Err(format!(
                "{login:?} stands in both `allow` and `{list}`; take it out of one of them"
            ));
        }
    }
    Ok(())
}
