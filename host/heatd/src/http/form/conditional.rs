//! Conditional requests (ETag), compression (gzip), and how long a browser may keep an answer.
//!
//! Only for whole answers to GET. Answers that come in pieces (events, steps, exports, backups) are sent as they are. Answers with a secret are answers to
//! POST: never kept, never compressed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use heat_engine::Range;
use tokio::task::spawn_blocking;

use crate::clock::now;

/// The shortest answer that is compressed, in bytes. A shorter one fits into one packet anyway.
const WORTH: usize = 1400;

/// Answers of this many bytes and more are compressed on another thread. This thread reads chat, and a Raspberry Pi compresses some 20 MB a second.
const LONG: usize = 32 << 10;

/// How long after its end a range can still change, in milliseconds: a line of chat may claim to be a day old.
const SETTLED: u64 = 25 * 3_600_000;

/// The browser may keep the answer for an hour without asking. No longer: a person may be forgotten, and counts may be imported.
const FOR_A_WHILE: HeaderValue = HeaderValue::from_static("private, max-age=3600");

/// The browser may keep the answer, and must ask each time whether it still holds.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

pub(crate) const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// The answer depends on the accepted encodings, and on the role of the token.
const DEPENDS: HeaderValue = HeaderValue::from_static("accept-encoding, authorization");

/// Lets a browser keep an answer about a range if nothing in it can change any more.
pub(crate) fn about(range: Range, mut answer: Response) -> Response {
    if range.to.saturating_add(SETTLED) <= now() {
        answer.headers_mut().insert(header::CACHE_CONTROL, FOR_A_WHILE);
    }
    answer
}

/// Compresses an answer, or answers 304 if the client has it already.
pub(crate) async fn pack(request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let takes_gzip = takes(request.headers(), "gzip");
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let mut answer = next.run(request).await;
    let length = answer.body().size_hint().exact();
    let is_whole = is_get && answer.status() == StatusCode::OK && length.is_some();
    let headers = answer.headers_mut();
    if !is_whole {
        default(headers, header::CACHE_CONTROL, NEVER);
        return answer;
    }
    default(headers, header::CACHE_CONTROL, ASK_AGAIN);
    headers.insert(header::VARY, DEPENDS);
    let (head, body) = answer.into_parts();
    // The body is in memory already, so this neither fails nor waits.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let job = Job { bytes, takes_gzip, known };
    let packed = match job.bytes.len() < LONG {
        true => job.pack(),
        false => {
            let plain = job.bytes.clone();
            let packed = spawn_blocking(move || job.pack()).await;
            packed.unwrap_or(Packed { tag: None, form: Encoding::Plain(plain) })
        }
    };
    packed.answer(head.headers)
}

struct Job {
    bytes: Bytes,
    takes_gzip: bool,
    /// The tags of what the client has already.
    known: Option<HeaderValue>,
}

enum Encoding {
    Same,
    Plain(Bytes),
    Gzip(Vec<u8>),
}

struct Packed {
    tag: Option<HeaderValue>,
    form: Encoding,
}

impl Job {
    fn pack(self) -> Packed {
        let name = tag(&self.bytes);
        let form = if self.known.is_some_and(|known| has(&known, &name)) {
            Encoding::Same
        } else if self.takes_gzip && self.bytes.len() >= WORTH {
            gzip(&self.bytes).map_or(Encoding::Plain(self.bytes), Encoding::Gzip)
        } else {
            Encoding::Plain(self.bytes)
        };
        // A weak tag: the compressed answer has other bytes and says the same.
        Packed { tag: HeaderValue::from_str(&format!("W/{name}")).ok(), form }
    }
}

impl Packed {
    fn answer(self, mut headers: HeaderMap) -> Response {
        if let Some(tag) = self.tag {
            headers.insert(header::ETAG, tag);
        }
        let (status, body) = match self.form {
            Encoding::Same => {
                headers.remove(header::CONTENT_TYPE);
                (StatusCode::NOT_MODIFIED, Body::empty())
            }
            Encoding::Plain(bytes) => (StatusCode::OK, Body::from(bytes)),
            Encoding::Gzip(bytes) => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                (StatusCode::OK, Body::from(bytes))
            }
        };
        headers.remove(header::CONTENT_LENGTH);
        (status, headers, body).into_response()
    }
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

/// Compresses with the least effort. That makes a table of numbers four times smaller; the most effort makes it five times smaller and takes fifteen times as long.
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Whether Accept-Encoding allows an encoding (`q=0` means no).
pub(crate) fn takes(asked: &HeaderMap, encoding: &str) -> bool {
    let lines =
        asked.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|choice| {
        let mut parts = choice.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f64>().ok());
        is_it && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// Whether If-None-Match has a tag.
pub(crate) fn has(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known.split(',').any(|it| it.trim().trim_start_matches("W/") == tag || it.trim() == "*")
}

/// The tag of these bytes. The hash need not be secure: it only saves sending the same bytes again.
pub(crate) fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn job(length: usize, takes_gzip: bool, known: Option<&str>) -> Job {
        let known = known.map(|known| known.parse().unwrap());
        Job { bytes: vec![b'7'; length].into(), takes_gzip, known }
    }

    #[test]
    fn long_answers_are_compressed_for_who_takes_that_and_short_ones_are_not() {
        let Encoding::Gzip(bytes) = job(WORTH, true, None).pack().form else {
            panic!("not packed")
        };
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut read).unwrap();
        assert_eq!(read, [b'7'; WORTH]);
        for (length, takes_gzip) in [(WORTH, false), (WORTH - 1, true), (0, true)] {
            assert!(
                matches!(job(length, takes_gzip, None).pack().form, Encoding::Plain(it) if it.len() == length)
            );
        }
    }

    #[test]
    fn what_the_asker_has_is_not_sent_again() {
        let tag = job(5, false, None).pack().tag.unwrap();
        let tag = tag.to_str().unwrap();
        for known in [tag, &format!("\"x\", {tag}"), tag.trim_start_matches("W/")] {
            assert!(matches!(job(5, true, Some(known)).pack().form, Encoding::Same), "{known}");
        }
        assert!(matches!(job(6, true, Some(tag)).pack().form, Encoding::Plain(_)));
    }

    #[test]
    fn only_what_was_over_a_day_ago_may_be_kept() {
        let kept = |to| {
            let answer = about(Range { from: 0, to }, "1".into_response());
            answer.headers().get(header::CACHE_CONTROL).cloned()
        };
        assert_eq!(kept(now() - SETTLED), Some(FOR_A_WHILE));
        for to in [now(), now() + 1, now() - SETTLED + 60_000, u64::MAX] {
            assert_eq!(kept(to), None);
        }
    }
}
