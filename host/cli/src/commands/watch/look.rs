//! How the screen looks, and what it shows: a file of settings, the options, and what the terminal can.

use std::collections::BTreeSet;
use std::env::var_os;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::colours::Theme;
use super::pictures::PictureMode;

/// The file of settings. Unknown keys are refused.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `dark` or `light`: the background.
    pub(crate) theme: Theme,
    /// Whether lines have the time before them.
    pub(crate) times: bool,
    /// Whether marks before names say who is a moderator, VIP or subscriber.
    pub(crate) badges: bool,
    /// Whether what rules answer is shown.
    pub(crate) rules: bool,
    /// Whether the wheel of the mouse scrolls. The terminal's own selection then wants Shift.
    pub(crate) mouse: bool,
    /// Kinds of events that are not shown, such as `mqtt`.
    pub(crate) hide: BTreeSet<String>,
    /// Whether emotes are pictures, and how.
    pub(crate) pictures: PictureMode,
    /// How many lines are kept for scrolling back.
    pub(crate) lines: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            times: true,
            badges: true,
            rules: true,
            mouse: true,
            hide: BTreeSet::new(),
            pictures: PictureMode::Off,
            lines: 20_000,
        }
    }
}

/// How the screen looks.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) settings: Settings,
    /// NO_COLOR is not set.
    pub(crate) colours: bool,
    /// The terminal shows all colours, and not only 256.
    pub(crate) in_full: bool,
    /// Who is asked for pictures instead of their providers, in tests.
    pub(crate) pictures_from: Option<String>,
}

impl Look {
    /// By the file, or by the one in its usual place if there is one; and by what the terminal says of itself.
    pub(crate) fn of(file: Option<&Path>, theme: Option<Theme>) -> Result<Self> {
        let mut settings = match (file, usual_file()) {
            (Some(file), _) => read(file)?,
            (None, Some(file)) if file.is_file() => read(&file)?,
            (None, _) => Settings::default(),
        };
        if let Some(theme) = theme {
            settings.theme = theme;
        }
        let is_set = |name: &str| var_os(name).is_some_and(|value| !value.is_empty());
        let in_full = var_os("COLORTERM").is_some_and(|it| it == "truecolor" || it == "24bit");
        Ok(Self { settings, colours: !is_set("NO_COLOR"), in_full, pictures_from: None })
    }
}

fn read(file: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the settings in {}", file.display()))?;
    toml::from_str(&text).with_context(|| format!("the settings in {} are wrong", file.display()))
}

/// `heat/watch.toml` where this system has settings.
pub(crate) fn usual_file() -> Option<PathBuf> {
    let folder = |name: &str| var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let settings = if cfg!(windows) {
        folder("APPDATA")
    } else {
        folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))
    };
    settings.map(|settings| settings.join("heat").join("watch.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_what_there_is_not_is_refused() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("watch.toml");
        std::fs::write(&file, "theme = \"light\"\ntimes = false\nhide = [\"mqtt\"]\n")?;
        let look = Look::of(Some(&file), None)?;
        assert_eq!(look.settings.theme, Theme::Light);
        assert!(
            !look.settings.times && look.settings.badges && look.settings.hide.contains("mqtt")
        );
        assert_eq!(Look::of(Some(&file), Some(Theme::Dark))?.settings.theme, Theme::Dark);
        std::fs::write(&file, "time = false\n")?;
        let refused = format!("{:#}", Look::of(Some(&file), None).unwrap_err());
        assert!(
            refused.contains("watch.toml are wrong") && refused.contains("`time`"),
            "{refused}"
        );
        assert!(Look::of(Some(&folder.path().join("none")), None).is_err());
        Ok(())
    }
}
