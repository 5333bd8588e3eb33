//! How a change of a slot went, in words.

use anyhow::Result;
use serde_json::Value;

use crate::terminal::{clean, print};

/// Says how a change went. As JSON it has been said already.
pub(super) fn show(done: &Value, json: bool) -> Result<()> {
    if !json {
        print(&told(done))?;
    }
    Ok(())
}

fn told(done: &Value) -> String {
    let text = |name: &str| done[name].as_str().filter(|text| !text.is_empty());
    let checked = text("checked").map(|checked| format!("tried on {checked}"));
    let state = match text("state") {
        Some("kept") => Some("its state is kept"),
        Some("migrated") => Some("its state is taken over into a new form"),
        Some("new") => Some("its state starts again"),
        other => other,
    };
    let more: Vec<&str> = checked.as_deref().into_iter().chain(state).collect();
    let mut told = clean::text(text("message").unwrap_or("done"));
    told.push('\n');
    if !more.is_empty() {
        told.push_str(&clean::text(&more.join("; ")));
        told.push('\n');
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_is_told_with_what_it_was_tried_on() {
        let done = json!({ "message": "decay 1.3.0 is live\u{7}", "checked": "the last 1000 events", "state": "kept" });
        let expected =
            "decay 1.3.0 is live\u{FFFD}\ntried on the last 1000 events; its state is kept\n";
        assert_eq!(told(&done), expected);
        assert_eq!(told(&json!({ "message": "it is live" })), "it is live\n");
    }
}
