//! Reads the query of an address, strictly: every mistake is answered with the name of the parameter. Also reads what resources of series have in
//! common: a range, an interval, a choice of series.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use form_urlencoded::parse;
use heat_engine::{Provider, Range, Resolution, What};

use crate::clock::now;
use crate::config::Retention;
use crate::http::form::problem::Problem;

/// The most bins of one series in an answer.
pub(crate) const MOST_BINS: u64 = 100_000;

/// The most bins of all series of an answer together: an answer has to fit into the memory of a Raspberry Pi.
pub(crate) const MOST_TOGETHER: u64 = 1_000_000;

/// The most series in an answer.
pub(crate) const MOST_SERIES: usize = 20;

/// The longest name of an emote or an output in a query, in bytes.
pub(crate) const LONGEST_NAME: usize = 256;

/// The default length of a range, in milliseconds.
const USUAL: u64 = 2 * 3_600_000;

/// A query, parameter by parameter. Each is taken once, and `end` refuses what is left: so a parameter that is misspelt is never ignored.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query()))
    }
}

impl Query {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let pairs = parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        Self { pairs }
    }

    /// All values of a parameter, in order.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let (mine, others) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(key, _)| key == name);
        self.pairs = others;
        let mine: Vec<(String, String)> = mine;
        mine.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of a parameter that may be there once.
    pub(crate) fn one(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut all = self.all(name);
        match all.len() {
            0 | 1 => Ok(all.pop()),
            _ => Err(wrong(name, "it stands there more than once")),
        }
    }

    /// Whether a parameter is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let number = text.parse();
        number.map(Some).map_err(|_| wrong(name, &format!("{text:?} is no whole number")))
    }

    /// A login of a channel, without `#` and in lower case.
    pub(crate) fn channel(&mut self) -> Result<Option<String>, Problem> {
        Ok(self.one("channel")?.map(|it| login_of(&it)))
    }

    /// A whole number from 1 to `most`; `usual` where the parameter is missing.
    pub(crate) fn count(
        &mut self,
        name: &str,
        usual: usize,
        most: usize,
    ) -> Result<usize, Problem> {
        match self.number(name)? {
            None => Ok(usual),
            Some(number) => match usize::try_from(number) {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(wrong(name, &format!("it must be from 1 to {most}"))),
            },
        }
    }

    /// `from` and `to`, in milliseconds since 1970; by default the last two hours.
    pub(crate) fn range(&mut self) -> Result<Range, Problem> {
        let to = self.number("to")?;
        let from = self.number("from")?;
        let to = to.unwrap_or_else(|| from.map_or_else(now, |from| now().max(from)));
        let from = from.unwrap_or_else(|| to.saturating_sub(USUAL));
        if from > to {
            return Err(wrong("to", "the range ends before it begins; `from` comes first"));
        }
        Ok(Range { from, to })
    }

    /// `interval`. By default the finest one that gives at most a thousand bins and is still kept. Refused if the range would have too many bins.
    pub(crate) fn interval(
        &mut self,
        range: Range,
        kept: &Retention,
    ) -> Result<Resolution, Problem> {
        let long = range.to - range.from;
        let Some(name) = self.one("interval")? else {
            let (hour, most) = (Resolution::Hour.width(), MOST_BINS);
            if long / hour > most {
                return Err(wrong("from", &format!("a range has at most {} days", most / 24)));
            }
            let age = now().saturating_sub(range.from);
            let fits = |it: &Resolution| long / it.width() <= 1_000 && age < kept.of(*it);
            return Ok(Resolution::ALL.into_iter().find(fits).unwrap_or(Resolution::Hour));
        };
        let interval: Resolution = name.parse().map_err(|problem: String| {
            wrong("interval", &format!("{name:?} is none; {problem}"))
        })?;
        if long / interval.width() > MOST_BINS {
            let why = format!(
                "{MOST_BINS} bins are the most of an answer; ask for a wider interval or a shorter range"
            );
            return Err(wrong("interval", &why));
        }
        Ok(interval)
    }

    /// The series: `of=messages`, `of=faves`, `of=output:heat`, `of=emote:twitch:Kappa`, as often as there are graphs.
    pub(crate) fn series(&mut self) -> Result<Vec<What>, Problem> {
        let all = self.all("of");
        if all.is_empty() {
            return Err(wrong(
                "of",
                "name a series: messages, faves, output:NAME or emote:PROVIDER:NAME",
            ));
        }
        if all.len() > MOST_SERIES {
            return Err(wrong("of", &format!("{MOST_SERIES} series are the most of an answer")));
        }
        all.iter().map(|name| what(name)).collect()
    }

    /// One of these values; the first by default.
    pub(crate) fn choice<const N: usize>(
        &mut self,
        name: &str,
        choices: [&'static str; N],
    ) -> Result<&'static str, Problem> {
        let Some(wanted) = self.one(name)? else { return Ok(choices[0]) };
        let found = choices.into_iter().find(|choice| *choice == wanted);
        let (last, others) = choices.split_last().unwrap_or((&"none", &[]));
        let there_are = format!("{} and {last}", others.join(", "));
        found.ok_or_else(|| wrong(name, &format!("{wanted:?} is none; there are {there_are}")))
    }

    /// `search`: part of a name, in lower case.
    pub(crate) fn search(&mut self) -> Result<Option<String>, Problem> {
        match self.one("search")? {
            Some(text) if text.len() > LONGEST_NAME => {
                Err(wrong("search", &format!("a name has at most {LONGEST_NAME} bytes")))
            }
            text => Ok(text.map(|text| text.to_lowercase())),
        }
    }

    /// Refuses parameters that the resource does not have.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(wrong(name, "this resource has no such parameter")),
        }
    }
}

