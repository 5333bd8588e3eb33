//! What stands before anything is opened: a configuration that is right, and the rules that it names.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use heat_engine::{Chain, Sandbox, role_name};

use crate::clock;
use crate::compiler::Compiler;
use crate::config::{Config, Mistakes};
use crate::control::chains;

/// A configuration whose every part has been checked, rules included. No socket is open, and no store.
pub(crate) struct Prepared {
    pub(super) config: Arc<Config>,
    /// Compiles and runs the components of all rules.
    pub(super) sandbox: Arc<Sandbox>,
    /// Ended when heatd is to stop.
    pub(super) compiler: Arc<Compiler>,
    /// The rules of each configured channel, in the order in which they are called.
    pub(super) chains: Vec<Chain>,
}

impl Prepared {
    /// `keep`: compiled rules may be kept in the data folder. A mere check writes nothing.
    pub(crate) fn new(config: Config, mistakes: &Mistakes, keep: bool) -> Result<Self> {
        let cache = config.data.join("cache");
        let compiler = Compiler::beside_chat();
        let sandbox = Sandbox::new(keep.then_some(cache.as_path()))?
            .with_clock(clock::elapsed)
            .with_processor_clock(clock::processor)
            .with_compiler(compiler.for_sandbox());
        let sandbox = Arc::new(sandbox);
        let chains = chains::load(&config, &config.twitch.channels, &sandbox, mistakes);
        Ok(Self { config: Arc::new(config), sandbox, compiler, chains })
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The data folder.
    pub(super) fn data(&self) -> &Path {
        &self.config.data
    }

    /// What would run, for people.
    pub(crate) fn summary(&self) -> String {
        let mut summary = "the configuration is right\n".to_owned();
        for chain in &self.chains {
            let rule = |(slot, rule): &(String, heat_engine::Rule)| {
                format!(
                    "{slot} ({} {})",
                    role_name(rule.description().role),
                    rule.description().version
                )
            };
            let rules: Vec<String> = chain.rules.iter().map(rule).collect();
            // Writing into a string does not fail.
            let _ = writeln!(summary, "  #{}: {}", chain.channel, rules.join(", "));
        }
        summary
    }
}
