//! Grants to a rule beyond the defaults: topics to publish to, and memory.

use super::section::Section;

/// The most memory that a rule can be given, in bytes. A Pi may have 1 GB for everything.
const MOST_MEMORY: u64 = 128 << 20;

/// How many topic filters may be granted: each is held against every message.
const MOST_FILTERS: usize = 64;

/// The filters of the topics that a rule may publish to.
pub(super) fn publish(section: &mut Section<'_>) -> Vec<String> {
    let filters = section.texts("publish").unwrap_or_default();
    let mistakes = section.mistakes();
    if let Some((_, span)) = filters.get(MOST_FILTERS) {
        let hint = "a filter with # at its end grants every topic below";
        mistakes.add_with_hint(
            span,
            format!("`publish` has more than {MOST_FILTERS} filters"),
            hint,
        );
    }
    for (filter, span) in &filters {
        if let Err(problem) = heat_engine::check_filter(filter) {
            mistakes.add_with_hint(span, problem, "write publish = [\"lights/#\"]");
        } else if filter.starts_with('$') {
            let problem = format!("{filter:?} cannot be granted: such topics are the broker's own");
            mistakes.add(span, problem);
        }
    }
    filters.into_iter().map(|(filter, _)| filter).collect()
}

/// The memory of one instance, if the configuration says.
pub(super) fn memory(section: &mut Section<'_>) -> Option<usize> {
    section.size("memory", 1 << 20, MOST_MEMORY).and_then(|bytes| usize::try_from(bytes).ok())
}
/// `source`: whether only the configuration decides on the slot, or live changes hold until the configuration changes.
pub(super) fn source_is_file(section: &mut Section<'_>) -> bool {
    match section.text("source") {
        None => false,
        Some((word, _)) if word == "live" => false,
        Some((word, _)) if word == "file" => true,
        Some((word, span)) => {
            let hint = "\"file\" lets nobody change the rule while heatd runs; \"live\", the default, does";
            section.mistakes().add_with_hint(&span, format!("`source` cannot be {word:?}"), hint);
            false
        }
    }
}
