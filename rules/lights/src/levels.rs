//! Levels, and on which of them a heat is: up at once, down only when it has fallen some way, so that the lamps do not flicker. Pure.

/// The levels, numbered from 0, which is below all that have a beginning.
pub(crate) struct Levels {
    /// The name of number 0.
    below: String,
    /// The heat above which each of the others begins, and its name; the lowest first.
    others: Vec<(f64, String)>,
    /// The part of that at which a level is left.
    fall: f64,
}

impl Levels {
    /// Levels in any order, by the number that is shown when they begin. The names differ, and so do the numbers, which are above 0.
    pub(crate) fn new(below: String, mut others: Vec<(f64, String)>, fall: f64) -> Self {
        // `decay` shows the nearest whole number, a half down. So ten faves reach 10, although the first of them has cooled a little.
        others.iter_mut().for_each(|(begins, _)| *begins = begins.ceil() - 0.5);
        others.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        Self { below, others, fall }
    }

    /// How many there are, without the one below all.
    pub(crate) fn highest(&self) -> usize {
        self.others.len()
    }

    pub(crate) fn name(&self, level: usize) -> &str {
        level.checked_sub(1).map_or(&self.below, |place| &self.others[place].1)
    }

    /// The level of a heat, where the lamps were told this one before.
    pub(crate) fn after(&self, told: Option<&str>, heat: f64) -> usize {
        let reached = self.others.iter().filter(|(begins, _)| heat > *begins).count();
        let held = self.others.iter().filter(|(begins, _)| heat > begins * self.fall).count();
        // What is no level of these settings, as after a change of them, holds nothing.
        let before = told.map_or(0, |name| self.number(name).unwrap_or(0));
        reached.max(held.min(before))
    }

    /// Whether the lamps have to be told of a level. As long as nothing was told, that below all is none.
    pub(crate) fn is_news(&self, told: Option<&str>, level: usize) -> bool {
        match told {
            Some(told) => told != self.name(level),
            None => level > 0,
        }
    }

    /// The heat at which a level is left; none for that below all.
    pub(crate) fn left_at(&self, level: usize) -> Option<f64> {
        level.checked_sub(1).map(|place| self.others[place].0 * self.fall)
    }

    fn number(&self, name: &str) -> Option<usize> {
        (0..=self.highest()).find(|level| self.name(*level) == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_held_until_the_heat_has_fallen_some_way() {
        let others = vec![(50.0, "hot".to_owned()), (10.0, "warm".to_owned())];
        let levels = Levels::new("cold".to_owned(), others, 0.8);
        for (told, heat, level) in [
            (None, 9.5, 0),
            (None, 9.6, 1),
            (Some("cold"), 60.0, 2),
            (Some("warm"), 7.7, 1),
            (Some("warm"), 7.6, 0),
            (Some("hot"), 39.7, 2),
            (Some("hot"), 39.6, 1),
            (Some("hot"), 8.5, 1),
            (Some("gone"), 9.0, 0),
        ] {
            assert_eq!(levels.after(told, heat), level, "{told:?} {heat}");
        }
    }
}
