//! The program's one loop and the owner of its state: news from the broker in, texts into files.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout_at};

use crate::file_thread::SLOW;
use crate::link::News;
use crate::presence::Presence;
use crate::report;
use crate::show::Show;
use crate::survey::Survey;
use crate::texts::Texts;
use crate::topic::Topic;

/// After this time without a value something is probably wrong, and it is worth to listen which outputs there are.
const SILENCE: Duration = Duration::from_secs(3);

/// How long that takes: brokers send retained values at once.
const LISTENING: Duration = Duration::from_secs(2);

/// How long the last texts may take when the program ends.
const LAST_WRITES: Duration = Duration::from_secs(2);

pub(crate) struct Writer {
    shows: Vec<Show>,
    presence: Presence,
    prefix: Topic,
    silence: Silence,
    /// When it is looked whether a disk answers that has something to do.
    slow_at: Option<Instant>,
    /// Tells the link to listen to every output.
    listen: watch::Sender<bool>,
}

/// The report on outputs that never had a value, made once.
enum Silence {
    NotConnected,
    ListenAt(Instant),
    /// Every output is listened to for a moment.
    ReportAt(Instant, Survey),
    Reported,
}

impl Writer {
    /// `listen` tells the link whether it shall listen to every output.
    pub(crate) fn start(texts: Texts, now: Instant, listen: watch::Sender<bool>) -> Result<Self> {
        let Texts { outputs, prefix, print, offline_after } = texts;
        let shows = outputs.into_iter().map(|output| {
            let follows_daemon = output.sources.iter().all(|(_, source)| source.is_below(&prefix));
            Show::start(output, follows_daemon, print)
        });
        Ok(Self {
            shows: shows.collect::<Result<_>>()?,
            presence: Presence::new(offline_after, now),
            prefix,
            silence: Silence::NotConnected,
            slow_at: None,
            listen,
        })
    }

    /// Runs until `shutdown`, or until the news end; then has the last texts written, however recent the write before.
    pub(crate) async fn run(
        mut self,
        mut news: mpsc::Receiver<News>,
        shutdown: impl Future<Output = ()>,
    ) {
        tokio::pin!(shutdown);
        loop {
            let now = Instant::now();
            self.work(now);
            let due = self.due(now);
            tokio::select! {
                () = &mut shutdown => break,
                event = news.recv() => match event {
                    Some(event) => self.take(event),
                    None => break,
                },
                () = sleep_until(due.unwrap_or(now).into()), if due.is_some() => {}
            }
            self.take_waiting(&mut news);
        }
        self.take_waiting(&mut news);
        self.finish().await;
    }

    /// Every file gets its last text, all at once. A disk that does not answer holds up the end for a moment only.
    async fn finish(&mut self) {
        self.shows.iter().for_each(|show| show.file().finish());
        let end = tokio::time::Instant::now() + LAST_WRITES;
        for show in &mut self.shows {
            let file = show.file_mut();
            if timeout_at(end, file.ended()).await.is_err() {
                let path = file.path().display();
                report::say(format!("{path} does not answer, and may not have the last text"));
            }
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
                    self.silence = Silence::ListenAt(now + SILENCE);
                }
            }
            News::Down => self.presence.broker_down(now),
            News::Message { topic, payload } => self.take_message(&topic, &payload),
        }
    }

    fn take_message(&mut self, topic: &str, payload: &[u8]) {
        if topic == self.prefix.status() && self.presence.status(payload) {
            let offline = self.presence.daemon_is_offline();
            report::say(format!(
                "the daemon is {}",
                if offline { "offline" } else { "online again" }
            ));
        }
        if let Silence::ReportAt(_, survey) = &mut self.silence {
            survey.take(&self.prefix, topic, payload);
        }
        for show in &mut self.shows {
            show.take(topic, payload);
        }
    }

    /// Does everything that is due: offline texts, the reports on silence and on slow disks.
    fn work(&mut self, now: Instant) {
        let broker_lost = self.presence.broker_is_lost(now);
        let daemon_offline = self.presence.daemon_is_offline();
        for show in &mut self.shows {
            show.set_offline(broker_lost || (daemon_offline && show.follows_daemon()));
        }
        self.look_for_silence(now);
        if self.slow_at.is_some_and(|at| at <= now) {
            self.slow_at = None;
            self.shows.iter().for_each(|show| show.file().report_if_slow(now));
        }
        if self.slow_at.is_none() && self.shows.iter().any(|show| show.file().is_behind()) {
            self.slow_at = Some(now + SLOW);
        }
    }

    /// Some seconds after the first connection every output should have had a value: retained ones come at once.
    fn look_for_silence(&mut self, now: Instant) {
        match &self.silence {
            Silence::ListenAt(at) if *at <= now => {
                self.silence = if self.shows.iter().any(|show| show.silent().next().is_some()) {
                    self.listen.send_replace(true);
                    Silence::ReportAt(now + LISTENING, Survey::default())
                } else {
                    Silence::Reported
                };
            }
            Silence::ReportAt(at, survey) if *at <= now => {
                self.listen.send_replace(false);
                for missing in self.shows.iter().flat_map(Show::silent) {
                    report::say(survey.explain(&self.prefix, missing));
                }
                self.silence = Silence::Reported;
            }
            _ => {}
        }
    }

    /// The next moment at which there is something to do without news.
    fn due(&self, now: Instant) -> Option<Instant> {
        let waiting = self.shows.iter().any(Show::waits_for_offline);
        let lost = self.presence.lost_at().filter(|at| waiting && *at > now);
        let silence = match &self.silence {
            Silence::ListenAt(at) | Silence::ReportAt(at, _) => Some(*at),
            Silence::NotConnected | Silence::Reported => None,
        };
        [lost, silence, self.slow_at].into_iter().flatten().min()
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
            Self::of(settings, folder)
        }

        fn of(settings: Settings, folder: tempfile::TempDir) -> Self {
            let (news, receiver) = mpsc::channel(8);
            let (stop, stopped) = oneshot::channel::<()>();
            let (listen, _) = watch::channel(false);
            let writer = Writer::start(settings.texts, Instant::now(), listen).unwrap();
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
        let patience = heat_tests::patience::patience();
        let begin = Instant::now();
        while fs::read_to_string(path).ok().as_deref() != Some(expected) {
            assert!(begin.elapsed() < patience, "{expected:?}, not {:?}", fs::read_to_string(path));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reading a pipe that nobody writes waits for ever, as a share does that is gone.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_disk_that_hangs_holds_up_neither_the_other_file_nor_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (hung, good) = (folder.path().join("hung.txt"), folder.path().join("heat.txt"));
        let config = folder.path().join("writer.toml");
        let text = "broker = 'pi'\n[[file]]\npath = 'hung.txt'\n[[file]]\npath = 'heat.txt'\nevery = '0s'\n";
        fs::write(&config, text).unwrap();
        let args = ["heat-writer", "--config", config.to_str().unwrap()];
        let settings = Settings::load(Args::parse_from(args), None).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&hung).status().unwrap();
        assert!(made.success());
        let bench = Bench::of(settings, folder);
        for value in ["1", "2", "3"] {
            bench.message("heat/v1/ann/heat", value).await;
            eventually(&good, &format!("🔥 HEAT LEVEL: {value}")).await;
        }
        let begin = Instant::now();
        bench.message("heat/v1/ann/heat", "4").await;
        assert_eq!(bench.stop().await, "🔥 HEAT LEVEL: 4");
        assert!(begin.elapsed() < LAST_WRITES + Duration::from_secs(5), "{:?}", begin.elapsed());
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
