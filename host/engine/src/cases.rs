//! Case files: chat in, effects out. What a rule does, written down so that it can be played.
//!
//! A file is a list of lines. `name: text` is a chat line, `+10m` lets time pass, `mqtt topic: text` is a message, `mqtt
//! topic (retained): text` one that the broker had kept, and `set name = value` a setting, in the values of TOML, before anything
//! else. A name may say what the person is, and which words of the line are emotes: `ann (moderator, tier two, first, emote Kappa)`. `* raid bob 120`,
//! `* sub ann two`, `* gift ann 5`, `* gift nobody 5 two`, `* cheer ann 100`, `* follow ann`, `* hype-train ID progress LEVEL POINTS GOAL`, `* stream start` and `* stream end` are what else Twitch tells. What the rule answers stands indented below, without what it
//! keeps for itself (`put`, `delete`). A multiplier or formula gets its faves from the rules that are played before it. Settings that are
//! refused are answered with the reason below the last line.
//!
//! Reading order: `line` reads a line, `stage` is an engine that lines happen to, `play` writes down what came of it, `compare`
//! says where two plays part. `section` keeps case files inside of a component, `rehearse` plays one over and over and measures.

mod cast;
mod compare;
mod line;
mod play;
mod rehearse;
mod section;
mod stage;

pub use cast::{CaseError, Cast, needs_faves};
pub use compare::difference;
#[cfg(test)]
pub(crate) use line::{Line, read as read_line, setting as read_setting};
pub use line::{chat_line, given, person};
pub use play::{GROUPS, Outcome, failures, judge, play};
pub use rehearse::{Rehearsal, rehearse};
pub use section::{Case, MOST_BYTES, SECTION, embedded};
