//! Lines off a socket, whatever their bytes: split over packets, too long, or no UTF-8.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest line that is read. Twitch's have up to 8,191 bytes of tags and 512 of message (IRCv3 message-tags).
pub(super) const LONGEST: usize = 16 << 10;

/// Collects bytes until a line is complete. Cancel-safe: what was read stays here.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// The line is too long; the rest of it is skipped.
    skipping: bool,
    /// Lines that were too long, since the start.
    too_long: u64,
}

impl Lines {
    /// The next line without its end; None when the other side has closed. Cancel-safe.
    pub(crate) async fn next(
        &mut self,
        source: &mut (impl AsyncBufRead + Unpin),
    ) -> io::Result<Option<String>> {
        loop {
            let read = source.fill_buf().await?;
            if read.is_empty() {
                return Ok(None);
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(read.len());
            if !self.skipping {
                self.buffer.extend_from_slice(&read[..taken]);
            }
            let consumed = taken + usize::from(end.is_some());
            source.consume(consumed);
            if let Some(line) = self.finish(end.is_some()) {
                return Ok(Some(line));
            }
        }
    }

    /// Takes the number of lines that were too long since the last call.
    pub(crate) fn take_too_long(&mut self) -> u64 {
        std::mem::take(&mut self.too_long)
    }

    fn finish(&mut self, ended: bool) -> Option<String> {
        if self.buffer.len() > LONGEST {
            self.skipping = true;
            self.too_long += 1;
            self.buffer.clear();
        }
        if !ended || std::mem::take(&mut self.skipping) {
            return None;
        }
        let line = String::from_utf8_lossy(&self.buffer).trim_end_matches('\r').to_owned();
        self.buffer.clear();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8], piece: usize) -> (Vec<String>, u64) {
        let mut source = tokio::io::BufReader::with_capacity(piece, bytes);
        let mut lines = Lines::default();
        let mut read = Vec::new();
        while let Some(line) = lines.next(&mut source).await.unwrap() {
            read.push(line);
        }
        (read, lines.too_long)
    }

    #[tokio::test]
    async fn lines_come_whole_however_they_are_cut() {
        for piece in [1, 2, 3, 1000] {
            let (lines, _) = read("eins\r\nzwei 😂\n\ndrei\n".as_bytes(), piece).await;
            assert_eq!(lines, ["eins", "zwei 😂", "", "drei"]);
        }
    }

    #[tokio::test]
    async fn bad_bytes_cost_a_character_and_a_long_line_only_itself() {
        let bytes = [b"a\xFFb\n".to_vec(), vec![b'x'; 3 * LONGEST], b"\nnext\n".to_vec()].concat();
        let (lines, too_long) = read(&bytes, 4096).await;
        assert_eq!(lines, ["a\u{FFFD}b", "next"]);
        assert_eq!(too_long, 1);
    }
}
