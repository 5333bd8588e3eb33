//! Brokers: the embedded one and mosquitto, killed, restarted, refusing; and what is shown when they come back.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::tls::Certificates;

use crate::town::{Broker, Town};

fn start(town: &Town, broker: &Broker) -> Result<Program> {
    let heatd = town.heatd(&(town.head(&["seaside"], broker) + &Town::rules("LUL")?))?;
    heatd.wait_for_line(is_subscribed)?;
    town.chat.wait_joined("seaside")?;
    Ok(heatd)
}

/// The sign that messages on the topics of rules arrive from now on.
fn is_subscribed(line: &str) -> bool {
    line.contains("subscribed")
}

#[test]
fn outputs_and_availability_are_shown_again_when_a_broker_comes_back_empty() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let heatd = start(&town, &Broker::At(broker.port()))?;
    let watch = broker.subscribe("heat/v1/#")?;
    town.chat.say("seaside", "ann", "?fave");
    watch.wait_for_last("heat/v1/seaside/heat", "1")?;
    broker.kill()?;
    // Counted while there is no broker.
    town.chat.say("seaside", "bob", "?fave");
    town.wait_for_figure("heatd_faves_total", 2)?;
    let seen = heatd.lines().len();
    broker.resume()?;
    let late = broker.subscribe("heat/v1/#")?;
    late.wait_for_last("heat/v1/seaside/heat", "2")?;
    heatd.wait_for_line_after(seen, is_subscribed)?;
    late.wait_for_last("heat/v1/status", "online")?;
    // What rules take is asked for again as well.
    broker.publish("deck/fave", b"pie", false, 1)?;
    late.wait_for_last("heat/v1/seaside/heat", "3")?;
    drop(heatd);
    late.wait_for_last("heat/v1/status", "offline")?;
    Ok(())
}

#[test]
fn heatd_leaves_with_the_last_outputs_shown_and_says_that_it_is_gone() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let mut heatd = start(&town, &Broker::At(broker.port()))?;
    let watch = broker.subscribe("heat/v1/#")?;
    for _ in 0..50 {
        town.chat.say("seaside", "ann", "?fave");
    }
    town.wait_for_figure("heatd_chat_lines_total", 50)?;
    ensure!(heatd.terminate()?.success());
    watch.wait_for_last("heat/v1/status", "offline")?;
    assert_eq!(watch.last("heat/v1/seaside/heat").as_deref(), Some("50"));
    // And after a restart the count goes on where it was.
    let _heatd = town.heatd(&std::fs::read_to_string(town.path("heatd.toml"))?)?;
    town.wait_for_joins("seaside", 2)?;
    town.chat.say("seaside", "ann", "?fave");
    watch.wait_for_last("heat/v1/seaside/heat", "51")?;
    Ok(())
}

#[test]
fn messages_sent_while_heatd_is_away_are_counted_when_it_is_back() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let mut heatd = start(&town, &Broker::At(broker.port()))?;
    broker.publish("deck/fave", b"{\"id\":\"first\"}", false, 1)?;
    town.wait_for_figure("heatd_faves_total", 1)?;
    heatd.kill()?;
    broker.publish("deck/fave", b"{\"id\":\"second\"}", false, 1)?;
    broker.publish("deck/fave", b"{\"id\":\"first\"}", false, 1)?;
    let _heatd = town.heatd(&std::fs::read_to_string(town.path("heatd.toml"))?)?;
    let watch = broker.subscribe("heat/v1/#")?;
    watch.wait_for_last("heat/v1/seaside/heat", "2")?;
    // Messages arrive in order: when this one counts, the others have been judged. "first" came twice or three times, if
    // the kill was faster than its acknowledgement.
    broker.publish("deck/fave", b"{\"id\":\"third\"}", false, 1)?;
    watch.wait_for_last("heat/v1/seaside/heat", "3")?;
    ensure!(town.figure("heatd_duplicate_events_total")? >= 1);
    Ok(())
}

