//! The colours of names: what people have chosen, made readable on this background.
//!
//! Readable is a contrast of 4.5 to 1, as WCAG 2.2 has it for text (success criterion 1.4.3).

use ratatui::style::Color;

/// The least contrast of a name with its background.
const CONTRAST: f64 = 4.5;

/// A terminal's background is hardly ever quite black or white.
const BACKGROUNDS: [Rgb; 2] = [Rgb([0x18, 0x18, 0x1B]), Rgb([0xF7, 0xF7, 0xF8])];

/// The colours from which Twitch chooses for who has chosen none.
const USUAL: [Rgb; 15] = [
    Rgb([0xFF, 0x00, 0x00]),
    Rgb([0x00, 0x00, 0xFF]),
    Rgb([0x00, 0x80, 0x00]),
    Rgb([0xB2, 0x22, 0x22]),
    Rgb([0xFF, 0x7F, 0x50]),
    Rgb([0x9A, 0xCD, 0x32]),
    Rgb([0xFF, 0x45, 0x00]),
    Rgb([0x2E, 0x8B, 0x57]),
    Rgb([0xDA, 0xA5, 0x20]),
    Rgb([0xD2, 0x69, 0x1E]),
    Rgb([0x5F, 0x9E, 0xA0]),
    Rgb([0x1E, 0x90, 0xFF]),
    Rgb([0xFF, 0x69, 0xB4]),
    Rgb([0x8A, 0x2B, 0xE2]),
    Rgb([0x00, 0xFF, 0x7F]),
];

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb([u8; 3]);

/// What stands behind the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    #[default]
    Dark,
    Light,
}

impl Rgb {
    /// `#FF69B4`. None: it is no colour.
    pub(crate) fn read(written: &str) -> Option<Self> {
        let digits = written.strip_prefix('#').filter(|it| it.len() == 6 && it.is_ascii())?;
        let part = |place: usize| u8::from_str_radix(&digits[place..place + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// The colour of somebody who has chosen none: always the same for one login.
    pub(crate) fn usual(login: &str) -> Self {
        let sum: usize = login.bytes().map(usize::from).sum();
        USUAL[sum % USUAL.len()]
    }

    /// The nearest colour between this one and white or black that is readable there.
    pub(crate) fn readable(self, theme: Theme) -> Self {
        let (background, target) = match theme {
            Theme::Dark => (BACKGROUNDS[0], 255.0),
            Theme::Light => (BACKGROUNDS[1], 0.0),
        };
        let mix =
            |step: u32| {
                let share = f64::from(step) / 20.0;
                // A mix of two bytes is one.
                Self(self.0.map(|part| {
                    (f64::from(part) + (target - f64::from(part)) * share).round() as u8
                }))
            };
        let mixed = (0..=20).map(mix);
        let mut readable = mixed.filter(|colour| contrast(*colour, background) >= CONTRAST);
        readable.next().unwrap_or_else(|| mix(20))
    }

    /// As the terminal can show it: in full, or the nearest of its 256 colours.
    pub(crate) fn shown(self, in_full: bool) -> Color {
        let Self([red, green, blue]) = self;
        if in_full {
            return Color::Rgb(red, green, blue);
        }
        // The cube of 216 colours (xterm): 0, 95, 135, 175, 215, 255.
        let level = |part: u8| match part {
            0..48 => 0,
            48..115 => 1,
            _ => (part - 35) / 40,
        };
        Color::Indexed(16 + 36 * level(red) + 6 * level(green) + level(blue))
    }

    fn luminance(self) -> f64 {
        let part = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let Self([red, green, blue]) = self;
        0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
    }
}

fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_becomes_readable_and_readable_ones_stay() {
        for theme in [Theme::Dark, Theme::Light] {
            let background = BACKGROUNDS[theme as usize];
            for red in (0..=255).step_by(51) {
                for green in (0..=255).step_by(51) {
                    for blue in (0..=255).step_by(51) {
                        let colour = Rgb([red, green, blue]);
                        let shown = colour.readable(theme);
                        assert!(contrast(shown, background) >= CONTRAST, "{colour:?} {theme:?}");
                        if contrast(colour, background) >= CONTRAST {
                            assert_eq!(shown, colour);
                        }
                    }
                }
            }
        }
        assert_eq!(Rgb::usual("ann"), Rgb::usual("ann"));
    }

    #[test]
    fn a_terminal_of_256_colours_gets_the_nearest() {
        assert_eq!(Rgb([255, 0, 95]).shown(false), Color::Indexed(16 + 36 * 5 + 1));
        assert_eq!(Rgb([255, 255, 255]).shown(false), Color::Indexed(231));
        assert_eq!(Rgb([1, 2, 3]).shown(true), Color::Rgb(1, 2, 3));
        assert_eq!((Rgb::read("#ff69B4"), Rgb::read("pink")), (Some(Rgb([255, 105, 180])), None));
    }
}
