//! Below which prefixes heatd has shown outputs. After a change of `prefix` it takes back at the broker what is below the one before.

use std::fs;
use std::path::{Path, PathBuf};

use heat_engine::Outputs;
use tracing::{info, warn};

/// The file in the data folder: a prefix in each line.
const FILE: &str = "mqtt.prefixes";

/// What may be retained at the broker. It is written down before anything is shown.
pub(crate) struct Prefixes {
    file: PathBuf,
    current: String,
    /// What is below these is to be taken back.
    old: Vec<String>,
}

impl Prefixes {
    /// `keeps`: the broker keeps what it is told over the end of heatd, as all but the embedded one may.
    pub(crate) fn open(data: &Path, current: &str, keeps: bool) -> Self {
        let file = data.join(FILE);
        let known = fs::read_to_string(&file).unwrap_or_default();
        let old: Vec<String> = known
            .lines()
            .filter(|line| !line.is_empty() && *line != current)
            .map(str::to_owned)
            .collect();
        let prefixes = Self { file, current: current.to_owned(), old };
        if keeps {
            prefixes.write();
            return prefixes;
        }
        Self { old: Vec::new(), ..prefixes }
    }

    /// The topics below old prefixes, of these outputs.
    pub(super) fn topics(&self, outputs: &Outputs) -> Vec<String> {
        let current = format!("{}/", self.current);
        let of = |old: &String| {
            let outputs = outputs.keys().map(|(channel, name)| format!("{old}/{channel}/{name}"));
            let mut topics: Vec<String> = outputs.collect();
            topics.push(format!("{old}/status"));
            topics
        };
        let topics = self.old.iter().flat_map(of);
        topics.filter(|topic| !topic.starts_with(&current)).collect()
    }

    /// Nothing is left below old prefixes.
    pub(super) fn cleared(&mut self) {
        info!(prefixes = ?self.old, "what was shown below another prefix is taken back");
        self.old.clear();
        self.write();
    }

    fn write(&self) {
        let mut text = format!("{}\n", self.current);
        for old in &self.old {
            text.push_str(old);
            text.push('\n');
        }
        if fs::read_to_string(&self.file).is_ok_and(|known| known == text) {
            return;
        }
        if let Err(error) = fs::write(&self.file, text) {
            warn!(file = %self.file.display(), %error, "the prefix of MQTT cannot be noted; after a change of it, what is retained below it stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_below_old_prefixes_is_taken_back_once() {
        let folder = tempfile::tempdir().unwrap();
        let outputs: Outputs = [((Arc::from("seaside"), "heat".to_owned()), None)].into();
        let open = |prefix, keeps| Prefixes::open(folder.path(), prefix, keeps);
        assert!(open("heat/v1", true).topics(&outputs).is_empty());
        // The embedded broker has forgotten everything, and nothing is noted of it.
        assert!(open("embedded", false).topics(&outputs).is_empty());
        let mut changed = open("studio", true);
        let old = ["heat/v1/seaside/heat", "heat/v1/status"];
        assert_eq!(changed.topics(&outputs), old);
        // Until the broker has confirmed it, another start does it once more.
        assert_eq!(open("studio", true).topics(&outputs), old);
        changed.cleared();
        assert!(open("studio", true).topics(&outputs).is_empty());
        assert_eq!(open("heat/v1", true).topics(&outputs)[0], "studio/seaside/heat");
    }
}
