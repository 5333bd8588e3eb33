//! `crowd`: one degree for each different person who chatted in the last minute.

use heat_rule::{
    About, Call, Event, Formula, Happening, Interests, Kind, Settings, formula, state,
};

struct Crowd;

impl Formula for Crowd {
    fn about() -> About {
        About::new(
            "crowd",
            env!("CARGO_PKG_VERSION"),
            "Shows how many different people chatted lately.",
        )
        .duration("window", 60_000, (1_000, 3_600_000), "How long a person counts after a line.")
        .text("output", "crowd", 32, "The name of the output that shows the number.")
    }

    fn takes(_settings: &Settings) -> Result<Interests, String> {
        Ok(Interests::none().kind(Kind::Chat))
    }

    /// Called for each chat line, and by the timer `forget` when the next person has been silent for long enough.
    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let (now, window) = (call.now(), call.settings().duration("window"));
        let speaker = match &event.what {
            Happening::Chat(line) => Some(line.person.id.as_str()),
            _ => None,
        };
        let mut count: u64 = state::get("count").unwrap_or(0);
        let mut next = None;

        // The keys are in the order of their times, so that the first one that still counts ends the loop. Ten at a time: every
        // entry costs, and the next call forgets the others.
        for entry in state::scan("at/", None, 10) {
            let Some((at, id)) = read(&entry.key) else { continue };
            if Some(id) == speaker {
                continue;
            }
            next = Some(at + window);
            if at + window > now {
                break;
            }
            call.delete(format!("who/{id}"));
            call.delete(entry.key);
            count -= 1;
        }

        if let Some(id) = speaker {
            match state::get::<u64>(&format!("who/{id}")) {
                Some(before) => call.delete(at_key(before, id)),
                None => count += 1,
            }
            call.put(format!("who/{id}"), now);
            call.put(at_key(now, id), 0u32);
            next = next.or(Some(now + window));
        }
        call.put("count", count);
        call.show(&call.settings().text("output"), count);
        if let Some(next) = next.filter(|_| count > 0) {
            call.wake_at("forget", next);
        }
        Ok(())
    }
}

/// Times have the same length, so that keys sort by them.
fn at_key(at: u64, id: &str) -> String {
    format!("at/{at:015}/{id}")
}

fn read(key: &str) -> Option<(u64, &str)> {
    let (at, id) = key.strip_prefix("at/")?.split_once('/')?;
    Some((at.parse().ok()?, id))
}

formula!(Crowd);
