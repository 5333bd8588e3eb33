//! Pictures of emotes, where the terminal shows any: asked from their providers, made small, drawn over the places that the text keeps for them.
//!
//! A picture in a text is a few letters of a plane for private use, hidden, so that lines break as they do without pictures. Once the text is
//! drawn, [`Pictures::draw`] puts the pictures there.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Cursor;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use image::{DynamicImage, ImageReader, Limits};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Widget as _;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::protocol::Protocol;
use ratatui_image::{FilterType, Image, Resize};
use ureq::Agent;

use super::colours::Theme;
use super::entry::EmoteId;
use crate::api::encryption;

/// How many pictures there may be, and how many may wait to be asked for.
const MOST: usize = 1_000;
const WAITING: usize = 64;

/// The largest picture: of the file in bytes, and its sides in pixels.
const LONGEST_FILE: u64 = 512 << 10;
const LONGEST_SIDE: u32 = 512;

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How wide a picture may be, in columns. Most are as high as they are wide, which is two.
const COLUMNS: std::ops::RangeInclusive<u32> = 1..=8;

/// The first letter of the plane that stands in for pictures.
const FIRST: u32 = 0xF_0000;

/// How emotes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PictureMode {
    /// As words.
    #[default]
    Off,
    /// As pictures, where the terminal says that it can.
    Auto,
    /// By kitty's protocol.
    Kitty,
    /// By iTerm2's.
    Iterm2,
    /// As sixels.
    Sixel,
}

/// What is known of an emote's picture.
enum Known {
    Asked,
    /// There is none, or none that can be shown.
    Missing,
    /// Its place among those that are there.
    There(usize),
}

/// The pictures of all emotes that were shown.
pub(crate) struct Pictures {
    picker: Picker,
    known: RefCell<HashMap<EmoteId, Known>>,
    there: Vec<Protocol>,
    wanted: SyncSender<EmoteId>,
    got: Receiver<(EmoteId, Option<DynamicImage>)>,
}

impl Pictures {
    /// Asks the terminal what it can. None: no pictures are wished. `from` is asked instead of the providers.
    pub(crate) fn begin(
        mode: PictureMode,
        theme: Theme,
        from: Option<String>,
    ) -> Result<Option<Self>> {
        if mode == PictureMode::Off {
            return Ok(None);
        }
        let mut picker =
            Picker::from_query_stdio().context("the terminal does not say what it can")?;
        match mode {
            PictureMode::Off | PictureMode::Auto => {}
            PictureMode::Kitty => picker.set_protocol_type(ProtocolType::Kitty),
            PictureMode::Iterm2 => picker.set_protocol_type(ProtocolType::Iterm2),
            PictureMode::Sixel => picker.set_protocol_type(ProtocolType::Sixel),
        }
        if picker.protocol_type() == ProtocolType::Halfblocks {
            bail!("this terminal shows no pictures, by what it says of itself");
        }
        Self::with(picker, theme, from).map(Some)
    }

    /// For a terminal that is known.
    pub(super) fn with(picker: Picker, theme: Theme, from: Option<String>) -> Result<Self> {
        let (wanted, wishes) = sync_channel(WAITING);
        let (found, got) = sync_channel(WAITING);
        let providers = Providers::new(theme, from);
        thread::Builder::new()
            .name("pictures".to_owned())
            .spawn(move || providers.serve(&wishes, &found))
            .context("failed to begin a thread")?;
        Ok(Self { picker, known: RefCell::default(), there: Vec::new(), wanted, got })
    }

    /// Whether a picture in the last row would scroll the terminal: after it the cursor is in the row below.
    pub(crate) fn scroll_the_last_row(&self) -> bool {
        self.picker.protocol_type() != ProtocolType::Kitty
    }

