//! Requests to Twitch's API, called Helix, in the name of an account that is logged in. Facts: dev.twitch.tv/docs/api/reference.
//!
//! - [`client`] makes a request with a good token, and says why there is no answer,
//! - [`users`] (with [`known`] ones), [`streams`], [`chat`], [`moderation`] and [`subscriptions`] have one resource each.
//!
//! Answers are read leniently: a field that is new, or missing and not needed, changes nothing. The twitch_api crate is not used for that: one missing field
//! fails its whole answer, and what heatd asks for are ten requests.

mod chat;
mod client;
mod known;
mod moderation;
mod streams;
mod subscriptions;
mod users;

pub(crate) use client::{Helix, HelixError};
pub(crate) use streams::LiveStream;
