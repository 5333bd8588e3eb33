//! `heat replay`: what an output would have been with another rule, beside what it was.
//!
//! [`curve`] is an output over time, [`plot`] draws two of them with characters, [`svg`] as a picture.

mod curve;
mod plot;
mod svg;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;

use crate::api::{Api, slots};
use crate::candidate::{Candidate, CandidateFile, recording};
use crate::target::{ProgressArgs, SlotChoice, choose};
use crate::terminal::table::{Colour, Table, has_colours};
use crate::terminal::words::{count, many};
use crate::terminal::{clean, note, print};
use crate::{api, when};
use curve::Curve;
use plot::PlotStyle;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat replay hotter.wasm --slot decay --set half_life=3m --from '1h ago'
  heat replay --set half_life=3m --from 18:30 --to 19:00 --svg evening.svg
  heat replay decay.wasm --log recording.irc
  heat replay combo.wasm --slot combo --output combo       a rule that is not there yet

Nothing of it is shown on the stream. Without --log it is heatd's own log that is played, as far as it goes back;
a recording has raw lines of Twitch chat with their tags, one a line, and both curves begin with an empty state.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    candidate: Candidate,
    /// Since when: 10m, 2h or 1d ago, 18:30, '2026-11-20 18:30', or RFC 3339. By default, as far as the log goes back.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    from: Option<u64>,
    /// Until when; by default, now.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    to: Option<u64>,
    /// The output that is compared.
    #[arg(long, value_name = "NAME", default_value = "heat")]
    output: String,
    /// Plays this recording of chat, all of it, instead of heatd's log.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    log: Option<PathBuf>,
    /// Draws both curves into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    answer: ProgressArgs,
}

/// The last line of a replay.
#[derive(Debug, Deserialize)]
struct ReplayOutcome {
    #[serde(default)]
    events: u64,
    #[serde(default)]
    elapsed_ms: f64,
    #[serde(default)]
    events_per_second: f64,
    #[serde(default)]
    faults: u64,
    from: u64,
    to: u64,
    output: String,
    live: Curve,
    candidate: Curve,
    #[serde(default)]
    live_faves: f64,
    #[serde(default)]
    candidate_faves: f64,
}

pub(crate) fn run(options: &ReplayArgs) -> Result<()> {
    if let (Some(from), Some(to)) = (options.from, options.to) {
        ensure!(from < to, "--from {} is not before --to {}", when::show(from), when::show(to));
    }
    let candidate = options.candidate.read()?;
    let log = options.log.as_deref().map(recording).transpose()?;
    let api = options.answer.at.api()?;
    let (channel, slot) = place(options, &candidate, &api)?;
    let mut query = vec![("slot", slot), ("output", options.output.clone())];
    query.extend(options.from.map(|from| ("from", from.to_string())));
    query.extend(options.to.map(|to| ("to", to.to_string())));
    query.extend(log.as_ref().map(|log| ("log", log.len().to_string())));
    query.extend(candidate.query());
    let load = match log {
        Some(log) => candidate.load_after(log),
        None => candidate.load(),
    };
    let path = format!("/channels/{channel}/replay");
    let told = api.start("POST", &path, &query, &load)?.follow(options.answer.json)?;
    if options.answer.json && options.svg.is_none() {
        return Ok(());
    }
    let outcome: ReplayOutcome = api::read(told, "the replay")?;
    if !options.answer.json {
        print(&outcome.page(&PlotStyle::of_stdout()))?;
    }
    if let Some(file) = &options.svg {
        let picture =
            svg::picture(&outcome.output, [&outcome.live, &outcome.candidate], outcome.span());
        match picture {
            Some(picture) => {
                std::fs::write(file, picture)
                    .with_context(|| format!("failed to write {}", file.display()))?;
                note(&format!("both curves are drawn in {}", file.display()));
            }
            None => note(&format!(
                "no picture was drawn: {} shows no numbers in this time",
                outcome.output
            )),
        }
    }
    Ok(())
}

/// The channel, and the slot in which the candidate is tried. A rule from a file may be tried in a slot that is not there yet.
fn place(options: &ReplayArgs, read: &CandidateFile, api: &Api) -> Result<(String, String)> {
    let at = &options.answer.at;
    let rules = slots::rules(api, at.named()?.as_deref())?;
    let wanted = options.candidate.wanted(read);
    if let (SlotChoice::Slot(slot), CandidateFile::Rule { .. }) = (&wanted, read)
        && !rules.iter().any(|rule| rule.slot == *slot)
    {
        return Ok((at.one(api)?, (*slot).to_owned()));
    }
    let rule = choose(&rules, &wanted)?;
    Ok((rule.channel.clone(), rule.slot.clone()))
}

