//! Reads the file of a rule, however large it is or claims to be.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The largest component, in bytes: three times what Python makes.
pub(crate) const LARGEST: usize = 64 << 20;

/// What is said of one that is larger.
pub(crate) const TOO_LARGE: &str = "the component is larger than 64 MiB";

/// The bytes of a rule's file. A device or a pipe has no end, and is no rule.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened, since opening a pipe waits for its writer.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST {
        return Err(io::Error::other(TOO_LARGE));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_no_rule_and_neither_is_a_file_that_is_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rule.wasm");
        let said = |file: &Path| read(file).unwrap_err().to_string();
        File::create(&file).unwrap().set_len(8 << 30).unwrap();
        assert_eq!(said(&file), TOO_LARGE);
        File::create(&file).unwrap().set_len(LARGEST as u64).unwrap();
        assert_eq!(read(&file).unwrap().len(), LARGEST);
        assert_eq!(said(folder.path()), "it is no regular file");
        #[cfg(unix)]
        assert_eq!(said(Path::new("/dev/zero")), "it is no regular file");
    }
}
