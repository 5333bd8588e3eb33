//! Why the server has closed a connection, and what to do then. Facts: dev.twitch.tv/docs/eventsub/handling-websocket-events, "Close message".

/// When to connect again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// At once: the connection was fine before, and events are missed until heatd is back.
    AtOnce,
    /// After a while, which grows.
    Later,
}

/// What a close code says, and when to connect again.
pub(super) fn answer(code: Option<u16>) -> (&'static str, Again) {
    match code {
        Some(4000) => ("Twitch has an internal error", Again::Later),
        Some(4001) => ("Twitch says that heatd has sent something", Again::Later),
        Some(4002) => ("Twitch missed an answer to its ping", Again::AtOnce),
        Some(4003) => ("Twitch saw no subscription in time", Again::Later),
        Some(4004) => ("Twitch did not see the new connection in time", Again::AtOnce),
        Some(4005) => ("Twitch's network was too slow", Again::AtOnce),
        Some(4006) => ("Twitch's network has failed", Again::AtOnce),
        Some(4007) => ("Twitch does not take the address of the new connection", Again::AtOnce),
        _ => ("Twitch has closed the connection", Again::Later),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_own_answer() {
        let codes = 4000..=4007;
        let words: std::collections::BTreeSet<_> = codes.map(|code| answer(Some(code)).0).collect();
        assert_eq!(words.len(), 8);
        assert_eq!(answer(Some(4003)).1, Again::Later);
        assert_eq!(answer(Some(4004)).1, Again::AtOnce);
        assert_eq!(answer(Some(1006)), answer(None));
    }
}
