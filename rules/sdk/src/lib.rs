//! What the author of a rule in Rust imports.
//!
//! A rule is a type that implements one of three traits, by its job, and one macro call:
//!
//! - [`Handler`] turns events into faves,
//! - [`Multiplier`] changes the weight of a fave or drops it,
//! - [`Formula`] turns counted faves and passing time into outputs.
//!
//! ```no_run
//! use heat_rule::{About, Call, Event, Formula, counts, formula};
//!
//! struct Total;
//!
//! impl Formula for Total {
//!     fn about() -> About {
//!         About::new("total", env!("CARGO_PKG_VERSION"), "Shows how many faves there were.")
//!     }
//!
//!     fn handle(call: &mut Call<Self>, _event: &Event) -> Result<(), String> {
//!         call.show("heat", counts::of_channel().faves);
//!         Ok(())
//!     }
//! }
//!
//! formula!(Total);
//! # fn main() {}
//! ```
//!
//! Read on in this order: [`role`] has the three traits, [`call`] what a rule can answer, [`about`] how it describes itself and
//! its settings, [`state`] how it keeps values, [`outputs`] which outputs have to be told, [`text`] how it reads a message as text, [`item`]
//! how it reads the name of what is faved; [`moderators`], [`typed`] and [`thousandths`] read what moderators write, [`people`] lists of logins; [`half_life`]
//! is for values that fall, [`json`] for outputs with several fields, [`template`] for texts that a
//! setting has. The contract itself, with every promise, is `wit/rule.wit`.

pub mod about;
pub mod call;
mod glue;
pub mod half_life;
pub mod item;
pub mod json;
pub mod moderators;
pub mod outputs;
pub mod people;
pub mod role;
pub mod settings;
pub mod state;
pub mod template;
pub mod text;
pub mod thousandths;
pub mod typed;

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "rule",
        pub_export_macro: true,
        default_bindings_module: "heat_rule::bindings",
        additional_derives: [PartialEq],
    });
}

pub use about::About;
pub use bindings::heat::rules::about::{Ability, Kind};
pub use bindings::heat::rules::counts;
pub use bindings::heat::rules::effects::{
    Alarm, ClipRequest, Delivery, Effect, Entry, Message, NewFave, Output,
};
pub use bindings::heat::rules::events::{
    ChatLine, Cheer, Command, Emote, EmoteProvider, Event, Fave, Gift, Happening, HypeTrain,
    HypeTrainStage, MqttMessage, Person, Raid, Redemption, Standing, Subscription, Tier, Timestamp,
    Weight,
};
pub use bindings::heat::rules::log::Level;
pub use call::Call;
#[doc(hidden)]
pub use glue::Plumbing;
pub use moderators::Order;
pub use role::{Formula, Handler, Interests, Multiplier};
pub use settings::Settings;

/// One fave, in the thousandths that weights are counted in.
pub const ONE_FAVE: Weight = 1000;

/// What a rule of this channel shows under this name, this rule or another one; none when no rule does. A formula sees what the
/// formulas before it in the chain have shown for the same event.
pub fn shown(output: &str) -> Option<String> {
    bindings::heat::rules::outputs::get(output)
}

/// Writes a line to the daemon's log, under the rule's name.
pub fn log(level: Level, line: &str) {
    bindings::heat::rules::log::write(level, line);
}

/// Makes the component's exports from a [`Handler`].
#[macro_export]
macro_rules! handler {
    ($rule:ty) => {
        $crate::__rule!($rule, handle_as_handler, Handler);
    };
}

/// Makes the component's exports from a [`Multiplier`].
#[macro_export]
macro_rules! multiplier {
    ($rule:ty) => {
        $crate::__rule!($rule, handle_as_multiplier, Multiplier);
    };
}

/// Makes the component's exports from a [`Formula`].
#[macro_export]
macro_rules! formula {
    ($rule:ty) => {
        $crate::__rule!($rule, handle_as_formula, Formula);
    };
}

/// Makes a function `of_instance`, which reads the settings into this type once in the life of an instance: with its function
/// `read(&Settings) -> Result<Self, String>`, of which `takes` has told the error already.
#[macro_export]
macro_rules! configured {
    ($configured:ty) => {
        thread_local! {
            static CONFIGURED: Result<std::rc::Rc<$configured>, String> =
                <$configured>::read(&$crate::Settings::configured()).map(std::rc::Rc::new);
        }

        /// The settings of this instance. `takes` has refused those that are wrong.
        pub(crate) fn of_instance() -> Result<std::rc::Rc<$configured>, String> {
            CONFIGURED.with(Clone::clone)
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __rule {
    ($rule:ty, $handle:ident, $role:ident) => {
        #[expect(unsafe_code, reason = "the exports that wit-bindgen generates are functions of the C ABI")]
        mod component {
            use super::*;

            struct Exports;

            impl $crate::bindings::Guest for Exports {
                fn describe() -> $crate::bindings::Description {
                    $crate::Plumbing::describe(
                        <$rule as $crate::$role>::about(),
                        $crate::bindings::heat::rules::about::Role::$role,
                    )
                }

                fn takes(settings: $crate::bindings::Settings) -> Result<$crate::bindings::Interests, String> {
                    <$rule as $crate::$role>::takes(&$crate::Settings::given(settings)).map($crate::Interests::into_wit)
                }

                fn handle(
                    now: $crate::Timestamp,
                    event: $crate::bindings::Event,
                ) -> Result<Vec<$crate::Effect>, String> {
                    $crate::Plumbing::$handle::<$rule>(now, &event)
                }

                fn migrate(from: u32, key: String, value: Vec<u8>) -> Result<Vec<$crate::Entry>, String> {
                    <$rule as $crate::$role>::migrate(from, key, value)
                }
            }

            $crate::bindings::export!(Exports with_types_in $crate::bindings);
        }
    };
}
