//! What clients of the embedded broker may take up: nobody takes what is another's, and nothing that a client sends ends heatd.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_tests::mqtt::{packet, read_packet, text};
use heat_tests::processes::Program;

use crate::town::{Broker, Town};

/// Two users, and topics that clients without a password may use. `new-heat` and `deck/fave` are taken by a rule.
fn start(town: &Town) -> Result<Program> {
    let mut users = String::new();
    for name in ["writer", "deck"] {
        std::fs::write(town.path(&format!("{name}.password")), "secret\n")?;
        users += &format!(
            "[[mqtt.embedded.user]]\nname = \"{name}\"\npassword_file = \"{name}.password\"\nwrite = [\"deck/#\"]\n"
        );
    }
    let anonymous =
        "[mqtt.embedded.anonymous]\nread = [\"open/#\"]\nwrite = [\"open/#\", \"deck/fave\"]\n";
    let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
    let heatd = town.heatd(&format!("{head}{users}{anonymous}{}", Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    Ok(heatd)
}

/// A CONNECT: the version, the flags, seconds of keep-alive, properties (of version 5) and texts.
fn greeting(version: u8, flags: u8, properties: &[u8], texts: &[&str]) -> Vec<u8> {
    let mut body = [&text("MQTT")[..], &[version, flags, 0, 60]].concat();
    if version == 5 {
        body.push(u8::try_from(properties.len()).unwrap_or(u8::MAX));
        body.extend_from_slice(properties);
    }
    texts.iter().for_each(|it| body.extend(text(it)));
    packet(0x10, &body)
}

/// Connects, and returns what the broker answers: 0 is yes.
fn connect(town: &Town, greeting: &[u8]) -> Result<(TcpStream, u8)> {
    let mut stream = TcpStream::connect(("127.0.0.1", town.mqtt))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(greeting)?;
    let (kind, body) = read_packet(&mut stream)?;
    ensure!(kind == 0x20, "no answer to a greeting: {kind:02x}");
    let code = *body.get(1).context("the answer has a code")?;
    Ok((stream, code))
}

/// A user with the right password.
fn user(name: &str, id: &str, version: u8, flags: u8) -> Vec<u8> {
    greeting(version, 0xC0 | flags, &[], &[id, name, "secret"])
}

fn client(town: &Town, program: &str, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &town.mqtt.to_string()]).args(arguments);
    Ok(command.output()?)
}

/// A fave by MQTT still counts, and heatd has been connected to its own broker all the time.
fn goes_on(town: &Town, heatd: &Program, faves: u64) -> Result<()> {
    let published = client(town, "mosquitto_pub", &["-q", "1", "-t", "deck/fave", "-m", "pie"])?;
    ensure!(published.status.success(), "{published:?}");
    town.wait_for_figure("heatd_faves_total", faves)?;
    let connected = |line: &&String| line.contains("broker connected");
    ensure!(heatd.lines().iter().filter(connected).count() == 1, "heatd's own connection was cut");
    Ok(())
}

fn closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    !matches!(stream.read_to_end(&mut rest), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn a_topic_of_a_thousand_levels_is_refused_and_slows_nobody() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    for levels in [100, 7_000, 32_000] {
        let (mut stream, code) = connect(&town, &user("deck", "deep", 5, 2))?;
        ensure!(code == 0);
        let topic = format!("deck{}", "/".repeat(levels));
        let publish = packet(0x31, &[&text(&topic)[..], &[0], b"x"].concat());
        stream.write_all(&publish)?;
        ensure!(closed(&mut stream), "{levels} levels are taken");
        // As a filter, and as the topic of a last will.
        let (mut stream, _) = connect(&town, &user("deck", "deep", 5, 2))?;
        stream.write_all(&packet(0x82, &[&[0, 7, 0][..], &text(&topic), &[0]].concat()))?;
        let (kind, body) = read_packet(&mut stream)?;
        ensure!(kind == 0x90 && body.last() == Some(&0x8F), "{kind:02x} {body:02x?}");
        let will = greeting(4, 0xC6, &[], &["deep", &topic, "gone", "deck", "secret"]);
        ensure!(connect(&town, &will)?.1 != 0, "a last will of {levels} levels is taken");
    }
    goes_on(&town, &heatd, 1)
}

