//! What the resources of series are asked for: a range, an interval, a choice of series. Every mistake names its parameter.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use form_urlencoded::parse;
use heat_engine::{Provider, Range, Resolution, What};

use super::problem::Problem;
use crate::clock::now;
use crate::config::Retention;

/// The most bins of one series in an answer.
pub(super) const MOST_BINS: u64 = 100_000;

/// The most bins of all series of an answer together: an answer has to fit into the memory of a Raspberry Pi.
pub(super) const MOST_TOGETHER: u64 = 1_000_000;

/// The most series in an answer.
pub(super) const MOST_SERIES: usize = 20;

/// The longest name of an emote or an output that is looked for, in bytes.
pub(super) const LONGEST_NAME: usize = 256;

/// The range when nobody names one, in milliseconds.
const USUAL: u64 = 2 * 3_600_000;

/// A query as it was asked, parameter by parameter. Each is taken once; `end` refuses the rest.
pub(super) struct Asked {
    pairs: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn of(query: Option<&str>) -> Self {
        let pairs = parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        Self { pairs }
    }

    /// All values of a parameter, in order.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        let (mine, others) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(key, _)| key == name);
        self.pairs = others;
        let mine: Vec<(String, String)> = mine;
        mine.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of a parameter that may stand once.
    pub(super) fn one(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut all = self.all(name);
        match all.len() {
            0 | 1 => Ok(all.pop()),
            _ => Err(wrong(name, "it stands there more than once")),
        }
    }

    /// Whether a parameter is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let number = text.parse();
        number.map(Some).map_err(|_| wrong(name, &format!("{text:?} is no whole number")))
    }

    /// A whole number within bounds, or what stands in for it.
    pub(super) fn count(
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
    pub(super) fn range(&mut self) -> Result<Range, Problem> {
        let to = self.number("to")?;
        let from = self.number("from")?;
        let to = to.unwrap_or_else(|| from.map_or_else(now, |from| now().max(from)));
        let from = from.unwrap_or_else(|| to.saturating_sub(USUAL));
        if from > to {
            return Err(wrong("to", "the range ends before it begins; `from` comes first"));
        }
        Ok(Range { from, to })
    }

    /// `interval`, so wide by default that the range has a few hundred bins. Refused when it would have too many.
    pub(super) fn interval(
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
    pub(super) fn series(&mut self) -> Result<Vec<What>, Problem> {
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

    /// Which of these a parameter is, the first when nobody names one.
    pub(super) fn choice<const N: usize>(
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

    /// A part of a name that is looked for, in lower case.
    pub(super) fn search(&mut self) -> Result<Option<String>, Problem> {
        match self.one("search")? {
            Some(text) if text.len() > LONGEST_NAME => {
                Err(wrong("search", &format!("a name has at most {LONGEST_NAME} bytes")))
            }
            text => Ok(text.map(|text| text.to_lowercase())),
        }
    }

    /// Refuses what nobody has asked for: a parameter that is misspelt would be ignored.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(wrong(name, "this resource has no such parameter")),
        }
    }
}

/// What a query is read as. axum's own words begin with the name of the parameter.
pub(super) fn read<V>(query: Result<Query<V>, QueryRejection>) -> Result<V, Problem> {
    let error = match query {
        Ok(Query(asked)) => return Ok(asked),
        Err(error) => error.body_text(),
    };
    let words = error.strip_prefix("Failed to deserialize query string: ").unwrap_or(&error);
    match words.split_once(": ") {
        Some((name, why)) => Err(wrong(name, why)),
        None => Err(Problem::new(StatusCode::BAD_REQUEST, words)),
    }
}

/// Refuses so many series that the answer would be too large.
pub(super) fn check_size(series: usize, interval: Resolution, range: Range) -> Result<(), Problem> {
    let bins = (range.to - range.from) / interval.width();
    if bins.saturating_mul(series as u64) <= MOST_TOGETHER {
        return Ok(());
    }
    let why = format!(
        "{series} series of {bins} bins are too many: {MOST_TOGETHER} bins are the most of all series together; ask for a wider interval, a shorter range or fewer series"
    );
    Err(wrong("of", &why))
}

/// The series that a name stands for.
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

/// How a provider is written.
pub(super) fn provider_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Twitch => "twitch",
        Provider::FrankerFaceZ => "ffz",
        Provider::BetterTtv => "bttv",
        Provider::SevenTv => "7tv",
    }
}

fn provider_of(name: &str) -> Option<Provider> {
    let all = [Provider::Twitch, Provider::FrankerFaceZ, Provider::BetterTtv, Provider::SevenTv];
    all.into_iter().find(|provider| provider_name(*provider) == name)
}

/// How a series is written.
pub(super) fn name_of(what: &What) -> String {
    match what {
        What::Messages => "messages".to_owned(),
        What::Faves => "faves".to_owned(),
        What::Output(name) => format!("output:{name}"),
        What::Emote(provider, name) => format!("emote:{}:{name}", provider_name(*provider)),
    }
}

/// A parameter that cannot be taken.
pub(super) fn wrong(name: &str, why: &str) -> Problem {
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
        let order = |query| Asked::of(Some(query)).choice("order", ["most", "least", "odd"]);
        assert_eq!(order("order=least").unwrap(), "least");
        assert_eq!(order("").unwrap(), "most");
        let why = refusal(order("order=%3Cb%3E"));
        assert!(why.contains("`order`") && why.contains("there are most, least and odd"), "{why}");
        let long = format!("search={}", "x".repeat(257));
        assert!(refusal(Asked::of(Some(&long)).search()).contains("`search`"));
        assert_eq!(Asked::of(Some("search=%27%3B")).search().unwrap().unwrap(), "';");
    }

    #[test]
    fn a_range_that_cannot_be_is_refused_by_its_parameter() {
        let range = |query| Asked::of(Some(query)).range();
        assert!(refusal(range("from=5&to=3")).contains("`to`"));
        assert!(refusal(range("from=-1")).contains("`from`"));
        assert!(refusal(range("from=1&from=2")).contains("`from`"));
        assert_eq!(range("from=5&to=8").unwrap(), Range { from: 5, to: 8 });
        let long = Range { from: 0, to: 1_000 * 365 * 86_400_000 };
        assert!(
            refusal(Asked::of(Some("interval=1s")).interval(long, &Retention::default()))
                .contains("`interval`")
        );
        assert!(
            refusal(Asked::of(Some("interval=2s")).interval(long, &Retention::default()))
                .contains("`interval`")
        );
        let usual = |from| {
            Asked::of(None)
                .interval(Range { from, to: from + 7_200_000 }, &Retention::default())
                .unwrap()
        };
        assert_eq!(usual(now()), Resolution::HalfMinute);
        // What was finer is gone.
        assert_eq!(usual(now() - 20 * 86_400_000), Resolution::Minute);
        assert_eq!(usual(0), Resolution::Hour);
        assert!(refusal(Asked::of(Some("intervall=1s")).end()).contains("`intervall`"));
        let thousand_years = refusal(Asked::of(None).interval(long, &Retention::default()));
        assert!(thousand_years.contains("`from`") && thousand_years.contains("4166 days"));
        let day = Range { from: 0, to: 86_400_000 };
        assert!(check_size(11, Resolution::Second, day).is_ok());
        assert!(refusal(check_size(12, Resolution::Second, day)).contains("`of`"));
        assert!(check_size(20, Resolution::FiveSeconds, day).is_ok());
    }
}
