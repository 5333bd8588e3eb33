//! Whether a password would travel to a broker unencrypted through a public network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long the DNS lookup at the start may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Endings of names that are never public.
const NEAR: [&str; 7] =
    [".local", ".localhost", ".localdomain", ".lan", ".home.arpa", ".internal", ".svc"];

/// Whether a broker is outside this machine and private networks. A name that cannot be resolved is judged by its ending.
pub(crate) async fn is_far(host: &str, port: u16) -> bool {
    if let Ok(ip) = host.parse() {
        return !is_near(ip);
    }
    match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.into_iter().any(|address| !is_near(address.ip())),
        _ => !sounds_near(host),
    }
}

fn sounds_near(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    !host.contains('.') || NEAR.iter().any(|ending| host.ends_with(ending))
}

fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_near_v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| is_near_v6(ip), is_near_v4),
    }
}

fn is_near_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    // 100.64.0.0/10 is what Tailscale gives, and a provider's own network.
    let shared = first == 100 && (64..128).contains(&second);
    ip.is_loopback() || ip.is_private() || ip.is_link_local() || shared
}

fn is_near_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_ones_own_are_near_and_all_others_far() {
        for (ip, near) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("192.168.1.10", true),
            ("10.1.2.3", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("100.100.1.1", true),
            ("100.128.0.1", false),
            ("169.254.0.1", true),
            ("fd7a:115c:a1e0::1", true),
            ("fe80::1", true),
            ("::ffff:192.168.1.1", true),
            ("::ffff:203.0.113.7", false),
            ("203.0.113.7", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_near(ip.parse().unwrap()), near, "{ip}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_judged_by_its_ending() {
        for (name, near) in [
            ("pi", true),
            ("pi.local", true),
            ("Broker.LAN.", true),
            ("mosquitto.heat.svc", true),
            ("broker.example.org", false),
            ("local.example", false),
        ] {
            assert_eq!(sounds_near(name), near, "{name}");
        }
    }
}
