//! The lines that are kept for scrolling back, and which of them are in view: of one channel or all, filtered, up to a line.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet, VecDeque};

use super::super::line::{Line, LineKind};
use super::filter::{Filter, Term};

/// A line with its number: numbers only grow, so a line that is chosen stays it.
pub(crate) struct Stored {
    pub(crate) number: u64,
    pub(crate) line: Line,
    /// Whether it was in view, and for which choice of what is: a screen asks again and again.
    shown: Cell<(u64, bool)>,
}

/// The lines, and what is looked at.
pub(crate) struct Backlog {
    lines: VecDeque<Stored>,
    next: u64,
    most: usize,
    /// Only this channel. None: all.
    pub(crate) tab: Option<String>,
    filter: Filter,
    /// What rules answer is left out.
    hides_rules: bool,
    /// Grows with each choice of what is in view.
    choice: u64,
    /// The lowest line in view. None: the newest.
    bottom: Option<u64>,
    /// The line that is chosen.
    pub(crate) chosen: Option<u64>,
    /// Lines of chat that came while another channel was looked at.
    pub(crate) unread: BTreeMap<String, u64>,
    /// Ids of lines that are here, while lines of the past are told again.
    known: HashSet<String>,
}

impl Backlog {
    pub(crate) fn new(most: usize, hides_rules: bool) -> Self {
        Self {
            lines: VecDeque::new(),
            next: 0,
            most: most.max(1),
            tab: None,
            filter: Filter::default(),
            hides_rules,
            choice: 1,
            bottom: None,
            chosen: None,
            unread: BTreeMap::new(),
            known: HashSet::new(),
        }
    }

    pub(crate) fn push(&mut self, line: Line) {
        if line.said.as_ref().is_some_and(|said| self.known.contains(&said.id)) {
            return;
        }
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        let is_elsewhere = self.tab.as_ref().is_some_and(|tab| *tab != line.channel);
        if line.kind == LineKind::Chat && is_elsewhere {
            *self.unread.entry(line.channel.clone()).or_default() += 1;
        }
        self.lines.push_back(Stored { number: self.next, line, shown: Cell::default() });
        self.next += 1;
    }

    /// Lines of the past follow: those that are here already are not taken again.
    pub(crate) fn expect_past(&mut self) {
        let ids = self.lines.iter().filter_map(|it| it.line.said.as_ref()).map(|it| &it.id);
        self.known = ids.filter(|id| !id.is_empty()).cloned().collect();
    }

    /// They have all come.
    pub(crate) fn past_is_over(&mut self) {
        self.known = HashSet::new();
    }

    pub(crate) fn strike(&mut self, channel: &str, id: Option<&str>, login: Option<&str>) {
        self.lines.iter_mut().for_each(|it| it.line.strike(channel, id, login));
    }

    /// Shows another channel, or all.
    pub(crate) fn turn_to(&mut self, tab: Option<String>) {
        match &tab {
            Some(tab) => drop(self.unread.remove(tab)),
            None => self.unread.clear(),
        }
        self.tab = tab;
        self.choice += 1;
        self.newest();
    }

