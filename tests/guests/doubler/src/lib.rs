//! A formula that builds on the output of another one: it shows twice the heat.

use heat_rule::{About, Call, Event, Formula, formula, shown};

struct Doubler;

impl Formula for Doubler {
    fn about() -> About {
        About::new("doubler", "1.0.0", "Shows twice the heat that another rule shows.")
    }

    fn handle(call: &mut Call<Self>, _event: &Event) -> Result<(), String> {
        let heat = shown("heat").and_then(|text| text.parse::<u64>().ok());
        call.show(
            "double",
            heat.map_or_else(|| "nothing".to_owned(), |heat| (2 * heat).to_string()),
        );
        // What heatd itself shows is not for rules: a replay does not have it.
        call.show("stream-seen", shown("stream").is_some());
        Ok(())
    }
}

formula!(Doubler);
