//! What came of a soak: for people, as JSON, and whether it is as it has to be.

use std::time::Duration;

use serde_json::{Value, json};

use super::load::Sent;
use super::stage::Counted;
use super::trouble::Done;
use super::usage::Usage;

/// The first of everything (a combo, a block of a series, a swap) takes memory that is kept: growth is measured from here on, and from a
/// quarter of the time.
const WARM_UP_S: f64 = 10.0;

/// By so much resident memory may be larger at the end than after the warm-up, beside what is remembered for a while.
const MOST_GROWTH_MB: f64 = 16.0;

/// heatd remembers the ids of ten minutes, to know an event that is told twice. Each takes at most so much.
const REMEMBERED_S: f64 = 600.0;
const REMEMBERED_MB: f64 = 100.0 / 1e6;

/// So many more files and threads may there be at the end than after the first quarter: connections under way.
const MOST_MORE: u64 = 8;

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pub(super) chat: &'static str,
    pub(super) took: Duration,
    pub sent: Sent,
    pub done: Done,
    pub counted: Counted,
    pub(super) looks: Vec<Usage>,
    /// The number that the text file had to show at the end, and what it showed.
    pub(super) text: Option<(u64, String)>,
    /// How long heatd took to end.
    pub(super) stopped: Duration,
    pub(super) flush: String,
    pub(super) gather: String,
}

impl Report {
    /// Faves that had to be counted: those in chat, and each message in every channel.
    fn faves_due(&self, channels: u64) -> u64 {
        self.sent.faves + self.done.messages * channels
    }

    /// The look at this share of the time.
    fn at(&self, share: f64) -> &Usage {
        &self.looks[((self.looks.len() - 1) as f64 * share) as usize]
    }

    fn hours(&self) -> f64 {
        let (first, last) = (self.at(0.0), self.at(1.0));
        (last.at - first.at).as_secs_f64() / 3600.0
    }

    /// Bytes on the disk and of the store's file in an hour, in megabytes.
    fn growth_an_hour(&self) -> (f64, f64) {
        let (first, last) = (self.at(0.0), self.at(1.0));
        let each =
            |before: u64, after: u64| after.saturating_sub(before) as f64 / 1e6 / self.hours();
        (each(first.written, last.written), each(first.store, last.store))
    }

    /// The share of the time after which growth is measured.
    fn warm(&self) -> f64 {
        (WARM_UP_S / self.took.as_secs_f64().max(1.0)).clamp(0.25, 0.75)
    }

    /// Megabytes of memory more at the end than after the warm-up, each the mean of a tenth of the looks.
    fn memory_growth(&self) -> f64 {
        let mean = |from: f64| {
            let (from, count) = ((self.looks.len() - 1) as f64 * from, self.looks.len() / 10 + 1);
            let looks = self.looks.iter().skip(from as usize).take(count);
            let memory: Vec<f64> = looks.map(|look| look.memory as f64).collect();
            memory.iter().sum::<f64>() / memory.len() as f64 / 1e6
        };
        mean(0.9) - mean(self.warm())
    }

    /// So many megabytes more there may be: a soak of less than forty minutes remembers more ids at its end than after its warm-up.
    fn allowed_growth(&self) -> f64 {
        let seconds = self.took.as_secs_f64().max(1.0);
        let more = seconds.min(REMEMBERED_S) - (seconds * self.warm()).min(REMEMBERED_S);
        MOST_GROWTH_MB + self.sent.lines as f64 / seconds * more * REMEMBERED_MB
    }

    /// The slope of memory after the warm-up in megabytes an hour: least squares.
    fn memory_slope(&self) -> f64 {
        let looks = &self.looks[(self.looks.len() as f64 * self.warm()) as usize..];
        let hours = |look: &Usage| (look.at - self.looks[0].at).as_secs_f64() / 3600.0;
        let count = looks.len() as f64;
        let mean_time = looks.iter().map(hours).sum::<f64>() / count;
        let mean_memory = looks.iter().map(|look| look.memory as f64 / 1e6).sum::<f64>() / count;
        let (mut above, mut below) = (0.0, 0.0);
        for look in looks {
            let time = hours(look) - mean_time;
            above += time * (look.memory as f64 / 1e6 - mean_memory);
            below += time * time;
        }
        if below > 0.0 { above / below } else { 0.0 }
    }

