//! Mistakes in the configuration: refused before a socket opens, all of them, each with its line.

use std::process::Output;

use anyhow::{Result, ensure};

use crate::town::{Broker, Town, component};

/// What `heatd check` answers.
fn check(town: &Town, configuration: &str) -> Result<(Option<i32>, String)> {
    let Output { status, stdout, stderr } = town.heatd_command("check", configuration)?.output()?;
    Ok((status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()))
}

fn good(town: &Town) -> Result<String> {
    Ok(town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?)
}

#[test]
fn a_good_configuration_is_said_to_be_right() -> Result<()> {
    let town = Town::new()?;
    let (code, words) = check(&town, &good(&town)?)?;
    ensure!(code == Some(0) && words.contains("#seaside: fave (handler"), "{code:?} {words}");
    ensure!(!town.path("heat-data/heat.redb").exists(), "checking made a store");
    Ok(())
}

#[test]
fn the_commented_reference_is_a_good_configuration() -> Result<()> {
    let town = Town::new()?;
    let reference =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../host/heatd/heatd.toml"))?;
    std::fs::create_dir(town.path("rules"))?;
    for rule in ["fave", "multiplier", "decay"] {
        std::fs::copy(component("rules", rule)?, town.path(&format!("rules/{rule}.wasm")))?;
    }
    let (code, words) = check(&town, &reference)?;
    ensure!(code == Some(0), "{words}");
    // What is commented out is right as well.
    let every_line: String = reference
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("#: ").unwrap_or(line)))
        .collect();
    ensure!(every_line != reference);
    std::fs::write(town.path("writer.password"), "secret\n")?;
    std::fs::write(town.path("twitch.secret"), "secret\n")?;
    let (code, words) = check(&town, &every_line)?;
    ensure!(code == Some(0), "{words}");
    Ok(())
}

