//! Questions that cannot be answered are answered with the parameter and the reason; names that look like something else are names.

use anyhow::{Context, Result, ensure};

use super::ask::Call;
use super::stage::{HOSTILE, Stage, now};

/// As a browser writes it in a query.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[test]
fn a_wrong_question_is_told_what_is_wrong_and_hostile_names_are_names() -> Result<()> {
    let stage = Stage::new()?;
    stage.wait_for_sets()?;
    wrong_questions(&stage)?;
    stage.talk()?;
    hostile_names(&stage)
}

fn wrong_questions(stage: &Stage) -> Result<()> {
    let thousand_years = 1_000 * 365 * 86_400_000_u64;
    let to = now();
    let many = "of=messages&".repeat(21);
    let twelve = "of=messages&".repeat(12);
    let cases = [
        // Ranges.
        ("series?of=messages&from=5&to=3".to_owned(), 400, "`to`", "ends before it begins"),
        ("series?of=messages&from=-1".to_owned(), 400, "`from`", "no whole number"),
        (
            "series?of=messages&from=99999999999999999999".to_owned(),
            400,
            "`from`",
            "no whole number",
        ),
        ("series?of=messages&from=yesterday".to_owned(), 400, "`from`", "no whole number"),
        ("series?of=messages&from=1&from=2".to_owned(), 400, "`from`", "more than once"),
        (format!("series?of=messages&from=0&to={thousand_years}"), 400, "`from`", "4166 days"),
        (format!("series?of=messages&from=0&to={}", u64::MAX), 400, "`from`", "4166 days"),
        (
            format!("series?of=messages&from=0&to={to}&interval=1s"),
            400,
            "`interval`",
            "100000 bins",
        ),
        (format!("emotes?from=0&to={thousand_years}"), 400, "`from`", "4166 days"),
        (
            format!("emotes?from=0&to={thousand_years}&interval=1h"),
            400,
            "`interval`",
            "100000 bins",
        ),
        ("emotes?from=9&to=8".to_owned(), 400, "`to`", "ends before it begins"),
        (
            format!("series?{twelve}from={}&to={to}&interval=1s", to - 86_400_000),
            400,
            "`of`",
            "1000000 bins",
        ),
        // Intervals.
        ("series?of=messages&interval=2s".to_owned(), 400, "`interval`", "1s, 5s, 30s, 1m, 5m"),
        ("series?of=messages&interval=".to_owned(), 400, "`interval`", "1s, 5s, 30s, 1m, 5m"),
        ("live?of=messages&interval=1d".to_owned(), 400, "`interval`", "1s, 5s, 30s, 1m, 5m"),
        // Series.
        ("series".to_owned(), 400, "`of`", "name a series"),
        (format!("series?{many}"), 400, "`of`", "20 series are the most"),
        ("series?of=chatters".to_owned(), 400, "`of`", "is no series"),
        ("series?of=emote:steam:x".to_owned(), 400, "`of`", "the providers are"),
        ("series?of=emote:7tv:".to_owned(), 400, "`of`", "the providers are"),
        ("series?of=output:".to_owned(), 400, "`of`", "is no series"),
        (format!("series?of=emote:7tv:{}", "x".repeat(300)), 400, "`of`", "256 bytes"),
        ("series?of=emote:7tv:nosuch".to_owned(), 404, "`of`", "was ever used"),
        ("live?of=emote:bttv:nosuch".to_owned(), 404, "`of`", "was ever used"),
        // An emote is known for whom it is of.
        ("series?of=emote:bttv:Idle".to_owned(), 404, "`of`", "was ever used"),
        // The rest.
        ("emotes?count=0".to_owned(), 400, "`count`", "from 1 to 10000"),
        ("emotes?count=10001".to_owned(), 400, "`count`", "from 1 to 10000"),
        ("emotes?order=random".to_owned(), 400, "`order`", "most and least"),
        ("emotes?format=xml".to_owned(), 400, "`format`", "json and csv"),
        (format!("emotes?search={}", "x".repeat(257)), 400, "`search`", "256 bytes"),
        ("emotes?serach=x".to_owned(), 400, "`serach`", "no such parameter"),
        ("faves?count=many".to_owned(), 400, "`count`", "no whole number"),
        ("why?count=0".to_owned(), 400, "`count`", "from 1 to 1000"),
    ];
    for (path, status, name, why) in cases {
        let told = stage
            .get(&format!("channels/seaside/{path}"))?
            .problem(status)
            .context(path.clone())?;
        ensure!(told.contains(name) && told.contains(why), "{path}: {told}");
    }
    // Of Twitch's emotes nobody knows which there are.
    let none = stage.get("channels/seaside/series?of=emote:twitch:nosuch")?.json()?;
    ensure!(none["series"][0]["points"] == serde_json::json!([]), "{none}");
    for (path, name, why) in [
        ("audit?count=abc", "`count`", "no whole number"),
        ("audit?count=0", "`count`", "from 1 to 10000"),
        ("audit?cuont=1", "`cuont`", "no such parameter"),
        ("dead-letters?count=-1", "`count`", "no whole number"),
        ("dead-letters?slot=a&slot=b", "`slot`", "more than once"),
        ("watch?chanel=seaside", "`chanel`", "no such parameter"),
        ("export?what=everything", "`what`", "all, counts and log"),
        ("channels/seaside/why?ouput=heat", "`ouput`", "no such parameter"),
    ] {
        let told = stage.get(path)?.problem(400).context(path)?;
        ensure!(told.starts_with(&format!("the parameter {name}: ")), "{path}: {told}");
        ensure!(told.contains(why), "{path}: {told}");
    }
    for resource in ["series?of=messages", "emotes", "live?of=messages", "faves", "why"] {
        for channel in ["nowhere", "a%2Fb", "%3Cb%3E", "%27%3B--", "100%25", "%FF", "%22"] {
            let told = stage.get(&format!("channels/{channel}/{resource}"))?;
            ensure!([400, 404].contains(&told.status), "{channel}/{resource}: {told:?}");
            let told = told.problem(told.status)?;
            ensure!(told.contains("heatd has no channel") || channel == "%FF", "{channel}: {told}");
        }
    }
    Ok(())
}

