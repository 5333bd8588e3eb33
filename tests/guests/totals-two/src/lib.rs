//! A formula that keeps its total as a text: state version 2, which takes over the number of `totals-one`.

use heat_rule::state::Stored;
use heat_rule::{About, Call, Entry, Event, Formula, formula, state};

struct Total;

impl Formula for Total {
    fn about() -> About {
        About::new("total", "2.0.0", "Counts its faves, as a text.").state_version(2)
    }

    fn handle(call: &mut Call<Self>, _event: &Event) -> Result<(), String> {
        let before: String = state::get("sum").unwrap_or_default();
        let total = before.parse::<u32>().unwrap_or(0) + 1;
        call.put("sum", total.to_string());
        call.show("total", format!("{total} in all"));
        Ok(())
    }

    fn migrate(from: u32, _key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        let total =
            u32::from_bytes(&value).ok_or_else(|| format!("version {from} kept no such value"))?;
        Ok(vec![Entry { key: "sum".to_owned(), value: total.to_string().into_bytes() }])
    }
}

formula!(Total);
