//! Which MQTT a client speaks.

/// Which MQTT a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// 3.1 or 3.1.1.
    Three,
    Five,
}
