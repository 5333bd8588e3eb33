//! A formula that keeps its total as a number: state version 1. The tests replace it by `totals-two`.

use heat_rule::{About, Call, Event, Formula, formula, state};

struct Total;

impl Formula for Total {
    fn about() -> About {
        About::new("total", "1.0.0", "Counts its faves, as a number.")
    }

    fn handle(call: &mut Call<Self>, _event: &Event) -> Result<(), String> {
        let total = state::get::<u32>("total").unwrap_or(0) + 1;
        call.put("total", total);
        call.show("total", total);
        Ok(())
    }
}

formula!(Total);