/// The login of a channel, however it was written.
pub(crate) fn login_of(written: &str) -> String {
    written.trim_start_matches('#').to_lowercase()
}

/// Refuses series that together have too many bins for one answer.
pub(crate) fn check_size(series: usize, interval: Resolution, range: Range) -> Result<(), Problem> {
    let bins = (range.to - range.from) / interval.width();
    if bins.saturating_mul(series as u64) <= MOST_TOGETHER {
        return Ok(());
    }
    let why = format!(
        "{series} series of {bins} bins are too many: {MOST_TOGETHER} bins are the most of all series together; ask for a wider interval, a shorter range or fewer series"
    );
    Err(wrong("of", &why))
}

/// The range, widened to whole bins.
pub(crate) fn whole(range: Range, interval: Resolution) -> Range {
    let width = interval.width();
    Range { from: interval.bin(range.from), to: range.to.div_ceil(width).saturating_mul(width) }
}

/// The series with a name.
fn what(name: &str) -> Result<What, Problem> {
    if name.len() > LONGEST_NAME {
        return Err(wrong("of", &format!("a name has at most {LONGEST_NAME} bytes")));
    }
    match name.split_once(':') {
        None if name == "messages" => Ok(What::Messages),
        None if name == "faves" => Ok(What::Faves),
        Some(("output", output)) if !output.is_empty() => Ok(What::Output(output.to_owned())),
        Some(("emote", rest)) => {
            let found = rest.split_once(':');
            let found = found.and_then(|(provider, name)| Some((provider_of(provider)?, name)));
            let found = found.filter(|(_, name)| !name.is_empty());
            let (provider, name) = found.ok_or_else(|| {
                wrong("of", "an emote is written emote:PROVIDER:NAME; the providers are twitch, ffz, bttv and 7tv")
            })?;
            Ok(What::Emote(provider, name.to_owned()))
        }
        _ => Err(wrong(
            "of",
            &format!(
                "{name:?} is no series: there are messages, faves, output:NAME and emote:PROVIDER:NAME"
            ),
        )),
    }
}

fn provider_of(name: &str) -> Option<Provider> {
    Provider::ALL.into_iter().find(|provider| provider.name() == name)
}

