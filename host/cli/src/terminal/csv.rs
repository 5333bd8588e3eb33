//! Cells of tables for spreadsheets (RFC 4180).

/// A cell. An apostrophe keeps a spreadsheet from running text as a formula.
pub(crate) fn cell(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_runs_and_each_can_be_read_again() {
        for (text, expected) in [
            ("ann", "ann"),
            ("=1+1", "'=1+1"),
            ("@ann", "'@ann"),
            ("a,b", "\"a,b\""),
            ("\"x\"", "\"\"\"x\"\"\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
