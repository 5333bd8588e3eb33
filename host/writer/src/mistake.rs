//! A mistake in the settings, with the key that it is about.

/// A setting that is wrong together with others.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) key: &'static str,
    /// Which `[[file]]` it stands in.
    pub(crate) file: Option<usize>,
    pub(crate) text: String,
}

impl Mistake {
    pub(crate) fn new(key: &'static str, text: impl Into<String>) -> Self {
        Self { key, file: None, text: text.into() }
    }

    /// The mistake, known to stand in a certain `[[file]]`.
    pub(crate) fn in_file(mut self, number: usize) -> Self {
        self.file = Some(number);
        self
    }
}
