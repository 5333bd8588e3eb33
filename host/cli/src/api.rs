//! heatd's API: [`client`] asks one request at a time, [`read`] takes the answers apart. Each other file is a resource, or a form
//! of answer, that several commands need.
//!
//! [`feed`] and [`progress`] are answers that take time; [`status`], [`slots`], [`differences`] and [`outputs`] are what stands.

mod client;
pub(crate) mod differences;
pub(crate) mod feed;
pub(crate) mod outputs;
pub(crate) mod progress;
mod read;
pub(crate) mod slots;
pub(crate) mod status;

pub(crate) use client::{Api, COMPONENT, Failure, JSON, Payload, encryption};
pub(crate) use read::read;
