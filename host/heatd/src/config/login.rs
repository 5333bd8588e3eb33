//! Logins as people write them.

/// Reads a channel's login as people write it; None when it cannot be one. Twitch logins have 4 to 25 letters, digits and
/// underscores; some old ones are shorter.
pub(crate) fn login(written: &str) -> Option<String> {
    let login = written.trim_start_matches('#').to_lowercase();
    let plain = login.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (plain && (1..=25).contains(&login.len())).then_some(login)
}
