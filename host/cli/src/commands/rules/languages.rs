//! The languages that a rule can be made in: for each, the files of a new folder. They are part of this program.
//!
//! A language is a module with one constant, listed in [`LANGUAGES`]. Its templates lie in `templates/`; [`template`] fills them.

mod javascript;
mod python;
mod rust;
pub(super) mod template;

use template::Language;

/// Every language, by the name that `--lang` takes.
pub(super) const LANGUAGES: &[Language] = &[rust::RUST, javascript::JAVASCRIPT, python::PYTHON];
