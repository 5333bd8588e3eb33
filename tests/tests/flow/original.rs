//! The protocol of the original Heat Level: programs that know nothing else do not notice that heatd has taken over.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binary};

use crate::client::answer;
use crate::town::{Broker, Town, component};

/// A Python with paho-mqtt, running one of the original's programs.
fn original(program: &str, arguments: &[&str]) -> Result<Program> {
    let target = binary("heatd")?.ancestors().nth(2).context("no target folder")?.to_owned();
    let python = target.join("python/bin/python");
    ensure!(python.is_file(), "there is no {}; `cargo xtask test` makes it", python.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/original").join(program);
    let mut command = Command::new(python);
    command.arg(script).args(arguments).env("PYTHONUTF8", "1");
    Program::start(command)
}

/// A client without a name, as old as MQTT 3.1.1, that prints what it gets on a topic.
struct Ear(Program);

impl Ear {
    fn at(port: u16, filter: &str) -> Result<Self> {
        // Into a pipe it prints its own words late, were it not for stdbuf.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub"]).args(old_client(port));
        command.args(["-d", "-q", "1", "-F", "message %r %q %p", "-t", filter]);
        let ear = Self(Program::start(command)?);
        ear.0.wait_for_line(|line| line.starts_with("Subscribed"))?;
        Ok(ear)
    }

    /// Retained or not, QoS and payload of each message.
    fn messages(&self) -> Vec<String> {
        let lines = self.0.lines();
        lines.iter().filter_map(|line| line.strip_prefix("message ")).map(str::to_owned).collect()
    }

    fn wait_for(&self, count: usize) -> Result<Vec<String>> {
        eventually(format!("{count} messages"), || {
            let messages = self.messages();
            let seen = format!("{}, the last {:?}", messages.len(), messages.last());
            if messages.len() >= count { Ok(messages) } else { Err(seen) }
        })
    }
}

fn old_client(port: u16) -> [String; 6] {
    ["-V", "mqttv311", "-h", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned)
}

/// Sends messages one by one over one connection, without a name.
fn send(port: u16, topic: &str, lines: &str) -> Result<()> {
    let mut command = Command::new("mosquitto_pub");
    command.args(old_client(port)).args(["-q", "0", "-t", topic, "-l"]);
    heat_tests::processes::run(command, lines.as_bytes())?;
    Ok(())
}

/// The example configuration, in this town: its ports, its chat, the rules that were built.
fn example(town: &Town, broker: &Broker) -> Result<String> {
    let text = std::fs::read_to_string(deploy().join("original.toml"))?;
    let from_rules = text.find("[[rule]]").context("the example has no rules")?;
    std::fs::create_dir_all(town.path("rules"))?;
    for rule in ["song-faves", "song-heat"] {
        std::fs::copy(component("rules", rule)?, town.path(&format!("rules/{rule}.wasm")))?;
    }
    let open = match broker {
        Broker::Embedded(_) => {
            let from = text.find("[mqtt.embedded.anonymous]").context("nobody may do anything")?;
            let table = &text[from..];
            &table[..table.find("\n\n").unwrap_or(table.len()) + 1]
        }
        Broker::At(_) => "",
    };
    Ok(town.head(&["seasidefm"], broker) + open + &text[from_rules..])
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples")
}

/// A town with heatd in the middle, and the old bot.
struct Radio {
    town: Town,
    port: u16,
    heatd: Program,
    bot: Program,
    _broker: Option<Mosquitto>,
}

impl Radio {
    fn start(own_broker: bool, extra: &str) -> Result<Self> {
        let town = Town::new()?;
        let mosquitto = if own_broker { None } else { Some(Mosquitto::start()?) };
        let port = mosquitto.as_ref().map_or(town.mqtt, Mosquitto::port);
        let broker = if own_broker { Broker::Embedded(port) } else { Broker::At(port) };
        let configuration = example(&town, &broker)?;
        let heatd = town.heatd(&configuration.replace(
            "[[rule]]\nfile = \"rules/song-faves",
            &format!("{extra}[[rule]]\nfile = \"rules/song-faves"),
        ))?;
        heatd.wait_for_line(|line| line.contains("subscribed"))?;
        let (chat, song) = (town.chat.addr().port().to_string(), town.path("song.txt"));
        let song = song.display().to_string();
        let bot = original("bot.py", &[&chat, "seasidefm", &port.to_string(), &song])?;
        bot.wait_for_line(|line| line == "joined")?;
        bot.wait_for_line(|line| line == "broker says 0")?;
        town.wait_for_joins("seasidefm", 2)?;
        Ok(Self { town, port, heatd, bot, _broker: mosquitto })
    }

    /// The song that the bot answers with from now on.
    fn play(&self, title: &[u8]) -> Result<()> {
        Ok(std::fs::write(self.town.path("song.txt"), title)?)
    }

    fn say(&self, login: &str, text: &str) {
        self.town.chat.say("seasidefm", login, text);
    }

    /// How many calls of a rule the engine gave up because this machine was too busy for their 50 ms: those have no answer.
    fn calls_cut_short(&self, slot: &str) -> usize {
        let is_one =
            |line: &&String| line.contains(slot) && line.contains("it ran for longer than 50 ms");
        self.heatd.lines().iter().filter(is_one).count()
    }

    fn wait_for_log(&self, words: &str) -> Result<()> {
        self.heatd.wait_for_line(|line| line.contains(words)).map(drop)
    }
}

fn level(count: u64) -> String {
    if count == 0 {
        "🔥 HEAT LEVEL RISING".to_owned()
    } else {
        format!("🔥 HEAT LEVEL: {count}")
    }
}

/// A stream, as it was in 2022: `file` is what the viewers see.
fn a_stream(radio: &Radio, file: &Path) -> Result<()> {
    let ear = Ear::at(radio.port, "update-heat")?;
    radio.play("Junko Ohashi - テレフォン・ナンバー (Telephone Number)  \n".as_bytes())?;
    radio.say("ann", "!next");
    radio.town.wait_for_text(file, &level(0))?;
    for (login, count) in [("ann", 1), ("bob", 2), ("SeasideFM", 2), ("bob", 2), ("cat", 3)] {
        let before = ear.messages().len();
        radio.say(login, "?fave");
        let answers = ear.wait_for(before + 1)?;
        let name = r"Junko Ohashi - \u30c6\u30ec\u30d5\u30a9\u30f3\u30fb\u30ca\u30f3\u30d0\u30fc (Telephone Number)";
        // Not retained, QoS 0, and the bytes of Python's json.dumps.
        let expected = format!("0 0 {{\"name\": \"{name}\", \"faveCount\": {count}}}");
        assert!(answers[before..].iter().all(|answer| answer.starts_with("0 0 ")), "{answers:?}");
        eventually(expected.clone(), || ear.messages().last() == Some(&expected))?;
        radio.town.wait_for_text(file, &level(count))?;
    }
    radio.play(b"Plastic Love")?;
    radio.say("ann", "!next");
    radio.town.wait_for_text(file, &level(0))?;
    radio.wait_for_log("no command belongs to the title \\\"Plastic Love\\\"")?;
    radio.say("dan", "?fave");
    radio.town.wait_for_text(file, &level(1))?;
    // Nothing is retained: a client that comes late hears nothing before the next request.
    let late = Ear::at(radio.port, "update-heat")?;
    radio.say("eve", "!next");
    late.wait_for(1)?;
    assert_eq!(late.messages()[0], r#"0 0 {"name": "Plastic Love", "faveCount": 1}"#);
    Ok(())
}

fn old_writer(radio: &Radio, file: &Path) -> Result<Program> {
    let writer = original("writer.py", &[&radio.port.to_string(), &file.display().to_string()])?;
    writer.wait_for_line(|line| line.starts_with("subscribed"))?;
    Ok(writer)
}

#[test]
fn the_old_bot_and_the_old_writer_work_on_with_heatds_own_broker() -> Result<()> {
    let radio = Radio::start(true, "")?;
    let file = radio.town.path("heat.txt");
    let _writer = old_writer(&radio, &file)?;
    a_stream(&radio, &file)
}

#[test]
fn the_old_bot_and_the_old_writer_work_on_with_the_old_broker() -> Result<()> {
    let radio = Radio::start(false, "")?;
    let file = radio.town.path("heat.txt");
    let _writer = old_writer(&radio, &file)?;
    a_stream(&radio, &file)
}

#[test]
fn the_old_programs_come_back_by_themselves_when_heatd_does_and_no_fave_is_forgotten() -> Result<()>
{
    let mut radio = Radio::start(true, "")?;
    let file = radio.town.path("heat.txt");
    let writer = old_writer(&radio, &file)?;
    radio.play(b"Plastic Love")?;
    radio.say("ann", "?fave");
    radio.town.wait_for_text(&file, &level(1))?;
    let joins = radio.town.chat.joins().len();
    let (bot_said, writer_said) = (radio.bot.lines().len(), writer.lines().len());
    ensure!(radio.heatd.terminate()?.success());
    let configuration = std::fs::read_to_string(radio.town.path("heatd.toml"))?;
    radio.heatd = radio.town.heatd(&configuration)?;
    radio.heatd.wait_for_line(|line| line.contains("subscribed"))?;
    radio.town.wait_for_joins("seasidefm", joins + 1)?;
    radio.bot.wait_for_line_after(bot_said, |line| line == "broker says 0")?;
    writer.wait_for_line_after(writer_said, |line| line.starts_with("subscribed"))?;
    radio.say("bob", "?fave");
    radio.town.wait_for_text(&file, &level(2))
}

/// Starts heat-writer with the example settings, changed for this town.
fn new_writer(radio: &Radio, file: &Path, changes: &[(&str, &str)]) -> Result<Program> {
    let mut text = std::fs::read_to_string(deploy().join("original-writer.toml"))?;
    let broker = format!("127.0.0.1:{}", radio.port);
    for (from, to) in [("192.168.1.10:5555", broker.as_str())].iter().chain(changes) {
        ensure!(text.contains(from), "{from} is not in original-writer.toml");
        text = text.replace(from, to);
    }
    let settings = radio.town.path("writer.toml");
    std::fs::write(&settings, text)?;
    let mut command = Command::new(binary("heat-writer")?);
    command.arg("--config").arg(settings);
    let writer = Program::start(command)?;
    writer.wait_for_line(|line| line.contains("connected to"))?;
    // It is written beside the connection.
    eventually("the text file", || file.is_file())?;
    Ok(writer)
}

#[test]
fn the_old_bot_and_heat_writer_work_together_without_a_password() -> Result<()> {
    let radio = Radio::start(true, "")?;
    let file = radio.town.path("heat.txt");
    let _writer = new_writer(&radio, &file, &[])?;
    a_stream(&radio, &file)
}

#[test]
fn heat_writer_may_start_late_with_a_name() -> Result<()> {
    let example = std::fs::read_to_string(deploy().join("original.toml"))?;
    let user: String = example
        .lines()
        .filter_map(|line| line.strip_prefix("#: "))
        .map(|line| format!("{line}\n"))
        .collect();
    let password = tempfile::NamedTempFile::new()?;
    std::fs::write(password.path(), "let-me-read\n")?;
    let path = password.path().display().to_string();
    let radio = Radio::start(true, &user.replace("writer.password", &path))?;
    radio.play(b"Stay With Me\n")?;
    radio.say("ann", "?fave");
    radio.town.wait_for_figure("heatd_faves_total", 1)?;
    let file = radio.town.path("heat.txt");
    let changes = [
        ("#: user", "user"),
        ("#: password-file = 'writer.password'", &format!("password-file = '{path}'")),
        ("topic = \"update-heat\"\n", ""),
        ("#: output", "output"),
    ];
    let _writer = new_writer(&radio, &file, &changes)?;
    radio.town.wait_for_text(&file, &level(1))?;
    a_stream(&radio, &file)
}

#[test]
fn every_request_is_answered_however_many_come_at_once() -> Result<()> {
    for own_broker in [true, false] {
        let radio = Radio::start(own_broker, "")?;
        let ear = Ear::at(radio.port, "update-heat")?;
        let answer = |title: &str| format!("0 0 {{\"name\": \"{title}\", \"faveCount\": 0}}");
        let mut expected = vec![answer("Plastic Love"); 400];
        expected.extend((0..100).map(|number| answer(&format!("Song {number}"))));
        expected.push(answer("the end"));
        send(radio.port, "new-heat", &"Plastic Love\n".repeat(400))?;
        let titles: String = (0..100).map(|number| format!("Song {number} \n")).collect();
        send(radio.port, "new-heat", &titles)?;
        radio.town.wait_for_figure("heatd_mqtt_messages_total", 500)?;
        send(radio.port, "new-heat", "the end\n")?;
        // In order, each one once.
        eventually("every answer", || {
            let answers = ear.messages();
            let late = radio.calls_cut_short("song-heat");
            let seen = format!("{} answers, {late} calls cut short", answers.len());
            if answers.len() + late < expected.len() { Err(seen) } else { Ok(()) }
        })?;
        let answers = ear.messages();
        let mut rest = expected.iter();
        ensure!(answers.iter().all(|answer| rest.any(|wanted| wanted == answer)), "{answers:?}");
        assert_eq!(answers.len() + radio.calls_cut_short("song-heat"), expected.len());
    }
    Ok(())
}

#[test]
fn odd_titles_harm_nobody() -> Result<()> {
    for own_broker in [true, false] {
        let radio = Radio::start(own_broker, "")?;
        let ear = Ear::at(radio.port, "update-heat")?;
        let mut expected = Vec::new();
        let mut ask = |title: &[u8], answer: Option<&str>| -> Result<()> {
            radio.play(title)?;
            let seen = radio.bot.lines().len();
            radio.say("ann", "!next");
            radio.bot.wait_for_line_after(seen, |line| line.starts_with("published"))?;
            expected.extend(answer.map(|answer| format!("0 0 {answer}")));
            assert_eq!(ear.wait_for(expected.len())?, expected);
            Ok(())
        };
        ask(b"  \n", Some(r#"{"name": "", "faveCount": 0}"#))?;
        ask("Caf\u{e9}".as_bytes(), Some(r#"{"name": "Caf\u00e9", "faveCount": 0}"#))?;
        ask("Cafe\u{301}".as_bytes(), Some(r#"{"name": "Cafe\u0301", "faveCount": 0}"#))?;
        ask(b"\xFF\xFE", None)?;
        radio.wait_for_log("no answer: the message on new-heat is not UTF-8")?;
        ask(&vec![b'x'; 60_000], None)?;
        radio.wait_for_log("no answer: the title on new-heat is longer than")?;
        let connections = radio.bot.lines().iter().filter(|line| *line == "broker says 0").count();
        ask(&vec![b'x'; 1 << 20], None)?;
        if own_broker {
            // heatd's broker ends the connection of whoever sends so much; the bot comes back by itself.
            eventually("the bot to be back", || {
                let lines = radio.bot.lines();
                lines.iter().filter(|line| *line == "broker says 0").count() > connections
            })?;
        }
        ask(b"Plastic Love", Some(r#"{"name": "Plastic Love", "faveCount": 0}"#))?;
        let connected = radio.heatd.lines();
        let connected = connected.iter().filter(|line| line.contains("broker connected")).count();
        ensure!(connected == 1, "heatd lost its connection");
    }
    Ok(())
}

#[test]
fn without_a_bot_heatd_takes_the_song_from_its_topic_and_the_fave_from_chat() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    let configuration = example(&town, &Broker::At(broker.port()))?.replacen(
        "title_topic = \"new-heat\"",
        "title_topic = \"\"\nsong_topic = \"radio/now\"",
        1,
    );
    broker.publish("radio/now", "Plastic Love\n", true, 1)?;
    let heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seasidefm")?;
    town.wait_for_figure("heatd_mqtt_messages_total", 1)?;
    let ear = Ear::at(broker.port(), "update-heat")?;
    town.chat.say("seasidefm", "ann", "?fave");
    assert_eq!(ear.wait_for(1)?, [r#"0 0 {"name": "Plastic Love", "faveCount": 1}"#]);
    broker.publish("radio/now", "", false, 1)?;
    town.wait_for_figure("heatd_mqtt_messages_total", 2)?;
    town.chat.say("seasidefm", "bob", "?fave");
    heatd.wait_for_line(|line| line.contains("?fave of bob counts nothing"))?;
    Ok(())
}

#[test]
fn commands_that_no_bot_answers_are_named_in_the_log() -> Result<()> {
    let town = Town::new()?;
    let configuration = example(&town, &Broker::Embedded(town.mqtt))?;
    ensure!(configuration.contains("window = \"10s\""));
    let heatd = town.heatd(&configuration.replace("window = \"10s\"", "window = \"1s\""))?;
    town.chat.wait_joined("seasidefm")?;
    town.chat.say("seasidefm", "ann", "?fave");
    town.chat.say("seasidefm", "bob", "?fave");
    heatd.wait_for_line(|line| {
        line.contains("within 1000 ms for the fave of") && line.contains("ann")
    })?;
    heatd.wait_for_line(|line| {
        line.contains("within 1000 ms for the fave of") && line.contains("bob")
    })?;
    assert_eq!(town.figure("heatd_faves_total")?, 0);
    Ok(())
}

/// The last answer to a title, after this request.
fn asked(ear: &Ear, port: u16, title: &str, count: u64) -> Result<()> {
    let before = ear.messages().len();
    send(port, "new-heat", &format!("{title}\n"))?;
    let answers = ear.wait_for(before + 1)?;
    assert_eq!(
        answers.last(),
        Some(&format!("0 0 {{\"name\": \"{title}\", \"faveCount\": {count}}}"))
    );
    Ok(())
}

/// What `mongoexport` writes, in both versions of extended JSON.
const SAVED_SONGS: &str = r#"{"_id":{"$oid":"61d0c1"},"user":"ann","songs":[{"song":"Plastic Love \n","date":{"$date":"2022-01-01T20:00:00.000Z"}},{"song":"Stay With Me"}]}
{"_id":{"$oid":"61d0c2"},"user":"Bob","songs":[{"song":"Plastic Love","date":{"$date":{"$numberLong":"1641067200000"}}},{"song":"Plastic Love"}]}
{"_id":{"$oid":"61d0c3"},"user":"duke_ferdinand","songs":[{"song":"Plastic Love"}]}
{"_id":{"$oid":"61d0c4"},"user":"eve","songs":[]}
"#;

#[test]
fn the_faves_of_the_old_database_are_taken_along_and_nobody_counts_twice() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    let configuration = example(&town, &Broker::At(broker.port()))?;
    ensure!(configuration.contains("early = \"2s\""));
    // A title that is only asked for shall not be taken for that of the next command.
    let mut heatd = town.heatd(&configuration.replace("early = \"2s\"", "early = \"0s\""))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    town.chat.wait_joined("seasidefm")?;
    let ear = Ear::at(broker.port(), "update-heat")?;
    let file = town.path("saved_songs.json");
    std::fs::write(&file, SAVED_SONGS)?;
    let file = file.display().to_string();
    let import = [
        "import",
        "--mongo",
        &file,
        "--channel",
        "seasidefm",
        "--without",
        "duke_ferdinand",
        "--without",
        "seasidefm",
    ];
    let preview = answer(&town, &[&import[..], &["--dry-run"]].concat())?;
    assert_eq!(preview, "3 faves (weight 3) would be added\n1 count left out as asked\n");
    asked(&ear, broker.port(), "Plastic Love", 0)?;
    let done = answer(&town, &import)?;
    assert_eq!(done, "3 faves (weight 3) added\n1 count left out as asked\n");
    let again = answer(&town, &import)?;
    ensure!(again.starts_with("0 faves (weight 0) added\n3 counts were here already\n"), "{again}");
    asked(&ear, broker.port(), "Plastic Love", 2)?;
    asked(&ear, broker.port(), "Stay With Me", 1)?;
    // Whoever is in the old database and faves the song again in chat is one person, as in the original; somebody else is one more.
    for (number, (login, count)) in [("ann", 2), ("dan", 3), ("bob", 3)].into_iter().enumerate() {
        town.chat.say("seasidefm", login, "?fave");
        town.wait_for_figure("heatd_chat_lines_total", number as u64 + 1)?;
        send(broker.port(), "new-heat", "Plastic Love\n")?;
        town.wait_for_figure("heatd_faves_total", number as u64 + 1)?;
        asked(&ear, broker.port(), "Plastic Love", count)?;
    }
    // And so it stays.
    ensure!(heatd.terminate()?.success());
    let configuration = std::fs::read_to_string(town.path("heatd.toml"))?;
    let heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    asked(&ear, broker.port(), "Plastic Love", 3)?;
    asked(&ear, broker.port(), "Stay With Me", 1)
}