#[test]
fn every_mistake_is_named_with_its_line_and_a_suggestion() -> Result<()> {
    let town = Town::new()?;
    let good = good(&town)?;
    let (fave, decay) = (component("rules", "fave")?, component("rules", "decay")?);
    let rule = format!("[[rule]]\nfile = {fave:?}\n");
    let publisher = component("guests", "publisher")?;
    let cases = [
        (
            good.replace("channels =", "chanels ="),
            vec!["heatd.toml:3: unknown key `chanels` in [twitch]", "did you mean `channels`?"],
        ),
        (
            good.replace("tls = false", "tls = 1"),
            vec!["heatd.toml:5: `tls` must be true or false, and is an integer"],
        ),
        (
            good.replace("[\"seaside\"]", "[\"sea side\"]"),
            vec!["heatd.toml:3: \"sea side\" is no channel"],
        ),
        (
            good.replace("ping = \"1s\"", "ping = \"soon\""),
            vec!["heatd.toml:6:", "is no length of time; write"],
        ),
        (
            good.replace(
                "ping = \"1s\"",
                "ping = \"1s\"\nclient_id = \"a b\"\n[[twitch.account]]\nchannel = \"harbour\"\nfeatures = [\"folows\"]\n\
                 [[twitch.account]]\nbot = \"harbour\"\nfeatures = [\"say\", \"say\", \"follows\"]\n[[twitch.account]]\nfeatures = []",
            ),
            vec![
                "heatd.toml:7: \"a b\" is no client id",
                "heatd.toml:9: the channel \"harbour\" is not in [twitch] channels",
                "heatd.toml:10: there is no feature \"folows\"",
                "heatd.toml:12: the account \"harbour\" stands here twice",
                "heatd.toml:13: the feature \"say\" stands here twice",
                "`follows` needs the account of the channel itself, not a bot",
                "an account is that of a `channel`, or that of a `bot`",
            ],
        ),
        (
            good.replace("listen = \"127.0.0.1:", "listen = \"0.0.0.0:"),
            vec![
                "`listen` must be a loopback address",
                "a broker without users may listen on loopback only",
            ],
        ),
        (
            good.clone() + "[[rule]]\nfile = \"missing.wasm\"\n",
            vec!["missing.wasm, is refused: the file cannot be read", "skip_broken_rules = true"],
        ),
        (format!("{good}{rule}"), vec!["there are two rules in slot `fave`"]),
        (
            good.replace("half_life", "half_live"),
            vec!["setting `half_live`: the rule has no such setting", "did you mean `half_life`?"],
        ),
        (good.replace("\"0s\"", "7"), vec!["setting `half_life`: it must be a length of time"]),
        (
            good.clone() + "[mqtt.broker]\nhost = \"x\"\n",
            vec!["there are both [mqtt.embedded] and [mqtt.broker]"],
        ),
        (
            good.clone()
                + &format!(
                    "[[rule]]\nslot = \"other\"\nfile = {decay:?}\nchannels = [\"seasid\"]\n"
                ),
            vec!["the channel \"seasid\" is not in [twitch] channels", "did you mean \"seaside\"?"],
        ),
        (
            good.clone() + "[stream]\ntopic = \"a/#\"\nsilence = \"1s\"\n",
            vec!["+ and # belong to filters", "`silence` must be \"0s\" for never"],
        ),
        (
            good.clone()
                + &format!(
                    "[[rule]]\nfile = {publisher:?}\npublish = [\"lights/#/on\"]\nmemory = \"64 MB\"\n"
                ),
            vec![
                "no MQTT topic filter: + and # stand for whole levels",
                "write publish = [\"lights/#\"]",
                "`memory` must be from 1 to 128 MiB",
                "write memory = \"64 MiB\"",
            ],
        ),
        (
            good.clone()
                + &format!(
                    "[[rule]]\nfile = {publisher:?}\npublish = [\"$SYS/#\"]\nmemory = \"129 MiB\"\n"
                ),
            vec!["\"$SYS/#\" cannot be granted", "`memory` must be from 1 to 128 MiB"],
        ),
        (
            good.clone() + &format!("[[rule]]\nslot = \"heatd\"\nfile = {decay:?}\n"),
            vec!["the slot `heatd` is heatd's own"],
        ),
        (
            good.clone() + &format!("[[rule]]\nfile = {publisher:?}\nsettings.must_say = true\n"),
            vec!["it says lines in chat, and no account speaks in #seaside"],
        ),
        (
            with(&good, "[mqtt.embedded.anonymous]\n"),
            vec!["[mqtt.embedded.anonymous] allows nothing", "leave the table out"],
        ),
        (
            with(&good, "[mqtt.embedded.anonymous]\nwrite = [\"new-heat\", \"heat/#\"]\n"),
            vec!["\"heat/#\" lets anybody forge heatd's own outputs, below heat/v1/"],
        ),
        (
            with(&good, "[mqtt.embedded.anonymous]\nreads = [\"a\"]\nwrite = [\"a+\"]\n"),
            vec!["unknown key `reads`", "did you mean `read`?", "\"a+\" is no MQTT topic filter"],
        ),
        (
            good.replace(
                "[http]\n",
                "[http]\nnames = [\"https://heat.example.org\"]\nrequest_timeout = \"1h\"\n",
            ),
            vec![
                "\"https://heat.example.org\" is no name of a machine",
                "without https://",
                "`request_timeout` must be",
            ],
        ),
        (
            good.replace("providers = []", "providers = [\"7tvv\", \"ffz\", \"ffz\"]\nrefresh = \"1ms\""),
            vec![
                "\"7tvv\" is no provider of emotes",
                "did you mean \"7tv\"?",
                "the provider \"ffz\" stands here twice",
                "`refresh` must be from 100 to",
            ],
        ),
        (
            good.replace(
                "providers = []",
                "bttv = \"ftp://x\"\nffz = \"https://x/?a=b\"\nseventv_events = \"https://x\"\nbttvv = 1",
            ),
            vec![
                "`bttv` must be an address such as \"https://host/path\"",
                "`ffz` must be an address",
                "`seventv_events` must be an address such as \"wss://",
                "unknown key `bttvv` in [emotes]",
            ],
        ),
        (good.replace("[twitch]", "[twitch"), vec!["heatd.toml:2:"]),
        (good.replace("log = \"info,heatd=debug\"", "log = \"heatd=loud\""), vec!["`log`"]),
        (good.replace("log = \"info,heatd=debug\"", "log = \"infp\""), vec!["\"infp\" is no level"]),
        (
            good.replace("[[rule]]", "[series.kept]\n1s = \"3d\"\n1h = \"1d\"\n[[rule]]"),
            vec![
                "bins of 1h would be kept for less long (\"1d\") than the finer ones of 1s (\"3d\")",
                "write 1h = \"3d\" or longer",
            ],
        ),
        (String::new(), vec!["there is no [twitch]", "there is no [[rule]]"]),
    ];
    for (configuration, expected) in cases {
        let (code, words) = check(&town, &configuration)?;
        ensure!(code == Some(64), "code {code:?}: {words}\n{configuration}");
        for part in expected {
            ensure!(words.contains(part), "{part:?} is not in:\n{words}");
        }
    }
    Ok(())
}