#[test]
fn what_other_clients_could_not_read_is_not_passed_on() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    let subscribers = ["mqttv311", "mqttv5"];
    let hostile: [&[u8]; 4] = [
        // A content type with a NUL, a user property with one, half a character, and a property that is cut short.
        &[4, 3, 0, 1, 0],
        &[7, 38, 0, 1, b'k', 0, 1, 0],
        &[4, 8, 0, 1, 0xC3],
        &[1, 1],
    ];
    for properties in hostile {
        let (mut stream, code) = connect(&town, &greeting(5, 2, &[], &["poison"]))?;
        ensure!(code == 0);
        let body = [&text("deck/fave")[..], properties, b"x"].concat();
        stream.write_all(&packet(0x31, &body))?;
        ensure!(closed(&mut stream), "{properties:02x?} are taken");
    }
    // Just under the largest size it is taken, and reaches everybody whole.
    let (mut stream, _) = connect(&town, &greeting(5, 2, &[], &["large"]))?;
    let large = vec![b'x'; (64 << 10) - 4 - 12 - 2 - 1];
    let body = [&text("open/large")[..], &[0, 1, 0], &large].concat();
    stream.write_all(&packet(0x33, &body))?;
    let (kind, _) = read_packet(&mut stream)?;
    ensure!(kind == 0x40);
    for version in subscribers {
        let arguments = ["-V", version, "-C", "1", "-W", "20", "-t", "open/#"];
        let output = client(&town, "mosquitto_sub", &arguments)?;
        ensure!(output.stdout.len() == large.len() + 1, "{version}: {} bytes", output.stdout.len());
    }
    goes_on(&town, &heatd, 1)
}

#[test]
fn clients_without_a_password_cannot_take_the_places_of_users() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    // Sessions that would outlive their connections, in both versions.
    for number in 0..150 {
        let id = format!("stay-{number}");
        let greeting = match number % 2 {
            0 => greeting(4, 0, &[], &[&id]),
            _ => greeting(5, 0, &[17, 0, 1, 0x51, 0x80], &[&id]),
        };
        ensure!(connect(&town, &greeting)?.1 == 0, "{id}");
    }
    // And as many connections as there can be.
    let mut open = Vec::new();
    let refused = loop {
        let (stream, code) = connect(&town, &greeting(5, 2, &[], &[&format!("c-{}", open.len())]))?;
        if code != 0 {
            break code;
        }
        open.push(stream);
        ensure!(open.len() < 200, "clients without a password may be any number");
    };
    ensure!(refused == 0x97, "{refused:02x}");
    heatd.wait_for_line(|line| line.contains("WARN the embedded broker refuses a client"))?;
    let (_writer, code) = connect(&town, &user("writer", "heat-writer", 5, 2))?;
    ensure!(code == 0, "the user with the right password is refused: {code:02x}");
    // Subscriptions and retained messages of strangers end too.
    let stranger = &mut open[0];
    let mut answer = 0;
    for number in 0..1_100_u32 {
        let filter = format!("open/{number}");
        stranger.write_all(&packet(0x82, &[&[0, 7, 0][..], &text(&filter), &[0]].concat()))?;
        answer = read_packet(stranger)?.1.pop().context("an answer has a code")?;
    }
    ensure!(answer == 0x97, "{answer:02x}");
    let kept = vec![b'x'; 30_000];
    for number in 0..200 {
        let topic = text(&format!("open/kept/{number}"));
        stranger.write_all(&packet(0x31, &[&topic[..], &[0], &kept].concat()))?;
    }
    // The figure is taken once a second.
    heat_tests::patience::eventually("retained messages of strangers", || {
        town.figure("heatd_broker_retained_bytes").is_ok_and(|bytes| bytes > 100_000)
    })?;
    drop(open);
    goes_on(&town, &heatd, 1)?;
    let bytes = town.figure("heatd_broker_retained_bytes")?;
    ensure!(bytes > 100_000 && bytes < 4 << 20, "{bytes} bytes are retained");
    Ok(())
}

