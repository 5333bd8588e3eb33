//! A formula that attacks its host on command: `!attack publish lights/flash`. The tests hold the engine's limits against it, and
//! `cargo xtask hostile` measures what other rules feel of it.

use heat_rule::{About, Call, Event, Formula, Happening, Interests, Settings, formula};

struct Hostile;

impl Formula for Hostile {
    fn about() -> About {
        About::new("hostile", "1.0.0", "Attacks its host on command.").texts(
            "topics",
            &[],
            "The MQTT topics that it takes.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        let takes = Interests::none().command("!attack");
        Ok(settings.texts("topics").into_iter().fold(takes, Interests::topic))
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let Happening::Command(command) = &event.what else { return Ok(()) };
        let (attack, rest) = command.arguments.split_once(' ').unwrap_or((&command.arguments, ""));
        // Put first: none of it may remain when what follows goes wrong.
        call.put("before", "it was here".to_owned());
        attack_by(call, attack, rest)
    }
}

fn attack_by(call: &mut Call<Hostile>, attack: &str, rest: &str) -> Result<(), String> {
    match attack {
        "publish" => call.publish(rest, "from hostile"),
        "publish-passing" => call.publish_at_most_once(rest, "from hostile"),
        "publish-much" => (0..100).for_each(|_| call.publish(rest, "from hostile")),
        _ => return Err(format!("I know no attack {attack}")),
    }
    Ok(())
}

formula!(Hostile);