/// Puts a table below [mqtt.embedded].
fn with(good: &str, table: &str) -> String {
    good.replacen("[[rule]]", &format!("{table}[[rule]]"), 1)
}

#[test]
fn the_network_may_come_in_without_a_password_where_topics_are_named() -> Result<()> {
    let town = Town::new()?;
    let (here, everywhere) = (format!("127.0.0.1:{}", town.mqtt), format!("0.0.0.0:{}", town.mqtt));
    let open = good(&town)?.replace(&here, &everywhere);
    let (code, words) = check(&town, &open)?;
    ensure!(code == Some(64) && words.contains("or [mqtt.embedded.anonymous]"), "{words}");
    let named = with(&open, "[mqtt.embedded.anonymous]\nread = [\"update-heat\"]\n");
    let (code, words) = check(&town, &named)?;
    ensure!(code == Some(0), "{words}");
    Ok(())
}

#[test]
fn the_examples_to_deploy_are_good_configurations_with_and_without_what_is_optional() -> Result<()>
{
    let town = Town::new()?;
    std::fs::create_dir(town.path("rules"))?;
    for rule in ["song-faves", "song-heat"] {
        std::fs::copy(component("rules", rule)?, town.path(&format!("rules/{rule}.wasm")))?;
    }
    std::fs::write(town.path("writer.password"), "secret\n")?;
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/examples/original.toml");
    let example = std::fs::read_to_string(example)?;
    let optional = example.replace("\n#: ", "\n");
    // With the old broker: its table instead of the embedded one's.
    let (from, to) = (example.find("[mqtt.embedded]"), example.find("[[rule]]"));
    let (Some(from), Some(to)) = (from, to) else { anyhow::bail!("the example is another") };
    let elsewhere = example[from..to].lines().filter_map(|line| line.strip_prefix("#   "));
    let elsewhere: String = elsewhere.map(|line| format!("{line}\n")).collect();
    ensure!(optional != example && elsewhere.contains("[mqtt.broker]"));
    let elsewhere = [&example[..from], &elsewhere, &example[to..]].concat();
    for configuration in [example, optional, elsewhere] {
        let (code, words) = check(&town, &configuration)?;
        ensure!(
            code == Some(0) && words.contains("song-faves (handler"),
            "{words}\n{configuration}"
        );
    }
    Ok(())
}

#[test]
fn several_mistakes_are_named_at_once() -> Result<()> {
    let town = Town::new()?;
    let bad = good(&town)?.replace("tls =", "tsl =").replace("ping =", "pong =");
    // What rules have to say is among them, all of it.
    let bad = bad.replace("settings.half_life = \"0s\"", "settings = { half_life = 3, capp = 1 }");
    let (code, words) = check(&town, &bad)?;
    ensure!(code == Some(64), "{words}");
    for part in [
        "heatd.toml:5:",
        "heatd.toml:6:",
        "setting `half_life`: it must be a length of time",
        "setting `capp`: the rule has no such setting",
    ] {
        ensure!(words.contains(part), "{part:?} is not in:\n{words}");
    }
    Ok(())
}

