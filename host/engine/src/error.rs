//! Errors, by who must act: the author of a rule, the person who configures, the person who runs the daemon.

use std::io::ErrorKind;

use thiserror::Error;

/// This machine cannot run rules at all: its kernel refuses executable memory, say.
#[derive(Debug, Error)]
#[error("this machine cannot run rules: {0}")]
pub struct SandboxError(pub(crate) String);

/// A component that cannot become a rule, or settings that it refuses. Nothing has changed.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The bytes are not WebAssembly at all, or are cut short.
    #[error("it is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// More bytes than the rule may have memory.
    #[error(
        "it has {bytes} bytes, and a rule may have as many as memory, which is {most} bytes; `memory` in its [[rule]] gives more"
    )]
    TooLarge {
        /// How large the component is.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
    /// Making it, and making instances of it, is more work than its size promises.
    #[error(
        "with everything that it makes instances of it comes to {weight} bytes, and the limit is {most}; `memory` in its [[rule]] raises it"
    )]
    TooHeavy {
        /// Bytes as they stand in the file, each as often as it is made.
        weight: u64,
        /// How many there may be.
        most: u64,
    },
    /// It has more of something than any toolchain makes, and compiling that costs far more than its size promises.
    #[error("it has {found} {what}, and the limit is {most}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much was found until then.
        found: u64,
        /// How much there may be.
        most: u64,
    },
    /// The compiler refused it, or crashed while it compiled it.
    #[error("{0}")]
    Compiler(String),
    /// A core module: what `cargo build` makes before it is turned into a component.
    #[error("it is a core module, not a component; `heat rules pack` turns one into the other")]
    CoreModule,
    /// It wants something that no rule gets.
    #[error(
        "it imports `{0}`, which no rule gets; a rule may import only the interfaces of heat:rules@1.0.0 (build it without WASI)"
    )]
    Import(String),
    /// It was built for another version of the contract.
    #[error(
        "it is built for heat:rules@{0}, and this heatd speaks heat:rules@1.0.0; build it again with the contract of this heatd"
    )]
    Version(String),
    /// It does not export what a rule exports, or with other types.
    #[error("it is not a rule of heat:rules@1.0.0: {0}")]
    World(String),
    /// It has the right shape, and fails to describe itself.
    #[error("it does not describe itself: {0}")]
    Describe(String),
    /// Settings that do not fit what the rule describes: the key of each, what is wrong with it, and what would do.
    #[error("{}", settings(.0))]
    Settings(Vec<(String, String)>),
    /// The rule refuses its settings, each of which is right by itself.
    #[error("{0}")]
    Refused(String),
    /// The stored state is of a version that this component cannot take over.
    #[error("the stored state does not fit: {0}")]
    State(String),
}

fn settings(mistakes: &[(String, String)]) -> String {
    let lines: Vec<String> =
        mistakes.iter().map(|(name, problem)| format!("setting `{name}`: {problem}")).collect();
    lines.join("; ")
}

/// The store failed. The engine stops taking events; whoever supervises the daemon starts it again.
#[derive(Debug, Error)]
pub enum StoreError {
    /// redb reports an error, which says what to do.
    #[error("the store failed: {0}")]
    Redb(redb::Error),
    /// The file is not what was written into it, or no store at all. Nothing of it is used.
    #[error("the store is damaged: {0}")]
    Broken(String),
    /// The disk, a quota or the largest size of a file has no room for more.
    #[error(
        "there is no room for the store: {0}; make room (old backups are a beginning). What was acknowledged is kept"
    )]
    Full(String),
    /// The disk, the folder or the file takes no writing.
    #[error(
        "the store cannot be written: {0}; heatd needs to write the file and its folder: see to their owner and rights, and that the disk is not read-only"
    )]
    NotWritable(String),
    /// A copy was broken off by the one who had asked for it.
    #[error("the copy of the store was broken off")]
    BrokenOff,
    /// After a start the log was not read to its end. What failed is told to the owner of the engine.
    #[error("heatd stops before it has counted the last hour again; ask again when it runs")]
    Uncounted,
    /// Another process has the file.
    #[error("the store is in use by another heatd; stop that one first")]
    InUse,
    /// Written by a newer heatd.
    #[error(
        "the store has schema version {found}, and this heatd ({this}) knows versions up to {known}; install {needs} of heatd or a later one, or restore a backup that this heatd has made; the store is as it was",
        this = env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The version in the file.
        found: u64,
        /// The version of this program.
        known: u64,
        /// The first heatd that knows it, as far as the store says.
        needs: String,
    },
    /// A row that this version cannot read.
    #[error("the store holds a {what} that cannot be read: {problem}; restore a backup")]
    Damaged {
        /// Which kind of row.
        what: &'static str,
        /// What the decoder says.
        problem: String,
    },
}

