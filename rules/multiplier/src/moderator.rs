//! What moderators and the channel's owner can do in chat: `?heat boost 2 5m` and `?heat boost off`.

use heat_rule::typed::plain;
use heat_rule::{Call, Command, Level, Order, log, thousandths};

use crate::boosts::{Cause, start, stop};
use crate::{DAY, GREATEST, MultiplierRule, ONE};

/// Obeys a moderator's command, if it is one of this rule's.
pub(crate) fn obey(call: &mut Call<MultiplierRule>, command: &Command) {
    let Some(order) = Order::read(command, &["boost"]) else { return };
    log(Level::Info, &format!("{} boost {:?} by {}", command.name, order.rest, order.by));
    let rest = plain(order.rest);
    if rest.eq_ignore_ascii_case("off") {
        stop(call);
        call.say("The boost is over.");
        return;
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let wanted = match words.as_slice() {
        [factor, duration] => read_factor(factor).zip(read_duration(duration)),
        _ => None,
    };
    match wanted {
        Some((factor, duration)) => {
            start(call, Cause::Moderator, factor, duration);
            let (factor, time) = (thousandths::write(factor), words[1].to_lowercase());
            call.say(format!("Each fave counts {factor} times for {time}."));
        }
        None => {
            log(Level::Warn, &format!("refused the boost {:?}", order.rest));
            call.say(format!(
                "A factor from 1 to {GREATEST} and a time up to 24h must follow, such as: {name} boost 2 5m, or {name} boost off",
                name = command.name
            ));
        }
    }
}

fn read_factor(text: &str) -> Option<i64> {
    let factor = thousandths::read(text.trim_start_matches(['x', 'X']))?;
    (factor >= ONE && factor <= GREATEST as i64 * ONE).then_some(factor)
}

/// Reads "90s", "5m" or "1h30m", more than nothing and at most a day, in milliseconds.
fn read_duration(text: &str) -> Option<u64> {
    let mut whole: u64 = 0;
    let mut digits = String::new();
    for character in text.chars() {
        if character.is_ascii_digit() && digits.len() < 9 {
            digits.push(character);
            continue;
        }
        let unit = match character.to_ascii_lowercase() {
            's' => 1000,
            'm' => 60_000,
            'h' => 3_600_000,
            _ => return None,
        };
        whole = whole.saturating_add(digits.parse::<u64>().ok()? * unit);
        digits.clear();
    }
    (digits.is_empty() && whole > 0 && whole <= DAY).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_units() {
        for (text, expected) in [
            ("90s", Some(90_000)),
            ("5M", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("24h", Some(DAY)),
            ("25h", None),
            ("5", None),
            ("m", None),
            ("0s", None),
            ("-5m", None),
            ("5m5", None),
            ("999999999999s", None),
            ("", None),
            ("five", None),
        ] {
            assert_eq!(read_duration(text), expected, "{text}");
        }
    }
}
