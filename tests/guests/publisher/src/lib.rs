//! A formula that publishes a message for each fave, and tells chat about it.

use heat_rule::{
    Ability, About, Call, Event, Formula, Happening, Interests, Kind, Settings, formula,
};

struct Publisher;

impl Formula for Publisher {
    fn about() -> About {
        About::new("publisher", "1.0.0", "Publishes a message for each fave.").boolean(
            "must_say",
            false,
            "Whether the rule is of no use where nothing can be said.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        let interests = Interests::none().kind(Kind::Faves);
        let must_say = settings.boolean("must_say");
        Ok(if must_say { interests.need(Ability::Say) } else { interests })
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