#[test]
fn a_client_id_opens_only_the_sessions_of_its_user() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    let session = ["-i", "screen", "-c", "-q", "1", "-t", "deck/#", "-u", "writer", "-P", "secret"];
    let left = client(&town, "mosquitto_sub", &[&session[..], &["-E"]].concat())?;
    ensure!(left.status.success(), "{left:?}");
    // However many client ids another user has had since.
    for number in 0..1_200 {
        let (_stream, code) = connect(&town, &user("deck", &format!("id-{number}"), 4, 2))?;
        ensure!(code == 0, "{number}");
    }
    client(&town, "mosquitto_pub", &["-q", "1", "-t", "deck/fave", "-m", "for the writer"])?;
    let (mut stolen, code) = connect(&town, &user("deck", "screen", 4, 0))?;
    ensure!(code == 0, "{code}");
    stolen.write_all(&packet(0xC0, &[]))?;
    let (kind, _) = read_packet(&mut stolen)?;
    ensure!(kind == 0xD0, "the session of another user was taken up: {kind:02x}");
    let again = client(&town, "mosquitto_sub", &[&session[..], &["-C", "1", "-W", "10"]].concat())?;
    ensure!(String::from_utf8_lossy(&again.stdout).contains("for the writer"), "{again:?}");
    goes_on(&town, &heatd, 2)
}

#[test]
fn sockets_that_say_nothing_keep_nobody_out() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    let silent: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(("127.0.0.1", town.mqtt))).collect::<Result<_, _>>()?;
    let (status, _) = town.page("/healthz")?;
    ensure!(status == 200, "{status}");
    goes_on(&town, &heatd, 1)?;
    let open = std::fs::read_dir(format!("/proc/{}/fd", heatd.id()))?.count();
    ensure!(open < 150, "{open} descriptors");
    drop(silent);
    Ok(())
}

#[test]
fn what_is_refused_is_said_once_in_a_while_with_its_number() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    let (mut stream, _) = connect(&town, &greeting(4, 2, &[], &["flood"]))?;
    let refused = packet(0x30, &[&text("heat/v1/seaside/heat")[..], b"99"].concat());
    let started = Instant::now();
    for _ in 0..200 {
        stream.write_all(&refused.repeat(100))?;
    }
    stream.write_all(&packet(0xC0, &[]))?;
    ensure!(read_packet(&mut stream)?.0 == 0xD0);
    let named = |line: &&String| line.contains("it may not write to this topic");
    let said = heatd.lines().iter().filter(named).count() as u64;
    let most = 2 + started.elapsed().as_secs() / 10;
    ensure!((1..=most).contains(&said), "{said} lines for 20,000 messages");
    ensure!(town.figure("heatd_broker_refused_total")? >= 20_000);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_sleeps_costs_little_and_is_let_go() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town)?;
    let memory = || -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", heatd.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).context("VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("a number")?.parse::<u64>()? >> 10)
    };
    let before = memory()?;
    // It never reads again; without a keep-alive.
    let mut body = [&text("MQTT")[..], &[4, 2, 0, 0]].concat();
    body.extend(text("sleeper"));
    let (mut sleeper, _) = connect(&town, &packet(0x10, &body))?;
    sleeper.write_all(&packet(0x82, &[&[0, 7][..], &text("open/#"), &[0]].concat()))?;
    read_packet(&mut sleeper)?;
    let (mut publisher, _) = connect(&town, &greeting(4, 2, &[], &["publisher"]))?;
    let body = [&text("open/x")[..], &[0, 1], &[b'x'; 30_000]].concat();
    for _ in 0..3_000 {
        publisher.write_all(&packet(0x32, &body))?;
        ensure!(read_packet(&mut publisher)?.0 == 0x40);
    }
    let after = memory()?;
    ensure!(after < before + 60, "{before} MB became {after} MB");
    heatd.wait_for_line(|line| line.contains("more messages wait for it than it may have"))?;
    heatd.wait_for_line(|line| line.contains("it does not read what it is sent"))?;
    goes_on(&town, &heatd, 1)
}
