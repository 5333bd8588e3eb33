//! What is sent: the topic and the text of a level, with what their placeholders stand for. Pure.

use heat_rule::{half_life, template};

use crate::configured::Configured;

/// The topic and the message for a level and a heat.
pub(crate) fn of(
    settings: &Configured,
    channel: &str,
    level: usize,
    heat: f64,
) -> (String, String) {
    let highest = settings.levels.highest().max(1);
    let number = level.to_string();
    let percent = (level * 100 / highest).to_string();
    // What zigbee2mqtt has for full; lamps that go to 255 do not show the difference.
    let brightness = (level * 254 / highest).to_string();
    let heat = half_life::degrees(heat).to_string();
    let values = [
        ("state", if level > 0 { "ON" } else { "OFF" }),
        ("level", settings.levels.name(level)),
        ("number", &number),
        ("percent", &percent),
        ("brightness", &brightness),
        ("heat", &heat),
        ("channel", channel),
    ];
    let template = settings.payloads.get(level).or(settings.payloads.first());
    let payload = template.map_or_else(String::new, |template| template::filled(template, &values));
    (settings.topic.replace("{channel}", channel), payload)
}
