//! The embedded broker with clients that give no name: they may do what the configuration grants, and nothing else.

use std::process::{Command, Output};

use anyhow::{Result, ensure};
use heat_tests::processes::Program;

use crate::town::{Broker, Town};

/// heatd with a user `deck`, who may write as well, and what clients without a name may do.
fn start(town: &Town, anonymous: &str) -> Result<Program> {
    std::fs::write(town.path("deck.password"), "secret\n")?;
    let user = "[[mqtt.embedded.user]]\nname = \"deck\"\npassword_file = \"deck.password\"\nwrite = [\"deck/#\"]\n";
    let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
    let heatd = town.heatd(&format!("{head}{user}{anonymous}{}", Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    Ok(heatd)
}

const OLD: &str =
    "[mqtt.embedded.anonymous]\nread = [\"update-heat\"]\nwrite = [\"new-heat\", \"deck/fave\"]\n";

/// Runs a client of mosquitto to its end.
fn client(town: &Town, program: &str, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &town.mqtt.to_string()]).args(arguments);
    Ok(command.output()?)
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn clients_without_a_name_may_do_what_is_granted_in_any_version_of_mqtt() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, OLD)?;
    heatd.wait_for_line(|line| {
        line.contains("WARN the embedded broker is open without a password")
            && line.contains("every program on this machine")
            && line.contains("update-heat")
    })?;
    for (count, version) in (1..).zip(["mqttv31", "mqttv311", "mqttv5"]) {
        let arguments = ["-V", version, "-t", "deck/fave", "-m", "pie"];
        let output = client(&town, "mosquitto_pub", &arguments)?;
        ensure!(output.status.success(), "{version}: {}", words(&output));
        town.wait_for_figure("heatd_faves_total", count)?;
    }
    // A name that is no one's is wrong, with and without a password; so is the name without its password.
    for login in [vec!["-u", "stranger"], vec!["-u", "heatd"], vec!["-u", "deck", "-P", "wrong"]] {
        let arguments = [vec!["-V", "mqttv311", "-t", "deck/fave", "-m", "pie"], login].concat();
        let output = client(&town, "mosquitto_pub", &arguments)?;
        ensure!(!output.status.success(), "{arguments:?}");
    }
    let output = client(
        &town,
        "mosquitto_pub",
        &["-u", "deck", "-P", "secret", "-t", "deck/fave", "-m", "x"],
    )?;
    ensure!(output.status.success(), "{}", words(&output));
    town.wait_for_figure("heatd_faves_total", 4)
}

#[test]
fn clients_without_a_name_can_neither_read_nor_write_anything_else() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, OLD)?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)?;
    for filter in [
        "#",
        "+",
        "heat/#",
        "heat/v1/status",
        "new-heat",
        "+/#",
        "$SYS/#",
        "$share/g/#",
        "update-heat/#",
    ] {
        for version in ["mqttv311", "mqttv5"] {
            // It would print a retained output and end; refused, it ends as well.
            let arguments = ["-V", version, "-C", "1", "-W", "5", "-t", filter];
            let output = client(&town, "mosquitto_sub", &arguments)?;
            let words = words(&output);
            ensure!(
                words.contains("denied") || words.contains("rejected"),
                "{filter} {version}: {words}"
            );
        }
    }
    for topic in ["heat/v1/seaside/heat", "heat/v1/status", "update-heat", "other", "$SYS/x"] {
        let arguments = ["-V", "mqttv5", "-q", "1", "-r", "-t", topic, "-m", "99"];
        let output = client(&town, "mosquitto_pub", &arguments)?;
        ensure!(words(&output).contains("ot authorized"), "{topic}: {}", words(&output));
        // An old client is told nothing, and nothing happens.
        client(
            &town,
            "mosquitto_pub",
            &["-V", "mqttv311", "-q", "1", "-r", "-t", topic, "-m", "99"],
        )?;
        let will = [
            "-V",
            "mqttv311",
            "-t",
            "new-heat",
            "-m",
            "x",
            "--will-topic",
            topic,
            "--will-payload",
            "99",
        ];
        let output = client(&town, "mosquitto_pub", &will)?;
        ensure!(!output.status.success(), "{topic} as a last will");
    }
    let read = |arguments: &[&str]| -> Result<String> {
        let login = ["-u", "deck", "-P", "secret", "-v"];
        Ok(words(&client(&town, "mosquitto_sub", &[&login[..], arguments].concat())?))
    };
    for (topic, value) in [("heat/v1/seaside/heat", "1"), ("heat/v1/status", "online")] {
        assert_eq!(read(&["-C", "1", "-W", "10", "-t", topic])?, format!("{topic} {value}\n"));
    }
    let others = read(&["--retained-only", "-W", "1", "-t", "update-heat", "-t", "other"])?;
    ensure!(!others.contains("99"), "{others}");
    ensure!(heatd.lines().iter().filter(|line| line.contains("broker connected")).count() == 1);
    Ok(())
}

#[test]
fn nobody_takes_up_the_session_of_another_user() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, OLD)?;
    // The user leaves a session with a subscription behind, in which messages wait.
    let session = ["-i", "screen", "-c", "-q", "1", "-t", "deck/#", "-E"];
    let named = [&session[..], &["-u", "deck", "-P", "secret"]].concat();
    let output = client(&town, "mosquitto_sub", &named)?;
    ensure!(output.status.success(), "{}", words(&output));
    client(&town, "mosquitto_pub", &["-q", "1", "-t", "deck/fave", "-m", "for the deck"])?;
    let session =
        ["-V", "mqttv311", "-i", "screen", "-c", "-q", "1", "-t", "update-heat", "-W", "2"];
    let stolen = client(&town, "mosquitto_sub", &session)?;
    ensure!(!words(&stolen).contains("for the deck"), "{}", words(&stolen));
    ensure!(
        !stolen.status.success() && words(&stolen).contains("not authorised"),
        "{}",
        words(&stolen)
    );
    // The user still has it.
    let again = [
        "-i", "screen", "-c", "-q", "1", "-t", "deck/#", "-u", "deck", "-P", "secret", "-C", "1",
        "-W", "10",
    ];
    let output = client(&town, "mosquitto_sub", &again)?;
    ensure!(words(&output).contains("for the deck"), "{}", words(&output));
    // Sessions without a user are free for all, one after the other.
    let free = ["-i", "old", "-c", "-q", "1", "-t", "update-heat", "-E"];
    ensure!(client(&town, "mosquitto_sub", &free)?.status.success());
    ensure!(client(&town, "mosquitto_sub", &free)?.status.success());
    Ok(())
}
