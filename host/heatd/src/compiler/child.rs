//! What the process that compiles does: takes bounds upon itself, loads the component on its standard input, and writes its code.

use std::io::{Read, Write};
use std::thread;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use heat_engine::{Limits, Sandbox};

/// The exit code of a refusal, whose words are on standard error.
pub(crate) const REFUSED: i32 = 64;

/// The stack on which a component is loaded: less than any thread of heatd has, so that what passes here passes there.
const STACK: usize = 1 << 20;

/// Components of more bytes give way to chat. Smaller ones are done in a moment, and a start waits for them.
const LARGE: usize = 512 << 10;

/// What compiling may take.
#[derive(Args, Clone)]
pub(crate) struct ResourceLimits {
    /// Bytes of address space.
    pub(crate) address_space: u64,
    /// Seconds of processor time.
    pub(crate) seconds: u64,
}

impl ResourceLimits {
    /// For a component of so many bytes.
    ///
    /// docs/languages.md: Rust with 107 KiB takes 17 MiB and 0.2 s, JavaScript with 1.6 MiB 86 MiB and 5 s, Python with 18 MiB 417 MiB and
    /// 26 s. The memory is that of the compiler alone; address space is more. A Raspberry Pi takes five times as long.
    pub(crate) fn for_bytes(bytes: usize) -> Self {
        let mebibytes = (bytes as u64).div_ceil(1 << 20);
        Self { address_space: (256 << 20) + (mebibytes << 26), seconds: 30 + 30 * mebibytes }
    }

    pub(crate) fn arguments(&self) -> [String; 2] {
        [self.address_space.to_string(), self.seconds.to_string()]
    }

    /// Takes the bounds upon this process. Where a system has none of them, what is counted before compiling has to do alone.
    #[cfg(unix)]
    fn apply(&self) {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let most = |most| Rlimit { current: Some(most), maximum: Some(most) };
        // At the maximum it is killed as if there were no memory. At the first of the two its end says why.
        let seconds = Rlimit { current: Some(self.seconds), maximum: Some(self.seconds + 5) };
        let _ = setrlimit(Resource::As, most(self.address_space));
        let _ = setrlimit(Resource::Cpu, seconds);
        let _ = setrlimit(Resource::Core, most(0));
        #[cfg(target_os = "linux")]
        {
            // It ends with heatd, and where memory runs out it is the one to go.
            let kill = rustix::process::Signal::KILL;
            let _ = rustix::process::set_parent_process_death_signal(Some(kill));
            let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        }
    }

    #[cfg(not(unix))]
    fn apply(&self) {}
}

/// The priority of replays: chat comes first, and yet a machine that is busy for hours ends it one day. Where it cannot be had, compiling is
/// only louder.
fn give_way() {
    #[cfg(unix)]
    let _ = rustix::process::nice(10);
}

/// Runs in the process.
pub(crate) fn run(limits: &ResourceLimits, memory: usize, low_priority: bool) -> Result<()> {
    limits.apply();
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    if low_priority && bytes.len() > LARGE {
        give_way();
    }
    let load = move || {
        let sandbox = Sandbox::new(None)?;
        let rule = Limits { memory, ..Limits::default() };
        Ok::<_, anyhow::Error>(sandbox.compile_for_another(&bytes, &rule)?)
    };
    let thread = thread::Builder::new().name("compiler".to_owned()).stack_size(STACK);
    let loaded = thread.spawn(load).context("there is no memory for a thread")?.join();
    let code = loaded.map_err(|_| anyhow!("the compiler panicked"))??;
    std::io::stdout().lock().write_all(&code).context("the code cannot be handed over")
}
