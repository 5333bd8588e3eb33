//! `[backup]`: where backups go, and how many are kept.

use std::path::{Path, PathBuf};

use super::section::Section;

/// How many daily backups are kept by default.
const KEEP: u64 = 7;

/// Where backups go. These are the only folders outside the data folder that heatd writes to.
#[derive(Debug, Clone)]
pub(crate) struct BackupPlan {
    pub(crate) folder: PathBuf,
    /// A second one, such as a network folder. It may be away.
    pub(crate) also: Option<PathBuf>,
    /// How many daily ones are kept. 0: none are made.
    pub(crate) keep: usize,
}

impl BackupPlan {
    /// The default for a data folder.
    pub(crate) fn of(data: &Path) -> Self {
        Self { folder: data.join("backups"), also: None, keep: KEEP as usize }
    }

    pub(super) fn read(section: Option<Section<'_>>, folder: &Path, data: &Path) -> Self {
        let mut plan = Self::of(data);
        let Some(mut section) = section else { return plan };
        let mistakes = section.mistakes();
        if let Some((path, span)) = section.text("folder") {
            if path.is_empty() {
                let hint = "leave the line out for backups below the data folder";
                mistakes.add_with_hint(&span, "`folder` must name a folder", hint);
            }
            plan.folder = folder.join(path);
        }
        if let Some((path, span)) = section.text("also").filter(|(path, _)| !path.is_empty()) {
            let also = folder.join(path);
            if also == plan.folder || also == data {
                let problem = "`also` must be another folder than `folder` and `data`";
                mistakes.add_with_hint(&span, problem, "name one on another disk or machine");
            }
            plan.also = Some(also);
        }
        if let Some(keep) = section.integer("keep", 0, 3_650) {
            plan.keep = keep as usize;
        }
        section.end();
        plan
    }
}
