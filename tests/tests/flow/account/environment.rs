//! A login that the environment hands over, as focus took it and as Kubernetes mounts secrets.

use anyhow::{Result, ensure};
use heat_tests::logins::{CLIENT, Logins};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch_api::TwitchApi;

use super::stage::SCOPES;
use crate::town::{Broker, Town};

#[test]
fn tokens_of_the_environment_are_taken_over_once_from_variables_or_files() -> Result<()> {
    let logins = Logins::start(&[("seaside", "11"), ("bob", "22")])?;
    let (town, api) = (Town::new()?, TwitchApi::start(&logins)?);
    let (access, refresh) = logins.hand_out("seaside", &SCOPES);
    // The access token has ended meanwhile, as it does after four hours.
    logins.end_access();
    let account = format!(
        "id_server = \"{}\"\n{}[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [\"follows\"]\n[emotes]",
        logins.address(),
        api.settings()
    );
    let head =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)).replacen("[emotes]", &account, 1);
    let configuration = head + &Town::rules("LUL")?;
    let file = town.path("refresh");
    std::fs::write(&file, format!("{refresh}\n"))?;
    let start = || {
        let mut command = town.heatd_command("run", &configuration)?;
        command.env_remove("RUST_LOG").env("TWITCH_CLIENT_ID", CLIENT);
        command
            .env("TWITCH_USER_ACCESS_TOKEN", format!("oauth:{access}"))
            .env("TWITCH_REFRESH_TOKEN_FILE", &file);
        Program::start(command)
    };
    let mut heatd = start()?;
    api.wait_for_subscription("channel.follow")?;
    ensure!(logins.count("token", "refresh_token") == 1);
    // The refresh token was good for one use. What is kept is newer, and holds.
    heatd.terminate()?;
    let before = logins.count("validate", "");
    let heatd = start()?;
    eventually("the login to be looked at", || logins.count("validate", "") > before)?;
    api.wait_for_sessions(2)?;
    api.wait_for_subscription("channel.follow")?;
    ensure!(logins.count("token", "refresh_token") == 1, "{:?}", logins.asked());
    let log = heatd.lines().join("\n");
    ensure!(logins.secrets().iter().all(|secret| !log.contains(secret)));
    Ok(())
}

#[test]
fn a_token_of_somebody_else_is_named_and_not_used() -> Result<()> {
    let logins = Logins::start(&[("seaside", "11"), ("bob", "22")])?;
    let (town, api) = (Town::new()?, TwitchApi::start(&logins)?);
    let (access, _) = logins.hand_out("bob", &SCOPES);
    let account = format!(
        "id_server = \"{}\"\n{}client_id = \"{CLIENT}\"\n[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [\"follows\"]\n[emotes]",
        logins.address(),
        api.settings()
    );
    let head =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)).replacen("[emotes]", &account, 1);
    let mut command = town.heatd_command("run", &(head + &Town::rules("LUL")?))?;
    command.env_remove("RUST_LOG").env("TWITCH_USER_ACCESS_TOKEN", access);
    let heatd = Program::start(command)?;
    let line = heatd.wait_for_line(|line| line.contains("is not taken over"))?;
    ensure!(line.contains("bob") && line.contains("no such account"), "{line}");
    ensure!(api.asked().is_empty());
    Ok(())
}
