//! What starts a boost: a raid, a storm of gifts, a subscription, a cheer.

use heat_rule::state::{self, Stored};
use heat_rule::{Call, Happening, Timestamp};

use crate::MultiplierRule;
use crate::boosts::{Cause, start};
use crate::configured::Configured;

/// The key of the gifts within the window.
const GIFTS: &str = "g";

/// Gifts, each with its time and how many there were, oldest first.
struct Gifts(Vec<(Timestamp, u64)>);

/// Starts a boost if this event is enough for one.
pub(crate) fn heed(call: &mut Call<MultiplierRule>, settings: &Configured, what: &Happening) {
    let (cause, boost, size) = match what {
        Happening::Raid(raid) => (Cause::Raid, &settings.raid, u64::from(raid.viewers)),
        Happening::Cheer(cheer) => (Cause::Cheer, &settings.cheer, u64::from(cheer.bits)),
        Happening::Subscription(_) => (Cause::Subscription, &settings.sub, 0),
        Happening::Gift(gift) => (Cause::Gifts, &settings.gift, gifts(call, settings, gift.count)),
        _ => return,
    };
    if size >= boost.least {
        start(call, cause, boost.factor, boost.duration);
    }
}

/// How many subscriptions were gifted within the window, with these.
fn gifts(call: &mut Call<MultiplierRule>, settings: &Configured, count: u32) -> u64 {
    let now = call.now();
    let Gifts(mut gifts) = state::get(GIFTS).unwrap_or(Gifts(Vec::new()));
    gifts.retain(|(at, _)| now.saturating_sub(*at) < settings.gift_window);
    gifts.push((now, u64::from(count)));
    let mut sum: u64 = gifts.iter().map(|(_, count)| count).sum();
    let all = sum;
    // What the newest do without the oldest needs them no more: so the list is never longer than `gift_count`.
    let enough = settings.gift.least;
    let needless = gifts.iter().take_while(|(_, count)| {
        sum -= count;
        sum >= enough
    });
    let needless = needless.count();
    call.put(GIFTS, Gifts(gifts.split_off(needless)));
    all
}

impl Stored for Gifts {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.0.iter().flat_map(|(at, count)| [*at, *count]);
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let numbers: Vec<u64> = bytes.chunks_exact(8).filter_map(u64::from_bytes).collect();
        Some(Self(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()))
    }
}
