//! Rate limit for each token: a bucket of permits that refills.

use std::collections::HashMap;
use std::time::Instant;

/// The requests that a token may make at once, and in each second after that.
const BURST: f64 = 60.0;
const PER_SECOND: f64 = 20.0;

/// With this many buckets, the full ones are removed.
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
    /// Takes a permit. If there is none, returns after how many seconds there is one.
    pub(crate) fn take(&mut self, name: &str, now: Instant) -> Option<u64> {
        if self.0.len() >= NAMES {
            self.0.retain(|_, bucket| bucket.permits(now) < BURST);
        }
        let bucket = self.0.entry(name.to_owned()).or_insert(Bucket { permits: BURST, at: now });
        let permits = bucket.permits(now);
        if permits < 1.0 {
            // Retry-After has whole seconds, so at least one.
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