fn hostile_names(stage: &Stage) -> Result<()> {
    for name in HOSTILE {
        let of = format!("emote:twitch:{name}");
        let path = format!("channels/seaside/series?of={}", encoded(&of));
        let series = stage.get(&path)?.json()?;
        ensure!(series["series"][0]["of"] == *of, "{series}");
        let points = series["series"][0]["points"].as_array().context("no points")?;
        ensure!(points.len() == 1 && points[0][1] == 1, "{series}");
        let found =
            stage.get(&format!("channels/seaside/emotes?search={}", encoded(name)))?.json()?;
        ensure!(found["emotes"].as_array().is_some_and(|it| it.len() == 1), "{found}");
        ensure!(found["emotes"][0]["name"] == *name, "{found}");
        // One that there is not, and looks so, is named in the problem as it was.
        let path = format!("channels/seaside/series?of={}", encoded(&format!("emote:7tv:{name}!")));
        let answer = stage.ask(&Call::get(&path))?;
        let told = answer.problem(404)?;
        ensure!(told.contains(&format!("{:?}", format!("{name}!"))), "{told}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    // In a table each stands in one row, and is read back.
    let table = stage.get("channels/seaside/emotes?format=csv&count=100")?;
    let rows: Vec<&str> = table.text()?.trim_end().split("\r\n").collect();
    assert_eq!(rows.len(), 1 + 4 + HOSTILE.len(), "{rows:?}");
    ensure!(rows.iter().any(|row| row.starts_with("twitch,\"\"\"quoted'\",77,1,")), "{rows:?}");
    Ok(())
}