    /// What stands in a text for the picture of an emote. None: there is none (yet), and its name stands there.
    pub(crate) fn stand_in(&self, emote: &EmoteId) -> Option<Span<'static>> {
        let mut known = self.known.borrow_mut();
        match known.get(emote) {
            Some(Known::There(place)) => {
                let letter = char::from_u32(FIRST + u32::try_from(*place).ok()?)?;
                let width = usize::from(self.there.get(*place)?.size().width);
                let text: String = std::iter::repeat_n(letter, width).collect();
                Some(Span::styled(text, Style::new().add_modifier(Modifier::HIDDEN)))
            }
            Some(_) => None,
            None => {
                if known.len() < MOST {
                    match self.wanted.try_send(emote.clone()) {
                        Ok(()) => drop(known.insert(emote.clone(), Known::Asked)),
                        // It is asked for when it is drawn again.
                        Err(TrySendError::Full(_)) => {}
                        Err(TrySendError::Disconnected(_)) => {
                            known.insert(emote.clone(), Known::Missing);
                        }
                    }
                }
                None
            }
        }
    }

    /// Takes what has come. Whether there is any.
    pub(crate) fn take(&mut self) -> bool {
        let mut any = false;
        while let Ok((emote, picture)) = self.got.try_recv() {
            let made = picture.and_then(|picture| self.small(picture));
            let known = match made {
                Some(protocol) => {
                    self.there.push(protocol);
                    any = true;
                    Known::There(self.there.len() - 1)
                }
                None => Known::Missing,
            };
            self.known.borrow_mut().insert(emote, known);
        }
        any
    }

    /// One row high, and as wide as it then is.
    fn small(&self, picture: DynamicImage) -> Option<Protocol> {
        let font = self.picker.font_size();
        let height = picture.height().max(1);
        let pixels = picture.width() * u32::from(font.height) / height;
        let columns = pixels.div_ceil(u32::from(font.width).max(1));
        let columns = columns.clamp(*COLUMNS.start(), *COLUMNS.end());
        let size = Size::new(u16::try_from(columns).ok()?, 1);
        self.picker.new_protocol(picture, size, Resize::Scale(Some(FilterType::Triangle))).ok()
    }

    /// Puts the pictures where the text keeps places for them.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect) {
        for row in area.top()..area.bottom() {
            let mut column = area.left();
            while column < area.right() {
                let Some(protocol) = self.at(buffer, column, row) else {
                    column += 1;
                    continue;
                };
                let width = protocol.size().width.max(1).min(area.right() - column);
                for place in column..column + width {
                    buffer[(place, row)].reset();
                }
                Image::new(protocol).render(Rect::new(column, row, width, 1), buffer);
                column += width;
            }
        }
    }

    /// The picture that a cell stands in for. Letters of chat are never hidden.
    fn at(&self, buffer: &Buffer, column: u16, row: u16) -> Option<&Protocol> {
        let cell = buffer.cell((column, row))?;
        if !cell.modifier.contains(Modifier::HIDDEN) {
            return None;
        }
        let letter = u32::from(cell.symbol().chars().next()?);
        self.there.get(usize::try_from(letter.checked_sub(FIRST)?).ok()?)
    }
}

/// Who has the pictures.
struct Providers {
    agent: Agent,
    theme: Theme,
    from: Option<String>,
}

impl Providers {
    fn new(theme: Theme, from: Option<String>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .tls_config(encryption())
            .user_agent(concat!("heat/", env!("CARGO_PKG_VERSION")));
        Self { agent: config.build().into(), theme, from }
    }

    /// Until nobody wants any more.
    fn serve(
        &self,
        wishes: &Receiver<EmoteId>,
        found: &SyncSender<(EmoteId, Option<DynamicImage>)>,
    ) {
        while let Ok(emote) = wishes.recv() {
            // Without a picture there is the name.
            let picture = self.get(&emote).ok();
            if found.send((emote, picture)).is_err() {
                return;
            }
        }
    }

    fn get(&self, emote: &EmoteId) -> Result<DynamicImage> {
        let address = self.address(emote).context("no address")?;
        let answer = self.agent.get(&address).call()?;
        let body = answer.into_body().into_with_config().limit(LONGEST_FILE).read_to_vec()?;
        picture(body)
    }

    /// Where a picture is. Twice the usual size: a row of a terminal is 20 to 40 pixels high.
    fn address(&self, EmoteId { provider, id }: &EmoteId) -> Option<String> {
        // Ids have no other characters; others could name another file.
        let is_id = !id.is_empty()
            && id.len() <= 64
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !is_id {
            return None;
        }
        if let Some(from) = &self.from {
            return Some(format!("{from}/{provider}/{id}"));
        }
        let theme = if self.theme == Theme::Dark { "dark" } else { "light" };
        match provider.as_str() {
            "twitch" => {
                Some(format!("https://static-cdn.jtvnw.net/emoticons/v2/{id}/default/{theme}/2.0"))
            }
            "7tv" => Some(format!("https://cdn.7tv.app/emote/{id}/2x.webp")),
            "bttv" => Some(format!("https://cdn.betterttv.net/emote/{id}/2x")),
            // Not all of its emotes are there in a larger size.
            "ffz" => Some(format!("https://cdn.frankerfacez.com/emote/{id}/1")),
            _ => None,
        }
    }
}

/// A file as a picture; of several in a row, the first.
fn picture(file: Vec<u8>) -> Result<DynamicImage> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_SIDE), Some(LONGEST_SIDE));
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format()?;
    reader.limits(limits);
    let picture = reader.decode()?;
    ensure!(picture.width() > 0 && picture.height() > 0, "the picture is empty");
    Ok(picture)
}

#[cfg(test)]
mod tests;
