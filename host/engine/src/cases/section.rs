//! Case files inside of a component: a custom section at its end, so that a rule brings its own examination along.
//!
//! The section is named `heat:cases` and holds a JSON list of `[name, text]`. Whoever builds components appends it; here it is read.

/// The name of the section.
pub const SECTION: &str = "heat:cases";

/// A section that is longer than this is none.
pub const MOST_BYTES: usize = 256 << 10;

/// One case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The name of the file, which says in a sentence what the case shows.
    pub name: String,
    /// Its lines.
    pub text: String,
}

/// What every component begins with: the magic bytes, then the version and layer of components.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The case files in a component. None where there is no such section, or where anything about it is odd: nothing depends on it.
pub fn embedded(component: &[u8]) -> Vec<Case> {
    find(component).and_then(read).unwrap_or_default()
}

/// The content of the last section of this name: a tool that appends a second one means the second.
fn find(component: &[u8]) -> Option<&[u8]> {
    let mut rest = component.strip_prefix(COMPONENT)?;
    let mut found = None;
    while let Some((&id, after)) = rest.split_first() {
        let (body, next) = sized(after)?;
        if id == 0
            && let Some((name, content)) = sized(body)
            && name == SECTION.as_bytes()
        {
            found = Some(content);
        }
        rest = next;
    }
    found.filter(|content| content.len() <= MOST_BYTES)
}

fn read(content: &[u8]) -> Option<Vec<Case>> {
    let cases: Vec<(String, String)> = serde_json::from_slice(content).ok()?;
    Some(cases.into_iter().map(|(name, text)| Case { name, text }).collect())
}

/// Bytes that stand behind their length, and what follows them.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = leb128(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// A number of at most 32 bits in LEB128.
fn leb128(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component of nothing but this custom section.
    fn with(name: &str, content: &[u8]) -> Vec<u8> {
        let length = |length: usize| {
            let mut rest = length;
            let mut bytes = Vec::new();
            loop {
                let more = rest > 0x7f;
                bytes.push((rest & 0x7f) as u8 | if more { 0x80 } else { 0 });
                rest >>= 7;
                if !more {
                    return bytes;
                }
            }
        };
        let body = [&length(name.len()), name.as_bytes(), content].concat();
        [COMPONENT, &[0], &length(body.len()), &body].concat()
    }

    #[test]
    fn cases_come_out_as_they_were_put_in() {
        let long = "ann: hello\n".repeat(30);
        let content = serde_json::to_vec(&[("first.txt", &long)]).unwrap();
        let component = with(SECTION, &content);
        assert_eq!(embedded(&component), [Case { name: "first.txt".to_owned(), text: long }]);
        let again = with(SECTION, b"[[\"second.txt\", \"\"]]");
        let both = [&component[..], &again[COMPONENT.len()..]].concat();
        assert_eq!(embedded(&both)[0].name, "second.txt");
    }

    #[test]
    fn what_is_odd_has_no_cases() {
        let component = with(SECTION, b"[[\"first.txt\", \"ann: hello\"]]");
        assert_eq!(embedded(&component).len(), 1);
        for end in 0..component.len() {
            assert_eq!(embedded(&component[..end]), [], "{end} bytes");
        }
        assert_eq!(embedded(b"\0asm\x01\0\0\0"), []);
        assert_eq!(embedded(&with("name", b"[[\"first.txt\", \"\"]]")), []);
        assert_eq!(embedded(&with(SECTION, b"{}")), []);
        let large = format!("[[\"first.txt\", \"{}\"]]", "x".repeat(MOST_BYTES));
        assert_eq!(embedded(&with(SECTION, large.as_bytes())), []);
        let endless = [COMPONENT, &[0], &[0xff; 12]].concat();
        assert_eq!(embedded(&endless), []);
    }
}
