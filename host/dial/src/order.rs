//! The order in which addresses are tried. Pure.

use std::collections::VecDeque;
use std::net::SocketAddr;

/// Alternates between IPv6 and IPv4 (RFC 8305, section 4). The system has sorted the addresses by how likely they are to work, so
/// its first one stays the first, and the order within a family stays too. An address that is there twice is tried once.
#[must_use]
pub fn order(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut unique: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    let is_v6_first = unique.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) =
        unique.into_iter().partition(|address| address.is_ipv6() == is_v6_first);
    let mut ordered = Vec::with_capacity(first.len() + second.len());
    while !first.is_empty() || !second.is_empty() {
        ordered.extend(first.pop_front());
        ordered.extend(second.pop_front());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(addresses: &[&str]) -> Vec<String> {
        let parsed = addresses.iter().map(|address| address.parse().unwrap());
        order(parsed).into_iter().map(|address: SocketAddr| address.ip().to_string()).collect()
    }

    #[test]
    fn families_alternate_and_the_first_one_of_the_system_stays_the_first() {
        assert_eq!(
            ordered(&["[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "192.0.2.1:1"]),
            ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]
        );
        assert_eq!(
            ordered(&["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1"]),
            ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
        );
        assert!(ordered(&[]).is_empty());
    }

    #[test]
    fn an_address_that_is_there_twice_is_tried_once() {
        assert_eq!(ordered(&["192.0.2.1:1", "192.0.2.1:1"]), ["192.0.2.1"]);
    }
}
