//! What somebody does who writes a rule: makes a folder with `heat rules new`, builds it, plays its cases, measures it.

mod languages;
mod offline;
mod rust;
mod workshop;
