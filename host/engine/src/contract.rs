//! The contract of `wit/rule.wit` as Rust types, generated from it. Events are kept in the log as these types.

pub(crate) mod digest;
pub(crate) mod effects;
pub(crate) mod event;
pub(crate) mod interest;
pub(crate) mod limits;
pub(crate) mod settings;
pub(crate) mod typed;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "rule",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

pub use generated::heat::rules::about::{
    Ability, Description, Interests, Kind, Role, Setting, SettingKind, SettingValue, Settings,
};
#[cfg(test)]
pub(crate) use generated::heat::rules::about::{
    ChoiceSetting, DurationSetting, IntegerSetting, NumberSetting, TextSetting,
};
pub use generated::heat::rules::counts::Tally;
pub use generated::heat::rules::effects::{
    Alarm, ClipRequest, Delivery, Effect, Entry, Message, NewFave, Output,
};
pub use generated::heat::rules::events::{
    ChatLine, Cheer, Command, Emote, EmoteProvider, Event, Fave, Gift, Happening, HypeTrain,
    HypeTrainStage, MqttMessage, Person, Raid, Redemption, Standing, Subscription, Tier,
};
pub(crate) use generated::heat::rules::log::Level;
pub(crate) use generated::{Rule as RuleExports, RulePre};

#[expect(
    clippy::derivable_impls,
    reason = "the type is generated from wit/, where nothing can be derived"
)]
impl Default for Tally {
    fn default() -> Self {
        Self { faves: 0, weight: 0, people: 0 }
    }
}