    /// Everything that is not as it has to be; nothing when the soak is passed.
    pub fn failures(&self, channels: u64) -> Vec<String> {
        let (sent, counted, faves) = (self.sent, self.counted, self.faves_due(channels));
        let mut failures = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                failures.push(what);
            }
        };
        hold(sent.lines > 0 && sent.faves > 0, "no fave was sent: it took too short".to_owned());
        let lines = format!("of {} lines {} were counted", sent.lines, counted.lines);
        hold(counted.lines == sent.lines, lines);
        hold(counted.faves == faves, format!("of {faves} faves {} were counted", counted.faves));
        hold(counted.failures == 0, format!("{} calls of rules failed", counted.failures));
        hold(self.done.refused == 0, format!("{} swaps were refused", self.done.refused));
        if let Some((due, shown)) = &self.text {
            hold(*shown == due.to_string(), format!("the text file shows {shown:?} and not {due}"));
        }
        let growth = self.memory_growth();
        hold(
            growth <= self.allowed_growth(),
            format!(
                "memory grew by {growth:.1} MB, and the limit is {:.1} MB",
                self.allowed_growth()
            ),
        );
        let (before, after) = (self.at(0.25), self.at(1.0));
        for (what, before, after) in
            [("files", before.files, after.files), ("threads", before.threads, after.threads)]
        {
            hold(after <= before + MOST_MORE, format!("{after} {what}, and {before} at the start"));
        }
        failures
    }

    /// As JSON.
    pub fn json(&self, channels: u64) -> Value {
        let faves = self.faves_due(channels);
        let (lost, doubled) =
            balance(&[(self.sent.lines, self.counted.lines), (faves, self.counted.faves)]);
        let memory = |share| self.at(share).memory as f64 / 1e6;
        let (written, store) = self.growth_an_hour();
        let (first, last) = (self.at(0.0), self.at(1.0));
        json!({
            "chat": self.chat,
            "minutes": self.took.as_secs_f64() / 60.0,
            "channels": channels,
            "flush": self.flush,
            "gather": self.gather,
            "lines": { "sent": self.sent.lines, "counted": self.counted.lines, "late_s": self.sent.late.as_secs_f64() },
            "faves": { "sent": faves, "counted": self.counted.faves },
            "lost": lost,
            "doubled": doubled,
            "duplicates_recognised": self.counted.duplicates,
            "rule_failures": self.counted.failures,
            "swaps": self.done.swaps,
            "swaps_refused": self.done.refused,
            "mqtt_messages": self.done.messages,
            "broker_restarts": self.done.restarts,
            "memory_mb": { "at_10": memory(0.1), "at_50": memory(0.5), "at_100": memory(1.0),
                "growth": self.memory_growth(), "allowed_growth": self.allowed_growth(), "slope_per_hour": self.memory_slope() },
            "disk": { "written_mb_per_hour": written, "store_mb_per_hour": store,
                "store_mb": last.store as f64 / 1e6,
                "by_heatd_mb": self.counted.written as f64 / 1e6,
                "commits": self.counted.commits, "syncs": self.counted.syncs },
            "files": { "at_10": self.at(0.1).files, "at_100": last.files },
            "threads": { "at_10": self.at(0.1).threads, "at_100": last.threads },
            "cpu_share": (last.cpu - first.cpu) / (last.at - first.at).as_secs_f64(),
            "end_s": self.stopped.as_secs_f64(),
            "failures": self.failures(channels),
        })
    }

    /// For people.
    pub fn table(&self, channels: u64) -> String {
        let all = self.json(channels);
        let number = |path: &str| all.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let minutes = number("/minutes");
        let rows = [
            (
                "lines sent, counted",
                format!("{}, {}", all["lines"]["sent"], all["lines"]["counted"]),
            ),
            (
                "lines a second; the last one late by",
                format!(
                    "{:.0}; {:.1} s",
                    number("/lines/sent") / minutes / 60.0,
                    number("/lines/late_s")
                ),
            ),
            (
                "faves sent, counted",
                format!("{}, {}", all["faves"]["sent"], all["faves"]["counted"]),
            ),
            ("lost, doubled", format!("{}, {}", all["lost"], all["doubled"])),
            ("swaps done, refused", format!("{}, {}", all["swaps"], all["swaps_refused"])),
            (
                "MQTT messages, restarts of the broker",
                format!("{}, {}", all["mqtt_messages"], all["broker_restarts"]),
            ),
            (
                "memory at 10 %, 50 %, 100 %",
                format!(
                    "{:.1}, {:.1}, {:.1} MB",
                    number("/memory_mb/at_10"),
                    number("/memory_mb/at_50"),
                    number("/memory_mb/at_100")
                ),
            ),
            (
                "growth of memory after the warm-up; slope",
                format!(
                    "{:.1} MB (limit: {:.1} MB); {:.1} MB an hour",
                    number("/memory_mb/growth"),
                    self.allowed_growth(),
                    number("/memory_mb/slope_per_hour")
                ),
            ),
            (
                "written to the disk; growth of the store",
                format!(
                    "{:.1} MB an hour; {:.1} MB an hour",
                    number("/disk/written_mb_per_hour"),
                    number("/disk/store_mb_per_hour")
                ),
            ),
            (
                "commits; bytes on the disk for each",
                format!(
                    "{}; {:.0}",
                    all["disk"]["commits"],
                    number("/disk/written_mb_per_hour") * 1e6 * self.hours()
                        / number("/disk/commits")
                ),
            ),
            (
                "open files at 10 %, 100 %",
                format!("{}, {}", all["files"]["at_10"], all["files"]["at_100"]),
            ),
            (
                "threads at 10 %, 100 %",
                format!("{}, {}", all["threads"]["at_10"], all["threads"]["at_100"]),
            ),
            ("share of a core", format!("{:.1} %", 100.0 * number("/cpu_share"))),
        ];
        let mut table = format!(
            "{channels} channels of {}, {minutes:.1} minutes, flush {}, gather {}\n\n| | |\n|---|---|\n",
            self.chat, self.flush, self.gather
        );
        for (what, value) in rows {
            table += &format!("| {what} | {value} |\n");
        }
        for failure in self.failures(channels) {
            table += &format!("\nFAILED: {failure}\n");
        }
        table
    }
}

