//! How a rule describes itself and the settings that it understands.

use crate::bindings::heat::rules::about::{
    ChoiceSetting, DurationSetting, IntegerSetting, NumberSetting, Setting, SettingKind,
    TextSetting,
};

/// What a rule says of itself. The role comes from the trait that the rule implements.
pub struct About {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) state_version: u32,
    pub(crate) settings: Vec<Setting>,
}

impl About {
    /// A rule with this name (lower-case letters, digits, hyphens), this version and one sentence of what it does.
    pub fn new(name: &'static str, version: &'static str, summary: &'static str) -> Self {
        Self { name, version, summary, state_version: 1, settings: Vec::new() }
    }

    /// Raises the version of the stored state from its first value, 1. `migrate` is then called for each stored key.
    pub fn state_version(mut self, version: u32) -> Self {
        self.state_version = version;
        self
    }

    /// A setting that is `true` or `false`.
    pub fn boolean(self, name: &str, default: bool, help: &str) -> Self {
        self.setting(name, SettingKind::Boolean(default), help)
    }

    /// A setting that is a whole number from `min` to `max`.
    pub fn integer(self, name: &str, default: i64, (min, max): (i64, i64), help: &str) -> Self {
        self.setting(name, SettingKind::Integer(IntegerSetting { default, min, max }), help)
    }

    /// A setting that is a number from `min` to `max`.
    pub fn number(self, name: &str, default: f64, (min, max): (f64, f64), help: &str) -> Self {
        self.setting(name, SettingKind::Number(NumberSetting { default, min, max }), help)
    }

    /// A setting that is a length of time in milliseconds, from `min` to `max`.
    pub fn duration(self, name: &str, default: u64, (min, max): (u64, u64), help: &str) -> Self {
        self.setting(name, SettingKind::Duration(DurationSetting { default, min, max }), help)
    }

    /// A setting that is a text of at most `max_length` characters.
    pub fn text(self, name: &str, default: &str, max_length: u32, help: &str) -> Self {
        let kind = SettingKind::Text(TextSetting { default: default.to_owned(), max_length });
        self.setting(name, kind, help)
    }

    /// A setting that is one of these texts; the first is the default.
    pub fn choice(self, name: &str, choices: &[&str], help: &str) -> Self {
        self.setting(name, SettingKind::Choice(ChoiceSetting { choices: owned(choices) }), help)
    }

    /// A setting that is a list of texts.
    pub fn texts(self, name: &str, default: &[&str], help: &str) -> Self {
        self.setting(name, SettingKind::Texts(owned(default)), help)
    }

    /// A setting that is a table of names and numbers.
    pub fn numbers(self, name: &str, default: &[(&str, f64)], help: &str) -> Self {
        let default = default.iter().map(|(key, number)| ((*key).to_owned(), *number)).collect();
        self.setting(name, SettingKind::Numbers(default), help)
    }

    fn setting(mut self, name: &str, kind: SettingKind, help: &str) -> Self {
        self.settings.push(Setting { name: name.to_owned(), kind, help: help.to_owned() });
        self
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
