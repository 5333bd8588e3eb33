//! The handlers, a file for each resource or small group of resources, and the web page.
//!
//! [`status`], [`watch`] and [`channels`] show the present; [`series`], [`series_stream`], [`emotes`], [`faves`] and [`streams`] what was counted, with [`updates`] for the page;
//! [`rules`] and [`config`] change and show what runs; [`history`] and [`people`] find what was said, and by whom; [`audit`], [`dead_letters`], [`why`], [`undo`], [`simulate`] and [`replay`] read or
//! redo the past; [`stream`] and [`command`] tell heatd something; [`voice`] speaks and moderates in chat, [`devlog`] shows everything raw; [`transfer`] and [`backup`] move data; [`tokens`] manages tokens, [`accounts`] logins to Twitch.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod channels;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod dead_letters;
pub(crate) mod devlog;
pub(crate) mod emotes;
pub(crate) mod faves;
pub(crate) mod history;
pub(crate) mod page;
pub(crate) mod people;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod series;
pub(crate) mod series_stream;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod streams;
pub(crate) mod tokens;
pub(crate) mod transfer;
pub(crate) mod undo;
pub(crate) mod updates;
pub(crate) mod voice;
pub(crate) mod watch;
pub(crate) mod why;
