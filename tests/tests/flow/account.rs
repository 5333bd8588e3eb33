//! What heatd does with an account that is logged in: it hears EventSub, knows which streams are live, and speaks. The whole Twitch is scripted.

mod devlog;
mod environment;
mod eventsub;
mod facts;
mod hostile;
mod live;
mod names;
mod payloads;
mod peers;
pub(crate) mod stage;
mod voice;
