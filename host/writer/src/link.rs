//! The connection to the broker: connects, subscribes, passes messages on, and comes back for ever. It decides nothing
//! about texts or files.

use std::time::{Duration, Instant};

use rumqttc::{
    AsyncClient, Broker, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS, SubAck,
    SubscribeFilter, TlsConfiguration, Transport,
};
use tokio::sync::{mpsc, watch};

use crate::address::Endpoint;
use crate::backoff::Backoff;
use crate::connection::Connection;
use crate::report;
use crate::trouble::{self, Trouble};

/// The largest message taken. The broker is told, and does not send what is larger; a text is a few bytes.
const MAX_PACKET: u32 = 256 * 1024;

/// Messages under way at once. Few, so that a flood waits at the broker and not in this program's memory.
const IN_FLIGHT: u16 = 16;

/// A broker that vanished without a word is noticed after at most twice this time.
const KEEP_ALIVE_SECONDS: u16 = 15;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// What happens on the connection.
#[derive(Debug)]
pub(crate) enum News {
    /// Connected and subscribed: the retained values follow.
    Up,
    Down,
    Message {
        topic: String,
        payload: Vec<u8>,
    },
}

/// Why a connection ended.
enum End {
    /// The receiver of the news is gone: the program ends.
    Asked,
    Lost(Trouble),
}

/// What is subscribed.
pub(crate) struct Interest {
    /// The first filter is the daemon's status, which outputs can do without.
    pub(crate) filters: Vec<String>,
    /// Every output there is, listened to while `listen` is true.
    pub(crate) all_outputs: String,
    pub(crate) listen: watch::Receiver<bool>,
}

/// Keeps the connection until nobody wants the news any more.
pub(crate) async fn run(connection: Connection, interest: Interest, news: mpsc::Sender<News>) {
    let mut backoff = Backoff::new();
    let mut reported = String::new();
    let mut worked = false;
    loop {
        let mut session = Session::new(&connection, &interest, &news, worked);
        let End::Lost(trouble) = session.run().await else {
            return;
        };
        worked = session.worked;
        if let Some(since) = session.up_since {
            backoff.connection_lasted(since.elapsed());
            reported.clear();
        }
        if trouble.needs_a_person {
            backoff.needs_a_person();
        }
        if trouble.text != reported {
            report::say(format!("{} (trying again)", trouble.text));
            reported = trouble.text;
        }
        if news.send(News::Down).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.wait(fastrand::f64())) => {}
            () = news.closed() => return,
        }
    }
}

/// One connection. Each has its own client and event loop, so nothing of an old one can linger.
struct Session<'a> {
    connection: &'a Connection,
    filters: &'a [String],
    all_outputs: &'a str,
    listen: watch::Receiver<bool>,
    news: &'a mpsc::Sender<News>,
    client: AsyncClient,
    event_loop: EventLoop,
    up_since: Option<Instant>,
    /// This connection, or one before it, came about: what ends now was set up right.
    worked: bool,
}

impl<'a> Session<'a> {
    fn new(
        connection: &'a Connection,
        interest: &'a Interest,
        news: &'a mpsc::Sender<News>,
        worked: bool,
    ) -> Self {
        let (client, event_loop) = AsyncClient::builder(options(connection)).capacity(2).build();
        let Interest { filters, all_outputs, listen } = interest;
        let mut listen = listen.clone();
        // What was said before this connection is of no interest to it.
        listen.mark_unchanged();
        Self {
            connection,
            filters,
            all_outputs,
            listen,
            news,
            client,
            event_loop,
            up_since: None,
            worked,
        }
    }

