//! How much of the embedded broker a client may take up. docs/security.md has these figures.
//!
//! Each user has a share, clients without a password have one together, and nobody's share is part of another's. So what strangers use
//! up is missing to strangers alone. The sums stay far below the 256 MB that the service may use.

use std::time::Duration;

/// The largest packet, in bytes, in both directions.
pub(super) const LARGEST_PACKET: u32 = 64 << 10;

/// The longest topic and the longest filter, in bytes, and how many levels either may have.
pub(super) const LONGEST_TOPIC: usize = 1024;
pub(super) const MOST_LEVELS: usize = 64;

/// The longest client id, in bytes.
pub(super) const LONGEST_ID: usize = 256;

/// How many user properties a packet may have: each is far larger in memory than in the packet.
pub(super) const MOST_PROPERTIES: usize = 32;

/// How long a socket may be open before it has said who it is.
pub(super) const GREETING: Duration = Duration::from_secs(10);

/// How many sockets may be open that have not said who they are: in all, and from one address. The oldest one makes room.
pub(super) const STRANGERS: usize = 128;
pub(super) const STRANGERS_OF_ONE: usize = 64;

/// How long what was sent to a client may wait without it reading anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How many messages of a client may wait for the engine's commit, and of how many bytes together: then the next is not read yet.
pub(super) const RECEIVE_MAXIMUM: u16 = 20;
pub(super) const PENDING_BYTES: usize = 64 << 10;

/// How many topics a client may give a number.
pub(super) const MOST_ALIASES: u16 = 10;

/// How many messages a client may have that it has not acknowledged.
pub(super) const WINDOW: usize = 64;

/// How many messages may wait for one client.
pub(super) const MOST_WAITING: usize = 10_000;

/// How long a session is kept whose client is away.
pub(super) const LONGEST_SESSION: Duration = Duration::from_secs(86_400);

/// What one user may take up, or all clients without a password together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Clients that are connected.
    pub(super) clients: usize,
    /// Sessions that outlive their connection.
    pub(super) sessions: usize,
    /// Subscriptions of all clients together.
    pub(super) subscriptions: usize,
    /// Topics with a retained message, and their bytes.
    pub(super) retained: usize,
    pub(super) retained_bytes: usize,
    /// Bytes of messages that wait for its clients.
    pub(super) waiting_bytes: usize,
}

/// A user who knows a password.
pub(super) const USER: Share = Share {
    clients: 32,
    sessions: 16,
    subscriptions: 1000,
    retained: 5000,
    retained_bytes: 8 << 20,
    waiting_bytes: 8 << 20,
};

/// All clients without a password, where there are users too, or topics that are named for everybody.
pub(super) const ANONYMOUS: Share = Share {
    clients: 64,
    sessions: 0,
    subscriptions: 1000,
    retained: 1000,
    retained_bytes: 2 << 20,
    waiting_bytes: 4 << 20,
};

/// All clients, where there are no users at all: programs on this machine.
pub(super) const EVERYBODY: Share = Share {
    clients: 128,
    sessions: 0,
    subscriptions: 5000,
    retained: 5000,
    retained_bytes: 16 << 20,
    waiting_bytes: 32 << 20,
};

/// heatd itself, whose messages are bounded where they are made.
pub(super) const OWN: Share = Share {
    clients: 1,
    sessions: 0,
    subscriptions: usize::MAX,
    retained: usize::MAX,
    retained_bytes: usize::MAX,
    waiting_bytes: usize::MAX,
};
