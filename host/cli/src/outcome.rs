//! How it is shown what rules answer to an event, simulated or real.

use serde_json::Value;

use crate::api::outputs::{RuleAnswer, Simulation};
use crate::terminal::clean;
use crate::terminal::table::{Colour, painted};

impl Simulation {
    pub(crate) fn page(&self, head: &str, live: bool, colours: bool) -> String {
        let width = self.answers.iter().map(|answer| answer.slot.chars().count());
        let outputs = self.outputs.keys().map(|name| name.chars().count());
        let width = width.chain(outputs).max().unwrap_or(0);
        let mut page = painted(&clean::text(head), Colour::Bold, colours) + "\n";
        let mut line = |name: &str, text: &str, colour| {
            let name = clean::text(&format!("{name:<width$}"));
            page.push_str(&format!("  {name}  {}\n", painted(&clean::text(text), colour, colours)));
        };
        for RuleAnswer { slot, effects, fault } in &self.answers {
            for effect in effects {
                line(slot, &words(effect), Colour::Cyan);
            }
            if effects.is_empty() && fault.is_none() {
                // It may have kept something, such as when a boost ends.
                line(slot, "is told, and does nothing that is seen", Colour::Plain);
            }
            if let Some(fault) = fault {
                line(slot, &format!("failed: {fault}"), Colour::Red);
            }
        }
        for (name, change) in &self.outputs {
            let would = if live { "shows" } else { "would show" };
            let text = format!("{would} {}", change.words());
            line(name, &text, Colour::Yellow);
        }
        if self.answers.is_empty() {
            page.push_str("  no rule is told of it\n");
        }
        if self.faves != 0.0 {
            let counted = if live { "counted" } else { "would be counted" };
            page.push_str(&format!("  faves of weight {} {counted}\n", self.faves));
        }
        page
    }
}

fn words(effect: &Value) -> String {
    match effect {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