impl StoreError {
    /// Whether what is on the disk cannot be used, so that only a backup helps.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Damaged { .. })
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::from(redb::Error::Io(error))
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Corrupted(problem) => Self::Broken(problem),
            redb::Error::Io(error) => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Self::Full(error.to_string())
                }
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    Self::NotWritable(error.to_string())
                }
                // What redb says of a file that does not begin or end as one of its own.
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                    Self::Broken(error.to_string())
                }
                _ => Self::Redb(redb::Error::Io(error)),
            },
            other => Self::Redb(other),
        }
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

from_redb!(
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::StorageError,
    redb::SetDurabilityError,
    redb::DatabaseError,
    redb::CompactionError
);

/// The longest reason of a fault, in characters: a rule names it, and the log keeps it.
const LONGEST_REASON: usize = 300;

/// What a rule says, as a reason on one line: it must not be able to forge lines of the log, or to reach the terminal.
pub(crate) fn reason_of(said: &str) -> String {
    let (said, rest) = match said.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => (&said[..end], "…"),
        None => (said, ""),
    };
    on_one_line(said) + rest
}

/// The text without control characters.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Fault {
    /// The fault with a reason of bounded length on one line.
    pub(crate) fn cut(self) -> Self {
        let cut = |reason: String| reason_of(&reason);
        match self {
            Self::Trap(reason) => Self::Trap(cut(reason)),
            Self::Effects(reason) => Self::Effects(cut(reason)),
            Self::Conflict(reason) => Self::Conflict(cut(reason)),
            Self::Error(reason) => Self::Error(cut(reason)),
            other => other,
        }
    }
}

/// Why a call of a rule had no effects. It is a fact of the log: a replay repeats it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It ran for too many instructions.
    #[error("it used more than {0} units of fuel")]
    Fuel(u64),
    /// It ran for too long.
    #[error("it ran for longer than {0} ms")]
    Wall(u64),
    /// It wanted more memory.
    #[error("it wanted more than {0} bytes of memory")]
    Memory(usize),
    /// It called itself too deeply.
    #[error("it used more than {0} bytes of stack")]
    Stack(usize),
    /// It handed over too much at once.
    #[error("it handed over more than {0} bytes in one call")]
    Answer(usize),
    /// Any other trap: a panic, an invalid memory access, a division by zero.
    #[error("it trapped: {0}")]
    Trap(String),
    /// It answered with effects that cannot be taken.
    #[error("its answer cannot be taken: {0}")]
    Effects(String),
    /// It shows what another rule has shown first.
    #[error("its answer cannot be taken: {0}")]
    Conflict(String),
    /// It answered with an error of its own.
    #[error("it answered with an error: {0}")]
    Error(String),
}

/// Why a call of a rule has no effects, or why the engine cannot go on.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The rule failed. The others go on.
    Fault(Fault),
    /// The store failed, and the engine stops.
    Store(StoreError),
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a rule cannot have a slot.
#[derive(Debug)]
pub(crate) enum SlotError {
    /// The rule cannot be loaded, or cannot take over the state of the slot.
    Rule(LoadError),
    /// The store failed, and the engine stops.
    Store(StoreError),
}

impl From<LoadError> for SlotError {
    fn from(error: LoadError) -> Self {
        Self::Rule(error)
    }
}

impl From<StoreError> for SlotError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
