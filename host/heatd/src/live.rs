//! What is done to rules while they run: deployed, tried, rolled back, replayed, taken back. Who asks, waits on a thread of its own.
//!
//! Reading order: [`ask`] is the way to the engine's thread. [`deploy`] is the one path of every change of a slot, with [`compile`] and
//! [`check`] on it. [`follow`] keeps a run beside what is live: [`shadow`] shows one, [`undo`] makes one live. [`replay`] and
//! [`simulate`] ask what would be; [`command`] gives an order, [`turn`] turns a slot off, [`retry`] makes calls again that failed. [`export`] and [`import`] carry data out and in, [`forget`] away.

mod ask;
mod check;
mod command;
mod compile;
mod deploy;
mod export;
mod follow;
mod forget;
mod import;
mod replay;
mod retry;
mod settings;
mod shadow;
mod simulate;
mod steps;
mod turn;
mod undo;

use std::sync::{Arc, Mutex};

use heat_engine::{Rule, Sandbox, Snapshot};
use tokio::sync::mpsc;

use crate::chains::ConfiguredSlots;
use crate::decider::Input;
use crate::metrics::Metrics;
pub(crate) use ask::Refusal;
pub(crate) use compile::{LARGEST, Speed, child};
pub(crate) use deploy::{Source, Wanted, cannot};
pub(crate) use export::{Exported, What};
pub(crate) use follow::aside;
pub(crate) use forget::Forgotten;
pub(crate) use import::Import;
pub(crate) use replay::Replayed;
pub(crate) use settings::{Edit, as_json, as_toml, quoted};
pub(crate) use shadow::Shadows;
pub(crate) use simulate::Imagined;
pub(crate) use steps::Steps;
pub(crate) use undo::Undone;

/// The way to everything that can be done to a running rule. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) inputs: mpsc::WeakSender<Input>,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) shadows: Arc<Shadows>,
    pub(crate) speed: Arc<Speed>,
    pub(crate) metrics: Metrics,
    pub(crate) configured: ConfiguredSlots,
    /// Held while something is taken back: two at once would take the same twice.
    pub(crate) undoing: Arc<Mutex<()>>,
    /// What moderators write in chat to take something back, in lower case.
    pub(crate) undo_command: Arc<str>,
}

/// What a run begins from: the store as of the last commit, and the rules that are live.
pub(crate) struct Present {
    pub(crate) snapshot: Snapshot,
    pub(crate) rules: Vec<(String, Rule)>,
}

impl Live {
    /// The store and the rules of a channel, with everything committed that was decided.
    pub(crate) fn present(&self, channel: &str) -> Result<Present, Refusal> {
        let name = channel.to_owned();
        let found = self.ask(move |desk| {
            let rules = desk.engine.rules(&name);
            Ok((desk.engine.snapshot()?, rules))
        })?;
        match found {
            (snapshot, Some(rules)) => Ok(Present { snapshot, rules }),
            (_, None) => Err(Refusal::no_channel(channel)),
        }
    }
}
