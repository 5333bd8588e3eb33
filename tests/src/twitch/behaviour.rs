//! How the scripted server treats its clients: a good server, unless a test says otherwise.

/// Holds for all connections, from the moment it is set.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// False: every login is answered with Twitch's refusal, and the connection is closed.
    pub accepts_logins: bool,
    /// False: the server reads `PING` but never answers, as a hung server does.
    pub answers_pings: bool,
    /// Channels that do not exist: a join of one is not answered.
    pub missing: Vec<String>,
    /// How what the server sends is cut on its way.
    pub segments: Segments,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            accepts_logins: true,
            answers_pings: true,
            missing: Vec::new(),
            segments: Segments::Whole,
        }
    }
}

/// How the bytes of one send are cut into TCP segments. Each piece is a write of its own with Nagle's algorithm off; a
/// client that is slow to read may still find several at once, as on a real network.
#[derive(Debug, Clone)]
pub enum Segments {
    /// Not cut.
    Whole,
    /// A cut after every so many bytes. With 1 every character of more than one byte is torn.
    Every(usize),
    /// Cuts before these bytes of the send.
    At(Vec<usize>),
}

impl Segments {
    pub(super) fn cut<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        match self {
            Self::Whole => vec![bytes],
            Self::Every(length) => bytes.chunks((*length).max(1)).collect(),
            Self::At(positions) => cut_at(bytes, positions),
        }
    }
}

fn cut_at<'a>(mut rest: &'a [u8], positions: &[usize]) -> Vec<&'a [u8]> {
    let mut sorted = positions.to_vec();
    sorted.sort_unstable();
    let mut pieces = Vec::new();
    let mut start = 0;
    for position in sorted {
        if let Some((piece, after)) = rest.split_at_checked(position - start) {
            pieces.push(piece);
            rest = after;
            start = position;
        }
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_where_they_are_asked_for() {
        assert_eq!(Segments::Every(2).cut(b"abcde"), [&b"ab"[..], b"cd", b"e"]);
        assert_eq!(Segments::At(vec![4, 1, 4, 99]).cut(b"abcde"), [&b"a"[..], b"bcd", b"e"]);
        assert_eq!(Segments::At(vec![0, 5]).cut(b"abcde"), [&b"abcde"[..]]);
    }
}
