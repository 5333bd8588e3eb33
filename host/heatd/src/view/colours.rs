//! The colours that people have chosen for their names, as their last lines told. Kept in memory alone: who is not known has none.

use std::collections::HashMap;

use parking_lot::Mutex;

/// How many people are remembered at least, and half of how many at most.
const KEPT: usize = 10_000;

/// A colour: red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// The colours by person's id. Whoever wrote long ago is forgotten first.
#[derive(Default)]
pub(crate) struct Colours(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<String, Rgb>,
    old: HashMap<String, Rgb>,
}

impl Colours {
    /// Somebody has this colour, written as `#FF69B4`. Anything else is none.
    pub(crate) fn note(&self, id: &str, written: &str) {
        let Some(colour) = read(written) else { return };
        let mut known = self.0.lock();
        match known.young.get_mut(id) {
            Some(known) => *known = colour,
            None => {
                if known.young.len() >= KEPT {
                    known.old = std::mem::take(&mut known.young);
                }
                known.young.insert(id.to_owned(), colour);
            }
        }
    }

    /// As it is written. None: not known.
    pub(crate) fn of(&self, id: &str) -> Option<String> {
        let known = self.0.lock();
        let [red, green, blue] = *known.young.get(id).or_else(|| known.old.get(id))?;
        Some(format!("#{red:02X}{green:02X}{blue:02X}"))
    }
}

fn read(written: &str) -> Option<Rgb> {
    let digits = written.strip_prefix('#').filter(|it| it.len() == 6 && it.is_ascii())?;
    let part = |place: usize| u8::from_str_radix(&digits[place..place + 2], 16).ok();
    Some([part(0)?, part(2)?, part(4)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_colour_holds_and_the_oldest_people_are_forgotten() {
        let colours = Colours::default();
        for written in ["#00ff00", "#FF69B4", "", "red", "#12345", "#é2345"] {
            colours.note("42", written);
        }
        assert_eq!(colours.of("42").as_deref(), Some("#FF69B4"));
        for id in 0..KEPT {
            colours.note(&format!("a{id}"), "#000000");
        }
        assert!(colours.of("42").is_some());
        for id in 0..KEPT {
            colours.note(&format!("b{id}"), "#000000");
        }
        assert_eq!(colours.of("42"), None);
    }
}
