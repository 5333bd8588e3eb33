//! A rule's settings, as configured or as the defaults have them.

use crate::bindings::heat::rules::about::SettingValue;
use crate::bindings::heat::rules::config;

/// Reads settings by name. Asking for one that `about` does not list, or with another type, is a mistake in the
/// rule: it panics with the name, and the daemon logs that.
pub struct Settings(Option<Vec<(String, SettingValue)>>);

impl Settings {
    #[doc(hidden)]
    pub fn given(settings: Vec<(String, SettingValue)>) -> Self {
        Self(Some(settings))
    }

    /// The settings of this instance; each value is asked of the engine when it is read. They stay the same as long as the
    /// instance lives, so a rule that is called often may read them once, into a `thread_local!`. Nothing else belongs there.
    pub fn configured() -> Self {
        Self(None)
    }

    /// The value of a `boolean` setting.
    pub fn boolean(&self, name: &str) -> bool {
        match self.value(name) {
            SettingValue::Boolean(value) => value,
            _ => wrong_type(name, "boolean"),
        }
    }

    /// The value of an `integer` setting.
    pub fn integer(&self, name: &str) -> i64 {
        match self.value(name) {
            SettingValue::Integer(value) => value,
            _ => wrong_type(name, "integer"),
        }
    }

    /// The value of a `number` setting.
    pub fn number(&self, name: &str) -> f64 {
        match self.value(name) {
            SettingValue::Number(value) => value,
            _ => wrong_type(name, "number"),
        }
    }

    /// The value of a `duration` setting, in milliseconds.
    pub fn duration(&self, name: &str) -> u64 {
        match self.value(name) {
            SettingValue::Duration(value) => value,
            _ => wrong_type(name, "duration"),
        }
    }

    /// The value of a `text` or `choice` setting.
    pub fn text(&self, name: &str) -> String {
        match self.value(name) {
            SettingValue::Text(value) => value,
            _ => wrong_type(name, "text"),
        }
    }

    /// The value of a `texts` setting.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            SettingValue::Texts(value) => value,
            _ => wrong_type(name, "texts"),
        }
    }

    /// The value of a `numbers` setting, in the order of the configuration.
    pub fn numbers(&self, name: &str) -> Vec<(String, f64)> {
        match self.value(name) {
            SettingValue::Numbers(value) => value,
            _ => wrong_type(name, "numbers"),
        }
    }

    fn value(&self, name: &str) -> SettingValue {
        let value = match &self.0 {
            Some(given) => {
                given.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            }
            None => config::get(name),
        };
        value.unwrap_or_else(|| {
            panic!("the rule asks for a setting {name:?} that its description does not list")
        })
    }
}

fn wrong_type(name: &str, asked: &str) -> ! {
    panic!("the rule asks for the setting {name:?} as {asked}, and describes it as something else")
}
