//! The program's one loop and the owner of its state: news from the broker in, texts into files.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::link::News;
use crate::presence::Presence;
use crate::report;
use crate::show::Show;
use crate::texts::Texts;

/// After this time without a value something is probably wrong, and the streamer should know where to look.
const SILENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the files are still there.
const LOOK: Duration = Duration::from_secs(5);

pub(crate) struct Writer {
    shows: Vec<Show>,
    looks_at: Instant,
    presence: Presence,
    status_topic: String,
    silence: Silence,
}

/// The report on outputs that never had a value, made once.
enum Silence {
    NotConnected,
    ReportAt(Instant),
    Reported,
}

impl Writer {
    pub(crate) fn new(texts: Texts, now: Instant) -> Self {
        let Texts { outputs, prefix, print, patience } = texts;
        let shows = outputs.into_iter().map(|output| {
            let follows_daemon = output.source.is_below(&prefix);
            Show::new(output, follows_daemon, print)
        });
        Self {
            shows: shows.collect(),
            looks_at: now + LOOK,
            presence: Presence::new(patience, now),
            status_topic: prefix.status(),
            silence: Silence::NotConnected,
        }
    }

    /// Runs until `shutdown`, or until the news end; then writes the last texts, however recent the write before.
    pub(crate) async fn run(
        mut self,
        mut news: mpsc::Receiver<News>,
        shutdown: impl Future<Output = ()>,
    ) {
        tokio::pin!(shutdown);
        loop {
            let now = Instant::now();
            self.work(now).await;
            let due = self.due(now);
            tokio::select! {
                () = &mut shutdown => break,
                event = news.recv() => match event {
                    Some(event) => self.take(event),
                    None => break,
                },
                () = sleep_until(due.into()) => {}
            }
            self.take_waiting(&mut news);
        }
        self.take_waiting(&mut news);
        for show in &mut self.shows {
            show.write_last().await;
        }
    }

    /// What arrived together is shown together: a value and the news that the daemon is back are one change.
    fn take_waiting(&mut self, news: &mut mpsc::Receiver<News>) {
        while let Ok(event) = news.try_recv() {
            self.take(event);
        }
    }

    fn take(&mut self, news: News) {
        let now = Instant::now();
        match news {
            News::Up => {
                self.presence.broker_up();
                if matches!(self.silence, Silence::NotConnected) {
                    self.silence = Silence::ReportAt(now + SILENCE);
                }
            }
            News::Down => self.presence.broker_down(now),
            News::Message { topic, payload } => self.take_message(&topic, &payload),
        }
    }

    fn take_message(&mut self, topic: &str, payload: &[u8]) {
        if topic == self.status_topic && self.presence.status(payload) {
            let offline = self.presence.daemon_is_offline();
            report::say(format!(
                "the daemon is {}",
                if offline { "offline" } else { "online again" }
            ));
        }
        for show in &mut self.shows {
            show.take(topic, payload);
        }
    }

    /// Does everything that is due: offline texts, writes, the report on silence.
    async fn work(&mut self, now: Instant) {
        let broker_lost = self.presence.broker_is_lost(now);
        let daemon_offline = self.presence.daemon_is_offline();
        let looks = self.looks_at <= now;
        if looks {
            self.looks_at = now + LOOK;
        }
        for show in &mut self.shows {
            if looks {
                show.look();
            }
            show.set_offline(broker_lost || (daemon_offline && show.follows_daemon()));
            show.write_if_due(now).await;
        }
        if let Silence::ReportAt(at) = self.silence
            && at <= now
        {
            self.silence = Silence::Reported;
            self.shows.iter().for_each(Show::report_silence);
        }
    }