    async fn run(&mut self) -> End {
        loop {
            let Some(event) = self.next_event().await else {
                self.say_goodbye().await;
                return End::Asked;
            };
            let step = match event {
                Ok(Event::Incoming(packet)) => self.take(packet).await,
                Ok(_) => Ok(()),
                Err(error) if !self.worked && trouble::is_closed(&error) => {
                    Err(End::Lost(trouble::not_let_in(self.connection)))
                }
                Err(error) => {
                    Err(End::Lost(trouble::explain(&error, self.connection, self.worked)))
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// The next event; none when nobody wants the news any more.
    async fn next_event(&mut self) -> Option<Result<Event, ConnectionError>> {
        // One wait for the network, whatever else happens meanwhile: a packet that is half read must not be thrown away.
        let event = self.event_loop.poll();
        tokio::pin!(event);
        loop {
            tokio::select! {
                event = &mut event => return Some(event),
                () = self.news.closed() => return None,
                Ok(()) = self.listen.changed() => {
                    // Where this fails there is nothing to report, and it is no reason to connect again.
                    let _ = match *self.listen.borrow_and_update() {
                        true => self.client.try_subscribe(self.all_outputs, QoS::AtMostOnce),
                        false => self.client.try_unsubscribe(self.all_outputs),
                    };
                }
            }
        }
    }

    async fn take(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::ConnAck(_) => self.subscribe(),
            // The other subscription is a question, and any answer to it will do.
            Packet::SubAck(_) if self.up_since.is_some() => Ok(()),
            Packet::SubAck(answer) => {
                self.check_subscriptions(&answer)?;
                report::say(format!("connected to {}", self.connection.endpoint));
                self.up_since = Some(Instant::now());
                self.worked = true;
                self.pass_on(News::Up).await
            }
            Packet::Publish(message) => {
                // The topic was checked by the client; a broker that sends a broken one is not worth a report.
                let topic = String::from_utf8_lossy(&message.topic).into_owned();
                let payload = message.payload.to_vec();
                self.pass_on(News::Message { topic, payload }).await
            }
            _ => Ok(()),
        }
    }

    /// Waiting for room is safe: the receiver never waits for this task.
    async fn pass_on(&self, news: News) -> Result<(), End> {
        self.news.send(news).await.map_err(|_| End::Asked)
    }

    fn subscribe(&self) -> Result<(), End> {
        let filters = self
            .filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        self.client
            .try_subscribe_many(filters)
            .map_err(|error| End::Lost(trouble::passing(format!("cannot subscribe: {error}"))))
    }

    /// Without the status the values still come; without any value there is nothing to stay for.
    fn check_subscriptions(&self, answer: &SubAck) -> Result<(), End> {
        let mut values = 0;
        for (number, (filter, code)) in self.filters.iter().zip(&answer.return_codes).enumerate() {
            match trouble::unsubscribed(filter, *code) {
                Some(refusal) => report::say(refusal),
                None if number > 0 => values += 1,
                None => {}
            }
        }
        if values == 0 {
            return Err(End::Lost(trouble::nothing_to_read(self.connection)));
        }
        Ok(())
    }

    /// Leaves the broker with a word, so that it does not log a lost client.
    async fn say_goodbye(&mut self) {
        if self.up_since.is_none() || self.client.try_disconnect().is_err() {
            return;
        }
        let farewell = async { while self.event_loop.poll().await.is_ok() {} };
        let _ = tokio::time::timeout(GOODBYE, farewell).await;
    }
}

fn options(connection: &Connection) -> MqttOptions {
    let endpoint = &connection.endpoint;
    let broker = Broker::tcp(endpoint.host.clone(), endpoint.port);
    let mut options = MqttOptions::new(connection.client_id.clone(), broker);
    options
        .set_clean_start(true)
        .set_keep_alive(KEEP_ALIVE_SECONDS)
        .set_max_packet_size(Some(MAX_PACKET))
        .set_receive_maximum(Some(IN_FLIGHT))
        // One packet at a time: a batch that ends in a broken packet would be thrown away with the good ones in it.
        .set_read_batch_size(1)
        // Nothing is published; the default would reserve tables for 65535 messages under way.
        .set_outgoing_inflight_upper_limit(1);
    if let Some(login) = &connection.login {
        options.set_credentials(login.user.clone(), login.password.clone());
    }
    if let Some(config) = &connection.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(config.clone())));
    }
    // The client's own way joins host and port with a colon, which is no address of IPv6.
    let Endpoint { host, port } = endpoint.clone();
    options.set_socket_connector(move |_, _| {
        let host = host.clone();
        async move { heat_dial::connect(&host, port).await }
    });
    options
}
