//! How many requests each token may make: a bucket of permits that fills again.

use std::collections::HashMap;
use std::time::Instant;

/// So many requests at once, and so many in each second from then on.
const BURST: f64 = 60.0;
const PER_SECOND: f64 = 20.0;

/// How many names are remembered before full buckets are thrown away.
const NAMES: usize = 256;

/// The buckets, by the names of the tokens.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter(HashMap<String, Bucket>);

#[derive(Debug)]
struct Bucket {
    permits: f64,
    at: Instant,
}

impl Bucket {
    fn permits(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.permits + since * PER_SECOND).min(BURST)
    }
}

impl RateLimiter {
    /// Takes a permit. After how many seconds there is one again, if there is none.
    pub(crate) fn take(&mut self, name: &str, now: Instant) -> Option<u64> {
        if self.0.len() >= NAMES {
            self.0.retain(|_, bucket| bucket.permits(now) < BURST);
        }
        let bucket = self.0.entry(name.to_owned()).or_insert(Bucket { permits: BURST, at: now });
        let permits = bucket.permits(now);
        if permits < 1.0 {
            // A whole second is the least that can be said; by then there are several.
            return Some(((1.0 - permits) / PER_SECOND).ceil().max(1.0) as u64);
        }
        *bucket = Bucket { permits: permits - 1.0, at: now };
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_so_many_a_second_for_each_name() {
        let (mut limiter, start) = (RateLimiter::default(), Instant::now());
        let mut passed = |name, now| (0..200).filter(|_| limiter.take(name, now).is_none()).count();
        assert_eq!(passed("ann", start), 60);
        assert_eq!(passed("bob", start), 60);
        assert_eq!(passed("ann", start + Duration::from_secs(1)), 20);
        assert_eq!(passed("ann", start + Duration::from_secs(3600)), 60);
        assert_eq!(limiter.take("ann", start + Duration::from_secs(3600)), Some(1));
    }

    #[test]
    fn names_that_are_quiet_are_forgotten() {
        let (mut limiter, start) = (RateLimiter::default(), Instant::now());
        for number in 0..10 * NAMES {
            let now = start + Duration::from_secs(10 * number as u64);
            assert_eq!(limiter.take(&number.to_string(), now), None);
        }
        assert!(limiter.0.len() <= NAMES);
    }
}
