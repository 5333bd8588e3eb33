//! One raw line of chat taken apart, as bytes.
//!
//! Deliberately not the parser that the daemon uses: what this says is held against what that one makes of a line.
//! Lenient where Twitch is: a line need not be UTF-8, and the last parameter may lack its colon.

/// The parts of a line, borrowed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Between `@` and the first space; empty when there are none.
    pub tags: &'a [u8],
    /// Between `:` and the next space; empty when there is none.
    pub prefix: &'a [u8],
    pub command: &'a [u8],
    /// The last one without its colon, with its spaces.
    pub params: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// None for a line without a command.
    pub fn of(line: &'a [u8]) -> Option<Self> {
        let mut rest = without_line_end(line);
        let mut section = |mark| match rest.strip_prefix(mark) {
            Some(marked) => {
                let (section, after) = split_at_space(marked);
                rest = after;
                section
            }
            None => &[][..],
        };
        let tags = section(b"@");
        let prefix = section(b":");
        let (command, rest) = split_at_space(rest);
        (!command.is_empty()).then(|| Self { tags, prefix, command, params: params(rest) })
    }

    /// The value of a tag, unescaped. None when the line lacks it; empty when it has no value.
    pub fn tag(&self, name: &str) -> Option<String> {
        self.tags.split(|byte| *byte == b';').find_map(|tag| {
            let (key, value) = split_once(tag, b'=');
            (key == name.as_bytes()).then(|| unescape(&String::from_utf8_lossy(value)))
        })
    }

    /// The channel of the line without its `#`.
    pub fn channel(&self) -> Option<&'a str> {
        let channel = self.params.iter().find_map(|param| param.strip_prefix(b"#"))?;
        std::str::from_utf8(channel).ok()
    }

    /// The login that sent the line; empty when it came from the server.
    pub fn login(&self) -> String {
        let (login, host) = split_once(self.prefix, b'!');
        if host.is_empty() { String::new() } else { String::from_utf8_lossy(login).into_owned() }
    }

    /// The parameter behind the channel, which is a message's text.
    pub fn text(&self) -> Option<&'a [u8]> {
        self.params.get(1).copied()
    }
}

/// A line without the CR and LF at its end.
pub fn without_line_end(line: &[u8]) -> &[u8] {
    let length = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    &line[..length]
}

/// A tag's value as it stands in a line.
pub fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace(';', "\\:")
        .replace(' ', "\\s")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

fn unescape(value: &str) -> String {
    let mut result = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        result.extend(if character == '\\' {
            characters.next().map(unescaped)
        } else {
            Some(character)
        });
    }
    result
}

fn unescaped(character: char) -> char {
    match character {
        ':' => ';',
        's' => ' ',
        'r' => '\r',
        'n' => '\n',
        other => other,
    }
}

fn params(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut params = Vec::new();
    while !rest.is_empty() {
        if let Some(trailing) = rest.strip_prefix(b":") {
            params.push(trailing);
            break;
        }
        let (param, after) = split_at_space(rest);
        params.push(param);
        rest = after;
    }
    params
}

/// Several spaces separate as one does.
fn split_at_space(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (first, rest) = split_once(bytes, b' ');
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    (first, &rest[spaces..])
}

fn split_once(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(position) => (&bytes[..position], &bytes[position + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Option<Parts<'_>> {
        Parts::of(line.as_bytes())
    }

    #[test]
    fn a_tagged_message_has_all_parts() {
        let line = "@a=1;b=x\\sy\\:;c= :ann!ann@ann.tmi.twitch.tv PRIVMSG #pie :hello  you :)\r\n";
        let parts = parts(line).into_iter().next();
        let parts = parts.as_ref();
        assert_eq!(parts.and_then(|parts| parts.tag("b")).as_deref(), Some("x y;"));
        assert_eq!(parts.and_then(|parts| parts.tag("c")).as_deref(), Some(""));
        assert_eq!(parts.and_then(|parts| parts.tag("d")), None);
        assert_eq!(parts.map(Parts::login).as_deref(), Some("ann"));
        assert_eq!(parts.and_then(Parts::channel), Some("pie"));
        assert_eq!(parts.and_then(Parts::text), Some(&b"hello  you :)"[..]));
    }

    #[test]
    fn a_trailing_parameter_may_lack_its_colon() {
        let text =
            parts(":a!a@a PRIVMSG #pie hello").and_then(|parts| parts.text().map(<[u8]>::to_vec));
        assert_eq!(text.as_deref(), Some(&b"hello"[..]));
    }

    #[test]
    fn a_line_without_a_command_has_no_parts() {
        assert_eq!(
            [parts(""), parts("\r\n"), parts("@tags"), parts(":prefix")],
            [None, None, None, None]
        );
    }

    #[test]
    fn escaping_and_unescaping_a_value_keeps_it() {
        let value = "a; b\\s\\ \r\nc";
        assert_eq!(unescape(&escape(value)), value);
    }

    #[test]
    fn a_line_of_other_bytes_than_utf_8_keeps_them() {
        let line = b"PRIVMSG #pie :caf\xe9";
        assert_eq!(Parts::of(line).and_then(|parts| parts.text()), Some(&b"caf\xe9"[..]));
    }
}