/// How many are missing, and how many are too many.
fn balance(counts: &[(u64, u64)]) -> (u64, u64) {
    counts.iter().fold((0, 0), |(lost, doubled), (sent, counted)| {
        (lost + sent.saturating_sub(*counted), doubled + counted.saturating_sub(*sent))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A soak of an hour in 4 channels, looked at each minute, whose memory is this by the minute.
    fn report(memory: impl Fn(u64) -> u64) -> Report {
        let start = Instant::now();
        let look = |minute: u64| Usage {
            at: start + Duration::from_secs(60 * minute),
            memory: memory(minute),
            written: minute * 1_000_000,
            store: 5_000_000,
            files: 20,
            threads: 4,
            cpu: 0.0,
        };
        let sent = Sent { lines: 100, faves: 2, ..Sent::default() };
        let counted = Counted { lines: 100, faves: 10, ..Counted::default() };
        Report {
            chat: "no chat",
            took: Duration::from_secs(3600),
            sent,
            done: Done { messages: 2, ..Done::default() },
            counted,
            looks: (0..=60).map(look).collect(),
            text: Some((4, "4".to_owned())),
            stopped: Duration::ZERO,
            flush: "5s".to_owned(),
            gather: "0s".to_owned(),
        }
    }

    #[test]
    fn a_soak_that_counts_everything_once_is_passed() {
        let report = report(|_| 50_000_000);
        assert_eq!(report.failures(4), [""; 0]);
        let json = report.json(4);
        assert_eq!((&json["lost"], &json["doubled"]), (&json!(0), &json!(0)));
        assert!(
            (json["disk"]["written_mb_per_hour"].as_f64().unwrap_or_default() - 60.0).abs() < 0.01
        );
    }

    #[test]
    fn what_is_lost_doubled_or_left_open_fails_it() {
        let mut report = report(|_| 50_000_000);
        report.counted.lines = 99;
        report.counted.faves = 11;
        report.text = Some((4, "3".to_owned()));
        report.looks.last_mut().expect("looks").files = 100;
        assert_eq!(report.failures(4).len(), 4, "{:?}", report.failures(4));
        assert_eq!(balance(&[(100, 99), (10, 11)]), (1, 1));
    }

    #[test]
    fn memory_may_warm_up_and_then_not_grow() {
        let warm = report(|minute| 40_000_000 + 3_000_000 * minute.min(14));
        assert_eq!(warm.failures(4), [""; 0]);
        let growing = report(|minute| 40_000_000 + 500_000 * minute);
        assert!(growing.failures(4)[0].contains("memory grew"), "{:?}", growing.failures(4));
        assert!((growing.memory_slope() - 30.0).abs() < 0.1, "{}", growing.memory_slope());
    }
}
