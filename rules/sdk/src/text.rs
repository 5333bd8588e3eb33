//! A message's payload as text: a title, a name, the word of another program.

/// The longest item or output, in characters. The contract refuses what is longer.
pub const LONGEST: usize = 500;

/// The text of a payload without the white space at its ends, or what is wrong with it. It is not normalised, as what people type is: a
/// program spells a title the same each time, and two spellings of one letter stay two texts.
pub fn read(payload: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(payload).map_err(|error| format!("is not UTF-8 ({error})"))?;
    Ok(text.trim_matches(is_space))
}

/// Whether the text is short enough for an item or an output.
pub fn fits(text: &str) -> bool {
    text.chars().count() <= LONGEST
}

/// What Python's `strip` takes off: white space, and the four separators of ASCII.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}
