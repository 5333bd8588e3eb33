//! Finds the emotes of other providers among the words of a line of chat. Pure.

use heat_engine::wit::{ChatLine, Emote};

use super::sets::Lookup;

/// Adds the emotes of the providers. A word stands between single spaces, letter for letter; what Twitch has marked stays as it is.
pub(super) fn add(sets: &Lookup<'_>, line: &mut ChatLine) {
    let mut found = Vec::new();
    let (mut marked, mut position) = (line.emotes.iter().peekable(), 0);
    for word in line.text.split(' ') {
        let start = position;
        // A line of chat has a few hundred characters.
        let end = start + word.chars().count() as u32;
        position = end + 1;
        while marked.next_if(|emote| emote.end <= start).is_some() {}
        if word.is_empty() || marked.peek().is_some_and(|emote| emote.start < end) {
            continue;
        }
        if let Some((provider, id)) = sets.emote(word) {
            let (name, id, provider) = (word.to_owned(), id.to_owned(), provider.contract());
            found.push(Emote { name, id, provider, start, end });
        }
    }
    if !found.is_empty() {
        line.emotes.append(&mut found);
        line.emotes.sort_by_key(|emote| emote.start);
    }
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{EmoteProvider, Person, Standing};

    use super::*;
    use crate::config::provider::{Provider, SetScope};
    use crate::emotes::sets::{Table, set};

    fn line(text: &str, emotes: Vec<Emote>) -> ChatLine {
        ChatLine {
            message: String::new(),
            person: Person { id: String::new(), login: String::new(), name: String::new() },
            standing: Standing {
                broadcaster: false,
                moderator: false,
                vip: false,
                subscription: None,
                first_message: false,
                returning: false,
            },
            text: text.to_owned(),
            emotes,
            bits: 0,
            reply_to: None,
            shared_from: None,
        }
    }

    fn table(names: &[&str]) -> Table {
        let mut table = Table::default();
        let emotes: Vec<_> = names.iter().map(|name| (*name, "id")).collect();
        table.put(Provider::SevenTv, &SetScope::Global, set(&emotes));
        table
    }

    fn found(names: &[&str], text: &str) -> Vec<(String, u32, u32)> {
        let mut line = line(text, Vec::new());
        add(&table(names).of("seaside"), &mut line);
        line.emotes.into_iter().map(|emote| (emote.name, emote.start, emote.end)).collect()
    }

    #[test]
    fn whole_words_between_single_spaces_count_letter_for_letter() {
        let pie = |start| ("pie".to_owned(), start, start + 3);
        assert_eq!(found(&["pie"], "pie pies Pie pie! pie"), [pie(0), pie(18)]);
        assert_eq!(found(&["pie"], "  pie\tpie pie"), [pie(10)].to_vec());
        assert_eq!(found(&["pie"], ""), []);
    }

    #[test]
    fn positions_are_code_points() {
        let text = "👩‍👩‍👧‍👦 é שלום pie 😂";
        let [(_, start, end)] = found(&["pie"], text).try_into().unwrap();
        let letters: Vec<char> = text.chars().collect();
        assert_eq!(letters[start as usize..end as usize], ['p', 'i', 'e']);
        assert_eq!(found(&["😂"], "😂 😂").len(), 2);
    }

    #[test]
    fn names_that_look_like_patterns_and_pages_are_names() {
        for name in [
            ".*",
            "(ditto)",
            "<img src=x onerror=alert(1)>".replace(' ', "").as_str(),
            "[a-z]+",
            ":)",
            "$0",
            "\\",
            "%s",
            "'",
        ] {
            assert_eq!(found(&[name], &format!("x {name} abc")).len(), 1, "{name}");
        }
    }

    #[test]
    fn what_twitch_has_marked_stays_its_own() {
        let twitch = |start, end| Emote {
            name: "Kappa".to_owned(),
            id: "25".to_owned(),
            provider: EmoteProvider::Twitch,
            start,
            end,
        };
        let mut line = line("Kappa pie Kappa pie", vec![twitch(0, 5), twitch(10, 15)]);
        add(&table(&["Kappa", "pie"]).of("seaside"), &mut line);
        let told: Vec<_> =
            line.emotes.iter().map(|it| (it.name.as_str(), it.provider, it.start)).collect();
        let (ours, theirs) = (EmoteProvider::SevenTv, EmoteProvider::Twitch);
        assert_eq!(
            told,
            [("Kappa", theirs, 0), ("pie", ours, 6), ("Kappa", theirs, 10), ("pie", ours, 16)]
        );
    }

    #[test]
    fn ranges_of_twitch_that_overlap_hide_every_word_that_they_touch() {
        let range = |start, end| Emote {
            name: String::new(),
            id: String::new(),
            provider: EmoteProvider::Twitch,
            start,
            end,
        };
        let mut line = line("pie pie pie pie", vec![range(0, 2), range(1, 9), range(4, 5)]);
        add(&table(&["pie"]).of("seaside"), &mut line);
        let ours = line.emotes.iter().filter(|it| it.provider == EmoteProvider::SevenTv);
        assert_eq!(ours.map(|it| it.start).collect::<Vec<_>>(), [12]);
    }

    /// It prints how quickly, of a build without optimisation.
    #[test]
    fn many_lines_with_many_sets_are_found_through_quickly() {
        let channel = SetScope::Channel { login: "seaside".to_owned(), id: "1".to_owned() };
        let mut table = Table::default();
        for (of, provider) in [&SetScope::Global, &channel]
            .into_iter()
            .flat_map(|of| Provider::ALL.map(|it| (of, it)))
        {
            let names: Vec<String> = (0..1_000)
                .map(|number| format!("{}{}{number}", provider.name(), of.key()))
                .collect();
            let emotes: Vec<_> =
                names.iter().map(|name| (name.as_str(), "60ae9a57ac03cad60771b2d8")).collect();
            table.put(provider, of, set(&emotes));
        }
        let text = "so much 7tvglobal77 in a line of chat 😂 ffz14 and nothing else here";
        let mut lines: Vec<ChatLine> = (0..2_000).map(|_| line(text, Vec::new())).collect();
        let begun = std::time::Instant::now();
        lines.iter_mut().for_each(|line| add(&table.of("seaside"), line));
        println!("{:.0} lines a second", 2_000.0 / begun.elapsed().as_secs_f64());
        assert!(lines.iter().all(|line| line.emotes.len() == 2));
    }
}