    /// The next moment at which there is something to do without news.
    fn due(&self, now: Instant) -> Instant {
        let writes = self.shows.iter().filter_map(|show| show.due(now));
        let waiting = self.shows.iter().any(Show::waits_for_offline);
        let lost = self.presence.lost_at().filter(|_| waiting);
        let silence = match self.silence {
            Silence::ReportAt(at) => Some(at),
            _ => None,
        };
        writes.chain(lost).chain(silence).fold(self.looks_at, Instant::min)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use clap::Parser;
    use tokio::sync::oneshot;

    use super::*;
    use crate::args::Args;
    use crate::settings::Settings;

    /// A running writer without a broker.
    struct Bench {
        folder: tempfile::TempDir,
        news: mpsc::Sender<News>,
        stop: oneshot::Sender<()>,
        running: tokio::task::JoinHandle<()>,
    }

    impl Bench {
        fn start(present: Option<&str>, options: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("heat.txt");
            if let Some(text) = present {
                fs::write(&path, text).unwrap();
            }
            let path = path.to_str().unwrap();
            let args = [&["heat-writer", "--broker", "pi", "--file", path], options].concat();
            let settings = Settings::load(Args::parse_from(args), None).unwrap();
            let (news, receiver) = mpsc::channel(8);
            let (stop, stopped) = oneshot::channel::<()>();
            let writer = Writer::new(settings.texts, Instant::now());
            let running = tokio::spawn(writer.run(receiver, async move {
                let _ = stopped.await;
            }));
            Self { folder, news, stop, running }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("heat.txt")
        }

        async fn message(&self, topic: &str, payload: &str) {
            let (topic, payload) = (topic.to_owned(), payload.as_bytes().to_vec());
            self.news.send(News::Message { topic, payload }).await.unwrap();
        }

        async fn shows(&self, expected: &str) {
            eventually(&self.path(), expected).await;
        }

        async fn stop(self) -> String {
            self.stop.send(()).unwrap();
            self.running.await.unwrap();
            fs::read_to_string(self.folder.path().join("heat.txt")).unwrap()
        }
    }

    async fn eventually(path: &Path, expected: &str) {
        let patience = Duration::from_secs(5);
        let begin = Instant::now();
        while fs::read_to_string(path).ok().as_deref() != Some(expected) {
            assert!(begin.elapsed() < patience, "{expected:?}, not {:?}", fs::read_to_string(path));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn file_is_there_before_any_message() {
        let bench = Bench::start(None, &[]);
        bench.shows("🔥 HEAT LEVEL RISING").await;
    }

    #[tokio::test]
    async fn values_arrive_in_the_file_and_a_removed_one_leaves_the_default() {
        let bench = Bench::start(None, &["--every", "0s", "--default", "soon"]);
        bench.shows("soon").await;
        bench.message("heat/v1/ann/heat", "7").await;
        bench.shows("🔥 HEAT LEVEL: 7").await;
        bench.message("heat/v1/ann/heat", "").await;
        bench.shows("soon").await;
    }

    #[tokio::test]
    async fn text_from_before_stays_until_a_value_arrives() {
        let bench = Bench::start(Some("from before"), &[]);
        bench.news.send(News::Up).await.unwrap();
        bench.shows("from before").await;
        bench.message("heat/v1/ann/heat", "7").await;
        bench.shows("🔥 HEAT LEVEL: 7").await;
    }

    #[tokio::test]
    async fn last_value_is_written_before_the_end() {
        let bench = Bench::start(None, &["--every", "60m"]);
        bench.shows("🔥 HEAT LEVEL RISING").await;
        for value in ["1", "2", "3"] {
            bench.message("heat/v1/ann/heat", value).await;
        }
        assert_eq!(bench.stop().await, "🔥 HEAT LEVEL: 3");
    }

    #[tokio::test]
    async fn offline_text_comes_and_goes_with_the_daemon() {
        let bench = Bench::start(Some("from before"), &["--every", "0s", "--offline-text", "away"]);
        bench.message("heat/v1/status", "offline").await;
        bench.shows("away").await;
        bench.message("heat/v1/status", "online").await;
        bench.shows("🔥 HEAT LEVEL RISING").await;
        bench.message("heat/v1/ann/heat", "7").await;
        bench.shows("🔥 HEAT LEVEL: 7").await;
        bench.message("heat/v1/status", "offline").await;
        bench.shows("away").await;
        bench.message("heat/v1/status", "online").await;
        bench.shows("🔥 HEAT LEVEL: 7").await;
    }

    #[tokio::test]
    async fn offline_text_is_shown_when_the_broker_stays_away() {
        let options = ["--every", "0s", "--offline-text", "away", "--offline-after", "50ms"];
        let bench = Bench::start(None, &options);
        bench.news.send(News::Up).await.unwrap();
        bench.message("heat/v1/ann/heat", "7").await;
        bench.shows("🔥 HEAT LEVEL: 7").await;
        bench.news.send(News::Down).await.unwrap();
        bench.shows("away").await;
        bench.news.send(News::Up).await.unwrap();
        bench.shows("🔥 HEAT LEVEL: 7").await;
    }

    #[tokio::test]
    async fn topic_of_somebody_else_ignores_the_daemon() {
        let options = ["--every", "0s", "--offline-text", "away", "--topic", "home/heat"];
        let bench = Bench::start(None, &options);
        bench.message("home/heat", "7").await;
        bench.message("heat/v1/status", "offline").await;
        bench.message("home/heat", "8").await;
        bench.shows("🔥 HEAT LEVEL: 8").await;
        assert_eq!(bench.stop().await, "🔥 HEAT LEVEL: 8");
    }
}
