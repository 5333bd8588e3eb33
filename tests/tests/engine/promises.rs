//! How often an effect happens, when its event is told again and when heatd is killed: `say` at most once, `publish` at least once and
//! kept once, `clip` kept once.

use std::collections::BTreeMap;

use anyhow::Result;
use heat_engine::wit::{Event, Happening};
use heat_engine::{Limits, Store};

use crate::stage::{CHANNEL, Stage, chat_line, patient, plain};
