//! A formula that tells what the counts are when it sees a fave.

use heat_rule::{About, Call, Event, Formula, Happening, counts, formula};

struct Witness;

impl Formula for Witness {
    fn about() -> About {
        About::new("witness", "1.0.0", "Tells what the counts are when it sees a fave.")
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        if let Happening::Fave(fave) = &event.what {
            let (all, item) = (counts::of_channel(), counts::of_item(&fave.item));
            call.show(
                "seen",
                format!(
                    "{} faves of {} people, {} for {}",
                    all.faves, all.people, item.faves, fave.item
                ),
            );
        }
        Ok(())
    }
}

formula!(Witness);
