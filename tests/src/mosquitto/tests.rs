//! The broker and its clients, held against each other.

use super::*;

#[test]
fn what_is_published_arrives_byte_for_byte() -> Result<()> {
    let mut broker = Mosquitto::start()?;
    let subscriber = broker.subscribe("heat/#")?;
    broker.publish("heat/a b", b"h\xc3\xa4t\n\xff\0", false, 1)?;
    broker.publish("heat/empty", "", false, 1)?;
    let message = subscriber.wait_for(|message| message.topic == "heat/a b")?;
    assert_eq!(
        (message.payload.as_slice(), message.retained, message.qos),
        (&b"h\xc3\xa4t\n\xff\0"[..], false, 1)
    );
    assert_eq!(subscriber.wait_for(|message| message.topic == "heat/empty")?.payload, b"");
    Ok(())
}

#[test]
fn a_subscriber_comes_back_after_a_restart_and_the_broker_remembers() -> Result<()> {
    let mut broker = Mosquitto::start_with(Options::default().persistence(Persistence::OnExit))?;
    broker.publish("heat/level", "42", true, 1)?;
    let early = broker.subscribe("heat/#")?;
    assert!(early.wait_for(|message| message.topic == "heat/level")?.retained);
    broker.restart()?;
    let late = broker.subscribe("heat/level")?;
    late.wait_for_last("heat/level", "42")?;
    eventually("the old subscription", || early.messages().len() == 2)?;
    Ok(())
}

#[test]
fn a_killed_broker_forgets() -> Result<()> {
    let mut broker = Mosquitto::start_with(Options::default().persistence(Persistence::OnExit))?;
    broker.publish("heat/level", "42", true, 1)?;
    broker.kill()?;
    assert!(broker.publish("heat/level", "43", true, 1).is_err());
    broker.resume()?;
    let subscriber = broker.subscribe("heat/#")?;
    broker.publish("heat/end", "x", false, 1)?;
    subscriber.wait_for(|message| message.topic == "heat/end")?;
    assert_eq!(subscriber.last("heat/level"), None);
    Ok(())
}

#[test]
fn passwords_and_access_lists_hold() -> Result<()> {
    let (daemon, writer) = (owned("daemon", "d"), owned("writer", "w"));
    let options = Options::default()
        .user("daemon", "d")
        .user("writer", "w")
        .acl("user daemon")
        .acl("topic readwrite heat/#")
        .acl("user writer")
        .acl("topic read heat/#");
    let mut broker = Mosquitto::start_with(options)?;
    let subscriber = broker.subscribe_as(Some(&writer), "heat/#")?;
    assert!(broker.publish_as(None, "heat/level", "1", true, 1).is_err());
    assert!(
        broker.publish_as(Some(&owned("daemon", "wrong")), "heat/level", "1", true, 1).is_err()
    );
    assert!(broker.publish_as(Some(&writer), "heat/level", "1", true, 1).is_err());
    broker.publish_as(Some(&daemon), "heat/level", "2", true, 1)?;
    subscriber.wait_for_last("heat/level", "2")?;
    assert_eq!(subscriber.messages().len(), 1);
    Ok(())
}

#[test]
fn tls_needs_the_authority() -> Result<()> {
    let mut broker = Mosquitto::start_with(Options::default().tls(Certificates::new()?))?;
    let subscriber = broker.subscribe("heat/#")?;
    broker.publish("heat/level", "1", false, 1)?;
    subscriber.wait_for_last("heat/level", "1")?;
    broker.options.tls = None;
    assert!(broker.publish("heat/level", "2", false, 1).is_err());
    Ok(())
}

#[test]
fn a_taken_port_is_said_to_be_taken() -> Result<()> {
    let first = Mosquitto::start()?;
    let mut second = Mosquitto::start()?;
    second.stop()?;
    second.port = first.port();
    let error = second.resume().map_err(|error| format!("{error:#}"));
    assert!(error.as_ref().is_err_and(|error| error.contains("in use")), "{error:?}");
    Ok(())
}

fn owned(name: &str, password: &str) -> (String, String) {
    (name.to_owned(), password.to_owned())
}