#[test]
fn running_with_a_mistake_opens_nothing() -> Result<()> {
    let town = Town::new()?;
    let mut heatd = town.heatd(&good(&town)?.replace("tls =", "tsl ="))?;
    assert_eq!(heatd.wait()?.code(), Some(64));
    ensure!(town.chat.connections_made() == 0 && !town.path("heat-data/heat.redb").exists());
    Ok(())
}

#[test]
fn a_broken_component_stops_the_start_or_is_left_out_as_configured() -> Result<()> {
    let town = Town::new()?;
    let whole = std::fs::read(component("rules", "decay")?)?;
    let liar = std::fs::read(component("guests", "liar")?)?;
    let broken: [(&str, &[u8], &str); 4] = [
        ("truncated", &whole[..whole.len() / 2], "not a WebAssembly component"),
        ("text", b"hello", "not a WebAssembly component"),
        ("module", b"\0asm\x01\0\0\0", "core module"),
        ("liar", &liar, "does not describe itself"),
    ];
    for (name, bytes, reason) in broken {
        std::fs::write(town.path(&format!("{name}.wasm")), bytes)?;
        let configuration = good(&town)? + &format!("[[rule]]\nfile = \"{name}.wasm\"\n");
        let (code, words) = check(&town, &configuration)?;
        ensure!(
            code == Some(64) && words.contains(reason) && words.contains(&format!("slot `{name}`")),
            "{words}"
        );
        let heatd = town.heatd(&format!("skip_broken_rules = true\n{configuration}"))?;
        heatd.wait_for_line(|line| line.contains("rule left out") && line.contains(reason))?;
        heatd.wait_for_line(|line| line.contains("chat connected"))?;
    }
    Ok(())
}

#[test]
fn a_second_heatd_on_the_same_store_is_refused() -> Result<()> {
    let town = Town::new()?;
    let first = town.heatd(&good(&town)?)?;
    first.wait_for_line(|line| line.contains("chat connected"))?;
    let mut second = town.heatd(&good(&town)?)?;
    second.wait_for_line(|line| line.contains("in use by another heatd"))?;
    assert_eq!(second.wait()?.code(), Some(1));
    Ok(())
}

#[test]
fn a_start_that_has_to_compile_rules_says_so_at_once_and_no_other_does() -> Result<()> {
    let town = Town::new()?;
    for compiles in [true, false] {
        let mut heatd = town.heatd(&good(&town)?)?;
        heatd.wait_for_line(|line| line.contains("rule loaded"))?;
        let lines = heatd.lines();
        let place = |words: &str| lines.iter().position(|line| line.contains(words));
        let (said, loaded) = (place("compiling a rule"), place("rule loaded"));
        ensure!(said.is_some() == compiles && (!compiles || said < loaded), "{lines:?}");
        heatd.wait_for_line(|line| line.contains("chat connected"))?;
        ensure!(heatd.terminate()?.success());
    }
    Ok(())
}

#[test]
fn a_start_waits_while_the_clock_is_behind_the_store() -> Result<()> {
    let town = Town::new()?;
    std::fs::create_dir(town.path("heat-data"))?;
    let hour_ahead = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis()
        as u64
        + 3_600_000;
    write_event_at(&town, hour_ahead)?;
    let mut heatd = town.heatd(&good(&town)?)?;
    heatd.wait_for_line(|line| line.contains("the clock is behind the store"))?;
    ensure!(town.chat.connections_made() == 0, "chat was read by a clock that is wrong");
    ensure!(heatd.terminate()?.success());
    Ok(())
}

/// Leaves a store whose newest record is of this time.
fn write_event_at(town: &Town, at: u64) -> Result<()> {
    use heat_engine::wit::{Event, Happening};
    let store = heat_engine::Store::open(&town.path("heat-data/heat.redb"))?;
    let sandbox = std::sync::Arc::new(heat_engine::Sandbox::new(None)?);
    let chain = heat_engine::Chain { channel: "seaside".to_owned(), rules: Vec::new() };
    let mut engine = heat_engine::Engine::open(sandbox, store, vec![chain], at)?;
    let what = Happening::StreamStart;
    engine.handle(at, Event { id: "ahead".to_owned(), channel: "seaside".to_owned(), at, what })?;
    engine.commit()?;
    Ok(())
}
