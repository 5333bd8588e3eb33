//! What moderators and the channel's owner can do in chat: pause, resume, and add a fave by hand.

use heat_rule::typed::plain;
use heat_rule::{Call, Command, Level, NewFave, Order, Person, Weight, log, thousandths};

use crate::message::{HEAVIEST, person};
use crate::{FaveRule, item};

/// Its presence in the state says that no fave counts. The value is when that began.
pub(crate) const PAUSED: &str = "paused";

/// Tells that no fave counts.
const NOTICE: &str = "faves";

/// Twitch's logins have at most 25 characters.
const LONGEST_LOGIN: usize = 25;

/// Obeys a moderator's command, if it is one of this rule's.
pub(crate) fn obey(call: &mut Call<FaveRule>, command: &Command) {
    let Some(order) = Order::read(command, &["pause", "resume", "add"]) else { return };
    log(Level::Info, &format!("{} {} {:?} by {}", command.name, order.word, order.rest, order.by));
    match order.word {
        "pause" => {
            call.put(PAUSED, call.now());
            call.notice(NOTICE, "Faves are paused");
            call.say(format!("Faves are paused until {} resume.", command.name));
        }
        "resume" => {
            call.delete(PAUSED);
            call.notice(NOTICE, "");
            call.say("Faves count again.");
        }
        _ => match added(&command.line.person, order.rest) {
            Ok(fave) => call.new_fave(fave),
            Err(problem) => {
                log(Level::Warn, &format!("refused to add {:?}: {problem}", order.rest));
                call.say(format!("{problem}, such as: {} add 5 @ann the song", command.name));
            }
        },
    }
}

/// Reads `N [@user] [item]`. It is the moderator's own fave when it names nobody. An error says what would do.
fn added(moderator: &Person, text: &str) -> Result<NewFave, String> {
    let (number, rest) = first_word(text);
    let weight: Weight = thousandths::read(&plain(number))
        .filter(|weight| *weight != 0 && weight.abs() <= HEAVIEST)
        .ok_or("A number from -10000 to 10000 and not 0 must follow")?;
    let (user, behind) = first_word(rest);
    let (person, item) = match plain(user).strip_prefix('@') {
        None => (moderator.clone(), rest),
        // Who that is, heatd knows or finds out.
        Some(login) if is_login(login) => {
            let named = person(login);
            (Person { id: format!("@{}", named.login), ..named }, behind)
        }
        Some(_) => return Err("Behind the @ must stand the name of a person".to_owned()),
    };
    Ok(NewFave { person, standing: None, bits: 0, item: item::clean(item), weight })
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn is_login(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.len() <= LONGEST_LOGIN && text.bytes().all(plain)
}