impl ReplayOutcome {
    fn span(&self) -> (u64, u64) {
        (self.from, self.to.max(self.from + 1))
    }

    fn page(&self, look: &PlotStyle) -> String {
        let curves = [&self.live, &self.candidate];
        let mut page = match plot::plot(&self.output, curves, self.span(), look) {
            Some(plot) => plot,
            None => self.changes(),
        };
        page.push('\n');
        page.push_str(&self.figures());
        page
    }

    /// What is known of each, and of the replay.
    fn figures(&self) -> String {
        let mut table = Table::new(&["", "live", "candidate"]);
        let both = |of: &dyn Fn(&Curve) -> String| [of(&self.live), of(&self.candidate)];
        let mut row = |name: &str, [live, candidate]: [String; 2]| {
            table.plain([name.to_owned(), live, candidate]);
        };
        row("weight", [self.live_faves.to_string(), self.candidate_faves.to_string()]);
        row(
            "highest",
            both(&|curve| match curve.highest() {
                Some((at, value)) => format!("{value} at {}", when::show(at)),
                None => "–".to_owned(),
            }),
        );
        row("at the end", both(&|curve| curve.last().unwrap_or_else(|| "–".to_owned())));
        let faults = match self.faults {
            0 => "no faults".to_owned(),
            faults => many(faults, "fault"),
        };
        // A figure of events in a second is far below 2^53.
        let pace = count(self.events_per_second.round().max(0.0) as u64);
        let seconds = self.elapsed_ms / 1e3;
        let events = count(self.events);
        format!(
            "{}\n{} to {}: {events} events\nplayed in {seconds:.1} s, {pace} events a second, {faults}\n",
            table.text(has_colours()),
            when::show(self.from),
            when::show(self.to)
        )
    }

    /// The texts of an output that shows no numbers.
    fn changes(&self) -> String {
        const MOST: usize = 20;
        let mut changes: Vec<(u64, [String; 2])> = Vec::new();
        changes.extend(self.live.texts().map(|(at, text)| (at, [text, String::new()])));
        changes.extend(self.candidate.texts().map(|(at, text)| (at, [String::new(), text])));
        if changes.is_empty() {
            return clean::text(&format!("{} shows nothing in this time", self.output)) + "\n";
        }
        changes.sort_by_key(|(at, _)| *at);
        let left_out = changes.len().saturating_sub(MOST);
        let mut table = Table::new(&["at", "live", "candidate"]);
        for (at, [live, candidate]) in changes.split_off(left_out) {
            table.row([
                (when::show(at), Colour::Plain),
                (live, Colour::Plain),
                (candidate, Colour::Plain),
            ]);
        }
        let before = match left_out {
            0 => String::new(),
            left_out => format!("({left_out} earlier changes are left out)\n"),
        };
        format!("{before}{}", table.text(has_colours()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(live: serde_json::Value, candidate: serde_json::Value) -> ReplayOutcome {
        let told = json!({
            "message": "replayed", "events": 1234, "elapsed_ms": 1500, "events_per_second": 822.6, "faults": 1, "from": 0,
            "to": 60_000, "output": "heat", "live": live, "candidate": candidate, "live_faves": 3, "candidate_faves": 2.5,
        });
        api::read(told, "a replay").unwrap()
    }

    #[test]
    fn figures_stand_below_the_plot() {
        let outcome = outcome(json!([[0, 1], [1000, 48]]), json!([[0, 1], [2000, "52.5"]]));
        let page = outcome.page(&PlotStyle::plain());
        assert!(page.contains("weight      3"), "{page}");
        assert!(page.contains("48 at ") && page.contains("52.5 at "), "{page}");
        assert!(
            page.contains("1,234 events") && page.contains("823 events a second, 1 fault\n"),
            "{page}"
        );
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    }

    #[test]
    fn texts_are_listed() {
        let outcome = outcome(json!([[0, "warm"]]), json!([[1000, "on fire\u{1b}[2J"]]));
        let page = outcome.page(&PlotStyle::plain());
        assert!(page.contains("warm") && page.contains("on fire\u{FFFD}[2J"), "{page}");
    }
}