#[test]
fn an_external_broker_may_want_tls_and_a_password() -> Result<()> {
    let town = Town::new()?;
    let options = Options::default().user("heatd", "secret-word").tls(Certificates::new()?);
    let options = options.acl("user heatd").acl("topic readwrite #");
    let mut broker = Mosquitto::start_with(options)?;
    let authority = broker.authority().map(|file| file.display().to_string()).unwrap_or_default();
    std::fs::write(town.path("password"), "secret-word\n")?;
    let head = town.head(&["seaside"], &Broker::At(broker.port()));
    let head = head.replace("host = \"127.0.0.1\"", "host = \"localhost\"");
    let secure =
        format!("tls = true\nca = {authority:?}\nuser = \"heatd\"\npassword_file = \"password\"\n");
    let heatd = town.heatd(&(head.clone() + &secure + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    let watch =
        broker.subscribe_as(Some(&("heatd".to_owned(), "secret-word".to_owned())), "heat/v1/#")?;
    watch.wait_for_last("heat/v1/seaside/heat", "1")?;
    ensure!(
        !heatd.lines().iter().any(|line| line.contains("secret-word")),
        "the password is in the log"
    );
    drop(heatd);

    std::fs::write(town.path("password"), "wrong\n")?;
    let heatd = town.heatd(&(head + &secure + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| {
        line.contains("refuses user and password; check `user` and `password_file`")
    })?;
    Ok(())
}

#[test]
fn the_embedded_broker_keeps_strangers_out_and_readers_from_writing() -> Result<()> {
    let town = Town::new()?;
    std::fs::write(town.path("writer.password"), "let-me-read\n")?;
    let user = "[[mqtt.embedded.user]]\nname = \"writer\"\npassword_file = \"writer.password\"\nread = [\"heat/#\"]\n";
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + user + &Town::rules("LUL")?;
    let heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let file = town.path("heat.txt");
    let stranger = town.writer(town.mqtt, &town.path("stranger.txt"), &[])?;
    stranger.wait_for_line(|line| line.contains("password"))?;
    let password = town.path("writer.password").display().to_string();
    let _writer =
        town.writer(town.mqtt, &file, &["--user", "writer", "--password-file", &password])?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_text(&file, "🔥 HEAT LEVEL: 1")?;
    let port = town.mqtt.to_string();
    let publish = |topic: &str| {
        let mut publish = std::process::Command::new("mosquitto_pub");
        publish.args([
            "-V",
            "5",
            "-q",
            "1",
            "-p",
            &port,
            "-u",
            "writer",
            "-P",
            "let-me-read",
            "-t",
            topic,
            "-m",
            "99",
            "-r",
        ]);
        publish.output()
    };
    let refused = publish("heat/v1/seaside/heat")?;
    ensure!(String::from_utf8_lossy(&refused.stderr).contains("ot authorized"), "{refused:?}");
    town.chat.say("seaside", "bob", "?fave");
    town.wait_for_text(&file, "🔥 HEAT LEVEL: 2")
}

#[test]
fn a_message_of_a_rule_arrives_however_often_the_broker_or_heatd_is_killed() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let publisher = crate::town::component("guests", "publisher")?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port()))
        + &Town::rules("LUL")?
        + &format!("[[rule]]\nfile = {publisher:?}\npublish = [\"lights/#\"]\n");
    let mut heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;
    let watch = broker.subscribe("lights/#")?;
    town.chat.say("seaside", "ann", "?fave one");
    watch.wait_for(|message| message.text() == "one")?;
    // No login, so nothing is said; and the log says that.
    heatd.wait_for_line(|line| {
        line.contains("no account speaks there") && line.contains("ann faved one")
    })?;
    broker.kill()?;
    town.chat.say("seaside", "ann", "?fave two");
    town.wait_for_figure("heatd_faves_total", 2)?;
    heatd.kill()?;
    drop(watch);
    broker.resume()?;
    let watch = broker.subscribe("lights/#")?;
    let _heatd = town.heatd(&configuration)?;
    watch.wait_for(|message| message.text() == "two")?;
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_named() -> Result<()> {
    let town = Town::new()?;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", town.mqtt))?;
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let mut heatd = town.heatd(&configuration)?;
    let status = heatd.wait()?;
    assert_eq!(status.code(), Some(1));
    let words = heatd.lines().join("\n");
    ensure!(words.contains(&format!("failed to listen on 127.0.0.1:{}", town.mqtt)), "{words}");
    Ok(())
}

#[test]
fn outputs_of_a_rule_that_was_taken_out_are_deleted_at_the_broker() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let mut heatd = start(&town, &Broker::At(broker.port()))?;
    town.chat.say("seaside", "ann", "?fave");
    let watch = broker.subscribe("heat/v1/seaside/#")?;
    watch.wait_for_last("heat/v1/seaside/heat", "1")?;
    heatd.terminate()?;
    let fave = crate::town::component("rules", "fave")?;
    let _heatd = town.heatd(
        &(town.head(&["seaside"], &Broker::At(broker.port()))
            + &format!("[[rule]]\nfile = {fave:?}\n")),
    )?;
    watch.wait_for_last("heat/v1/seaside/heat", "")?;
    let late = broker.subscribe("heat/v1/#")?;
    late.wait_for_last("heat/v1/status", "online")?;
    eventually("nothing to be retained", || late.last("heat/v1/seaside/heat").is_none())
}

#[test]
fn the_mosquitto_configuration_of_deploy_lets_heatd_write_and_the_writer_read() -> Result<()> {
    let town = Town::new()?;
    let deploy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mosquitto");
    let configuration = std::fs::read_to_string(deploy.join("mosquitto.conf"))?;
    let listener = format!("listener {} 127.0.0.1", town.mqtt);
    ensure!(configuration.contains("listener 1883"));
    std::fs::write(town.path("mosquitto.conf"), configuration.replace("listener 1883", &listener))?;
    std::fs::copy(deploy.join("acl"), town.path("acl"))?;
    for (user, create) in [("heatd", true), ("writer", false)] {
        let mut passwd = std::process::Command::new("mosquitto_passwd");
        passwd.arg("-b").args(create.then_some("-c")).args(["passwords", user, "secret"]);
        ensure!(passwd.current_dir(town.folder.path()).status()?.success());
    }
    std::fs::write(town.path("password"), "secret\n")?;
    let mut mosquitto = std::process::Command::new("mosquitto");
    mosquitto.args(["-c", "mosquitto.conf"]).current_dir(town.folder.path());
    // Started as root, mosquitto becomes another user, who has to read and write in this folder.
    mosquitto_may_use(town.folder.path())?;
    let _mosquitto = Program::start(mosquitto)?;
    let head = town.head(&["seaside"], &Broker::At(town.mqtt));
    let login = "user = \"heatd\"\npassword_file = \"password\"\n";
    let heatd = town.heatd(&(head + login + &Town::rules("LUL")?))?;
    heatd.wait_for_line(is_subscribed)?;
    let password = town.path("password").display().to_string();
    let file = town.path("heat.txt");
    let _writer =
        town.writer(town.mqtt, &file, &["--user", "writer", "--password-file", &password])?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_text(&file, "🔥 HEAT LEVEL: 1")
}

fn mosquitto_may_use(folder: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))?;
    for file in ["passwords", "acl", "mosquitto.conf"] {
        std::fs::set_permissions(folder.join(file), std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}