/// The name of a series, as in `of`.
pub(crate) fn name_of(what: &What) -> String {
    match what {
        What::Messages => "messages".to_owned(),
        What::Faves => "faves".to_owned(),
        What::Output(name) => format!("output:{name}"),
        What::Emote(provider, name) => format!("emote:{}:{name}", provider.name()),
    }
}

/// The problem of a parameter that has a wrong value.
pub(crate) fn wrong(name: &str, why: &str) -> Problem {
    Problem::of_parameter(StatusCode::BAD_REQUEST, name, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<V>(answer: Result<V, Problem>) -> String {
        match answer {
            Ok(_) => panic!("it was taken"),
            Err(problem) => format!("{problem:?}"),
        }
    }

    #[test]
    fn names_come_back_as_they_were_whatever_is_in_them() {
        for name in
            ["messages", "faves", "output:heat", "emote:7tv:a/b%:\"<b>'; DROP", "emote:twitch::)"]
        {
            assert_eq!(name_of(&what(name).unwrap()), name);
        }
        for name in [
            "",
            "emote",
            "emote:7tv",
            "emote:steam:x",
            "emote:7tv:",
            "output:",
            "Messages",
            "emotes:7tv:x",
        ] {
            assert!(refusal(what(name)).contains("`of`"), "{name}");
        }
    }

    #[test]
    fn choices_and_searches_are_refused_by_their_parameter() {
        let order = |query| Query::of(Some(query)).choice("order", ["most", "least", "odd"]);
        assert_eq!(order("order=least").unwrap(), "least");
        assert_eq!(order("").unwrap(), "most");
        let why = refusal(order("order=%3Cb%3E"));
        assert!(why.contains("`order`") && why.contains("there are most, least and odd"), "{why}");
        let long = format!("search={}", "x".repeat(257));
        assert!(refusal(Query::of(Some(&long)).search()).contains("`search`"));
        assert_eq!(Query::of(Some("search=%27%3B")).search().unwrap().unwrap(), "';");
    }

    #[test]
    fn a_range_that_cannot_be_is_refused_by_its_parameter() {
        let range = |query| Query::of(Some(query)).range();
        assert!(refusal(range("from=5&to=3")).contains("`to`"));
        assert!(refusal(range("from=-1")).contains("`from`"));
        assert!(refusal(range("from=1&from=2")).contains("`from`"));
        assert_eq!(range("from=5&to=8").unwrap(), Range { from: 5, to: 8 });
        let long = Range { from: 0, to: 1_000 * 365 * 86_400_000 };
        assert!(
            refusal(Query::of(Some("interval=1s")).interval(long, &Retention::default()))
                .contains("`interval`")
        );
        assert!(
            refusal(Query::of(Some("interval=2s")).interval(long, &Retention::default()))
                .contains("`interval`")
        );
        let usual = |from| {
            Query::of(None)
                .interval(Range { from, to: from + 7_200_000 }, &Retention::default())
                .unwrap()
        };
        assert_eq!(usual(now()), Resolution::HalfMinute);
        // Finer bins are kept no longer.
        assert_eq!(usual(now() - 20 * 86_400_000), Resolution::Minute);
        assert_eq!(usual(0), Resolution::Hour);
        assert!(refusal(Query::of(Some("intervall=1s")).end()).contains("`intervall`"));
        let thousand_years = refusal(Query::of(None).interval(long, &Retention::default()));
        assert!(thousand_years.contains("`from`") && thousand_years.contains("4166 days"));
        let day = Range { from: 0, to: 86_400_000 };
        assert!(check_size(11, Resolution::Second, day).is_ok());
        assert!(refusal(check_size(12, Resolution::Second, day)).contains("`of`"));
        assert!(check_size(20, Resolution::FiveSeconds, day).is_ok());
    }

    #[test]
    fn a_range_is_made_of_whole_bins() {
        let range = whole(Range { from: 61_500, to: 119_001 }, Resolution::Minute);
        assert_eq!(range, Range { from: 60_000, to: 120_000 });
        let end = whole(Range { from: 0, to: u64::MAX }, Resolution::Hour);
        assert_eq!(end.to, u64::MAX);
    }
}
