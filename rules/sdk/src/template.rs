//! Texts with placeholders, such as "{level} at {heat}", as a setting has them.

/// The template with what each placeholder stands for, from left to right: nothing is replaced in what was put in. Braces around anything
/// but these names stay as they are, so that JSON is written as it is.
pub fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, brace) = rest.split_at(start);
        text.push_str(before);
        let known = values.iter().find_map(|(name, value)| {
            let behind = brace[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((value, behind))
        });
        match known {
            Some((value, behind)) => {
                text.push_str(value);
                rest = behind;
            }
            None => {
                text.push('{');
                rest = &brace[1..];
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_are_replaced_and_only_once() {
        let values = [("a", "{b}"), ("b", "1")];
        for (template, text) in [
            ("{a} {b}", "{b} 1"),
            ("{\"x\": {b}}", "{\"x\": 1}"),
            ("{{b}}", "{1}"),
            ("{c} {b", "{c} {b"),
            ("é{b}ü", "é1ü"),
            ("", ""),
        ] {
            assert_eq!(filled(template, &values), text, "{template}");
        }
    }
}