    /// Shows only what passes.
    pub(crate) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.choice += 1;
        self.newest();
    }

    /// The filter as it was typed; empty where there is none.
    pub(crate) fn filtered_by(&self) -> &str {
        &self.filter.typed
    }

    /// Shows what rules answer, or leaves it out.
    pub(crate) fn toggle_rules(&mut self) {
        self.hides_rules = !self.hides_rules;
        self.choice += 1;
    }

    pub(crate) fn newest(&mut self) {
        (self.bottom, self.chosen) = (None, None);
    }

    pub(crate) fn is_back(&self) -> bool {
        self.bottom.is_some()
    }

    /// Whether a line is in view.
    fn shows(&self, stored: &Stored) -> bool {
        let (choice, shown) = stored.shown.get();
        if choice == self.choice {
            return shown;
        }
        let shown = self.passes(&stored.line);
        stored.shown.set((self.choice, shown));
        shown
    }

    fn passes(&self, line: &Line) -> bool {
        let is_here =
            self.tab.as_ref().is_none_or(|tab| line.channel.is_empty() || line.channel == *tab);
        is_here && !(self.hides_rules && line.kind == LineKind::Rule) && self.filter.passes(line)
    }

    /// What can be seen, from the lowest line in view upwards.
    pub(crate) fn upwards(&self) -> impl Iterator<Item = &Stored> {
        self.up_from(self.bottom.map_or(u64::MAX, |bottom| bottom + 1))
    }

    /// What can be seen from this number on, downwards.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = &Stored> {
        self.lines.iter().skip(self.place(number)).filter(|it| self.shows(it))
    }

    /// What can be seen before this number, upwards.
    fn up_from(&self, number: u64) -> impl Iterator<Item = &Stored> {
        let below = self.lines.len() - self.place(number);
        self.lines.iter().rev().skip(below).filter(|it| self.shows(it))
    }

    /// How many lines are before this number.
    fn place(&self, number: u64) -> usize {
        let first = self.lines.front().map_or(0, |it| it.number);
        usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX).min(self.lines.len())
    }

    /// Scrolls so many lines up; down when below 0.
    pub(crate) fn scroll(&mut self, up: i32) {
        let step = up.unsigned_abs() as usize;
        if up > 0 {
            let bottom = self.upwards().take(step.saturating_add(1)).last().map(|it| it.number);
            self.bottom = bottom.or(self.bottom);
        } else if let Some(bottom) = self.bottom {
            let below: Vec<u64> = self.from(bottom + 1).take(step).map(|it| it.number).collect();
            self.settle(below.last().copied().unwrap_or(bottom));
        }
    }

    /// The lowest line in view is this one. Where nothing is below it, what comes is in view again.
    pub(crate) fn settle(&mut self, lowest: u64) {
        let is_newest = self.from(lowest + 1).next().is_none();
        self.bottom = (!is_newest).then_some(lowest);
    }

    /// Scrolls to the oldest line.
    pub(crate) fn oldest(&mut self) {
        self.scroll(i32::MAX);
    }

    /// Chooses the next line above or below; the lowest one in view at first.
    pub(crate) fn choose(&mut self, up: bool) {
        let next = match self.chosen {
            None => self.upwards().next(),
            Some(chosen) if up => self.up_from(chosen).next(),
            Some(chosen) => self.from(chosen + 1).next(),
        };
        if let Some(next) = next.map(|it| it.number) {
            self.put_in_view(next);
        }
    }

    /// The next line above (or below) the chosen one that has this; it is chosen. False: there is none.
    pub(crate) fn find(&mut self, term: &Term, up: bool) -> bool {
        let is_it = |it: &&Stored| it.line.kind != LineKind::Note && term.has(&it.line);
        let found = match (up, self.chosen) {
            (true, chosen) => self.up_from(chosen.unwrap_or(u64::MAX)).find(is_it),
            (false, chosen) => self.from(chosen.map_or(0, |it| it + 1)).find(is_it),
        };
        let Some(found) = found.map(|it| it.number) else { return false };
        self.put_in_view(found);
        true
    }

    /// Chooses a line. One that is above the view gets into it when it is drawn: only then it is known how many lines fit.
    fn put_in_view(&mut self, number: u64) {
        self.chosen = Some(number);
        if self.bottom.is_some_and(|bottom| bottom < number) {
            self.bottom = Some(number);
        }
    }

    /// The chosen line.
    pub(crate) fn chosen_line(&self) -> Option<&Line> {
        let chosen = self.chosen?;
        let stored = self.lines.get(self.place(chosen)).filter(|it| it.number == chosen);
        stored.map(|it| &it.line)
    }

    /// What rules did for a line of chat.
    pub(crate) fn answers_to(&self, id: &str) -> impl Iterator<Item = &Line> {
        self.lines.iter().map(|it| &it.line).filter(move |it| it.of.as_deref() == Some(id))
    }

    /// Everybody who wrote, the last one first, and every emote, for what is typed.
    pub(crate) fn words(&self) -> Vec<String> {
        let (mut words, mut known) = (Vec::new(), HashSet::new());
        let lines = self.lines.iter().rev().map(|it| &it.line);
        for line in lines.filter(|it| self.tab.as_ref().is_none_or(|tab| it.channel == *tab)) {
            let Some(said) = &line.said else { continue };
            let emotes = said.emotes.iter().filter_map(|(place, _)| line.text.get(place.clone()));
            for word in std::iter::once(said.name.as_str()).chain(emotes) {
                if known.insert(word) {
                    words.push(word.to_owned());
                }
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(count: usize) -> Backlog {
        let mut backlog = Backlog::new(50, true);
        for number in 0..count {
            let channel = if number % 2 == 0 { "a" } else { "b" };
            let (kind, text) = (LineKind::Event, format!("line {number}"));
            backlog.push(Line::new(kind, channel, "*", &text));
        }
        backlog
    }

    fn seen(backlog: &Backlog, height: usize) -> Vec<String> {
        let mut seen: Vec<String> =
            backlog.upwards().take(height).map(|it| it.line.text.clone()).collect();
        seen.reverse();
        seen
    }

    #[test]
    fn who_scrolls_back_keeps_what_is_read_until_nothing_is_below() {
        let mut backlog = backlog(20);
        backlog.scroll(3);
        assert_eq!(seen(&backlog, 4), ["line 13", "line 14", "line 15", "line 16"]);
        backlog.push(Line::note("news"));
        assert_eq!(seen(&backlog, 4)[3], "line 16");
        backlog.oldest();
        assert_eq!(seen(&backlog, 4), ["line 0"]);
        backlog.settle(3);
        backlog.scroll(-2);
        assert_eq!(seen(&backlog, 4)[3], "line 5");
        backlog.scroll(-100);
        assert!(!backlog.is_back());
        assert_eq!(seen(&backlog, 1), ["news"]);
    }

    #[test]
    fn one_channel_is_shown_and_the_others_count_what_is_unread() {
        let mut backlog = backlog(6);
        backlog.turn_to(Some("b".to_owned()));
        assert_eq!(seen(&backlog, 9), ["line 1", "line 3", "line 5"]);
        let chat = super::super::super::entry::ChatEntry::default();
        backlog.push(Line::chat("a", &chat));
        backlog.push(Line::chat("b", &chat));
        assert_eq!(backlog.unread, BTreeMap::from([("a".to_owned(), 1)]));
        backlog.turn_to(Some("a".to_owned()));
        assert!(backlog.unread.is_empty());
    }

    #[test]
    fn a_search_finds_all_upwards_and_goes_back_down() -> Result<(), String> {
        let mut backlog = backlog(40);
        let term = Term::read("LINE 3")?;
        let mut found = Vec::new();
        while backlog.find(&term, true) {
            found.extend(backlog.chosen_line().map(|line| line.text.clone()));
        }
        assert_eq!((found.len(), found[0].as_str(), found[10].as_str()), (11, "line 39", "line 3"));
        assert!(backlog.find(&term, false) && !backlog.find(&Term::read("pie")?, true));
        Ok(())
    }

    #[test]
    fn the_oldest_lines_go_and_what_is_told_again_is_not_taken_twice() {
        let mut backlog = backlog(60);
        assert_eq!(seen(&backlog, 99).len(), 50);
        let chat =
            super::super::super::entry::ChatEntry { id: "m".to_owned(), ..Default::default() };
        backlog.push(Line::chat("a", &chat));
        backlog.expect_past();
        backlog.push(Line::chat("a", &chat));
        backlog.past_is_over();
        assert_eq!(seen(&backlog, 2), ["line 59", ""]);
    }
}
