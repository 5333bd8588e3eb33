//! One output on its way into its file: what to show (`meter`), and who writes it (`file_thread`).

use anyhow::Result;

use crate::file_thread::FileThread;
use crate::meter::Meter;
use crate::report;
use crate::texts::Output;
use crate::topic::Source;

pub(crate) struct Show {
    meter: Meter,
    file: FileThread,
    /// Whether the daemon's status is about this output.
    follows_daemon: bool,
    /// Whether the offline text is wanted.
    offline: bool,
}

impl Show {
    pub(crate) fn start(output: Output, follows_daemon: bool, print: bool) -> Result<Self> {
        let default = output.look.default.as_str().to_owned();
        let file = FileThread::start(output.path, output.every, default, print)?;
        let meter = Meter::new(output.sources, output.look);
        Ok(Self { meter, file, follows_daemon, offline: false })
    }

    pub(crate) fn follows_daemon(&self) -> bool {
        self.follows_daemon
    }

    pub(crate) fn file(&self) -> &FileThread {
        &self.file
    }

    pub(crate) fn file_mut(&mut self) -> &mut FileThread {
        &mut self.file
    }

    pub(crate) fn take(&mut self, topic: &str, payload: &[u8]) {
        if !self.meter.takes(topic) {
            return;
        }
        if let Some(news) = self.meter.take(topic, payload) {
            report::say(news);
        }
        self.want_current();
    }

    pub(crate) fn set_offline(&mut self, offline: bool) {
        if !self.meter.has_offline_text() || offline == self.offline {
            return;
        }
        self.offline = offline;
        if offline {
            self.want_current();
        } else {
            self.file.want(self.meter.text_after_offline().to_owned());
        }
    }

    pub(crate) fn waits_for_offline(&self) -> bool {
        self.meter.has_offline_text() && !self.offline
    }

    /// The outputs that have not sent a message yet.
    pub(crate) fn silent(&self) -> impl Iterator<Item = &Source> {
        self.meter.silent()
    }

    fn want_current(&self) {
        if let Some(text) = self.meter.text(self.offline) {
            self.file.want(text.to_owned());
        }
    }
}
