//! Everything that is printed: [`say`] writes, [`clean`] keeps what strangers write from playing with the terminal, [`words`] says
//! numbers to people, [`table`] sets them in rows, [`csv`] in cells for spreadsheets, [`bar`] shows how far something is, [`qr`] an address to a telephone.

pub(crate) mod bar;
pub(crate) mod clean;
pub(crate) mod csv;
pub(crate) mod qr;
mod say;
pub(crate) mod table;
pub(crate) mod words;

pub(crate) use say::{agrees, answer, note, print, print_json};
