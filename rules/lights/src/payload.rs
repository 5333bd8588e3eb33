//! What is sent: the topic and the text of a level, with what their placeholders stand for. Pure. Braces around anything else stay, so that JSON needs no
//! escapes.

use crate::configured::Configured;

/// What a placeholder may be, without its braces.
pub(crate) const NAMES: [&str; 7] =
    ["state", "level", "number", "percent", "brightness", "heat", "channel"];

/// The topic and the message for a level and a heat.
pub(crate) fn of(
    settings: &Configured,
    channel: &str,
    level: usize,
    heat: f64,
) -> (String, String) {
    let highest = settings.levels.highest().max(1);
    let values = [
        if level > 0 { "ON" } else { "OFF" }.to_owned(),
        settings.levels.name(level).to_owned(),
        level.to_string(),
        (level * 100 / highest).to_string(),
        // What zigbee2mqtt has for full; lamps that go to 255 do not show the difference.
        (level * 254 / highest).to_string(),
        format!("{}", heat.round()),
        channel.to_owned(),
    ];
    let template = settings.payloads.get(level).or(settings.payloads.first());
    let payload = template.map_or_else(String::new, |template| filled(template, &values));
    (settings.topic.replace("{channel}", channel), payload)
}

/// The template with its placeholders replaced, from left to right, so that nothing is replaced in what was put in.
fn filled(template: &str, values: &[String; NAMES.len()]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let known = NAMES.iter().zip(values).find_map(|(name, value)| {
            let behind = rest[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((value, behind))
        });
        match known {
            Some((value, behind)) => {
                text.push_str(value);
                rest = behind;
            }
            None => {
                text.push('{');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}
