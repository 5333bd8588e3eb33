//! A formula that publishes a message for each fave, and tells chat about it.

use heat_rule::{About, Call, Event, Formula, Happening, formula};

struct Publisher;

impl Formula for Publisher {
    fn about() -> About {
        About::new("publisher", "1.0.0", "Publishes a message for each fave.")
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        if let Happening::Fave(fave) = &event.what {
            call.publish("lights/flash", fave.item.as_bytes());
            call.say(format!("{} faved {}", fave.person.name, fave.item));
        }
        Ok(())
    }
}

formula!(Publisher);
