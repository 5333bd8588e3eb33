//! The web page: the files that the build took from `host/dashboard/dist`, with a policy of what the page may load.
//!
//! Files below `assets` have a digest of their content in their name, so browsers keep them for ever. They ask for the other files each time.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::form::conditional::{has, tag, takes};

/// A file of the page.
struct File {
    /// Its path below the page.
    name: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Empty where heatd was built without the page.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// What is served instead of the page then.
const WITHOUT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>heatd</title>\n\
<h1>This heatd was built without its page</h1>\n\
<p>It does everything else. To have the page, build it and then heatd again, in the folder of the project:</p>\n\
<pre>cargo xtask page --build\ncargo build</pre>\n\
<p>That needs Node.js 20 or newer. The command <code>heat watch</code> shows the same numbers in a terminal.</p>\n\
</html>\n";

/// What the page may load: its own files, and pictures of emotes from their providers. No inline script runs, so text from chat cannot become one.
const POLICY: &str = "default-src 'self'; img-src 'self' https://static-cdn.jtvnw.net https://cdn.7tv.app \
https://cdn.betterttv.net https://cdn.frankerfacez.com; object-src 'none'; base-uri 'none'; form-action 'self'; \
frame-ancestors 'none'";

/// For files whose name changes with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// `GET /`
pub(crate) async fn index(headers: HeaderMap) -> Response {
    answer(FILES, "index.html", &headers)
}

/// `GET /icon.svg`
pub(crate) async fn icon(headers: HeaderMap) -> Response {
    answer(FILES, "icon.svg", &headers)
}

/// `GET /assets/{name}`
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(FILES, &format!("assets/{name}"), &headers)
}

fn answer(files: &'static [File], name: &str, asked: &HeaderMap) -> Response {
    let Some(file) = files.iter().find(|file| file.name == name) else {
        if name == "index.html" {
            return dressed(([(header::CONTENT_TYPE, kind(name))], WITHOUT).into_response());
        }
        return (StatusCode::NOT_FOUND, "the page has no such file\n").into_response();
    };
    let (encoding, bytes) = file.for_browser(asked);
    let tag = tag(bytes);
    let keep = if name.starts_with("assets/") { FOR_EVER } else { "no-cache" };
    let mut answer = match asked.get(header::IF_NONE_MATCH) {
        Some(known) if has(known, &tag) => StatusCode::NOT_MODIFIED.into_response(),
        _ => ([(header::CONTENT_TYPE, kind(name))], bytes).into_response(),
    };
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    dressed(answer)
}

impl File {
    /// The smallest encoding that the browser accepts.
    fn for_browser(&self, asked: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let packed = [("br", self.brotli), ("gzip", self.gzip)];
        let taken = packed
            .into_iter()
            .find_map(|(name, bytes)| Some((name, bytes?)).filter(|_| takes(asked, name)));
        taken.map_or((None, self.plain), |(name, bytes)| (Some(name), bytes))
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn dressed(mut answer: Response) -> Response {
    let rules = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A link to the page may have a token in it.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in rules {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    static BUILT: &[File] = &[
        File { name: "index.html", plain: b"<p>", brotli: Some(b"br"), gzip: Some(b"gz") },
        File { name: "assets/a-1.js", plain: b"1", brotli: None, gzip: Some(b"gz1") },
    ];

    fn asked(name: &'static str, value: &str) -> HeaderMap {
        [(header::HeaderName::from_static(name), value.parse().unwrap())].into_iter().collect()
    }

    fn header_of(answer: &Response, name: &str) -> String {
        answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
    }

    #[test]
    fn a_browser_gets_the_smallest_form_that_it_takes() {
        for (takes, name, gets) in [
            ("gzip, deflate, br", "index.html", "br"),
            ("gzip, br;q=0", "index.html", "gzip"),
            ("identity", "index.html", ""),
            ("br, gzip;q=0.5", "assets/a-1.js", "gzip"),
            ("brr", "index.html", ""),
        ] {
            let answer = answer(BUILT, name, &asked("accept-encoding", takes));
            assert_eq!(header_of(&answer, "content-encoding"), gets, "{takes}");
        }
    }

    #[test]
    fn what_changes_is_asked_for_again_and_what_cannot_is_kept() {
        let index = answer(BUILT, "index.html", &HeaderMap::new());
        assert_eq!(header_of(&index, "cache-control"), "no-cache");
        let tag = header_of(&index, "etag");
        assert_eq!(answer(BUILT, "index.html", &asked("if-none-match", &tag)).status(), 304);
        assert_eq!(answer(BUILT, "index.html", &asked("if-none-match", "\"other\"")).status(), 200);
        let script = answer(BUILT, "assets/a-1.js", &HeaderMap::new());
        assert_eq!(header_of(&script, "cache-control"), FOR_EVER);
        assert_eq!(header_of(&script, "content-type"), "text/javascript; charset=utf-8");
    }

    #[test]
    fn every_page_has_its_policy_and_a_heatd_without_one_says_so() {
        for files in [BUILT, &[]] {
            let page = answer(files, "index.html", &HeaderMap::new());
            assert_eq!(page.status(), 200);
            assert!(header_of(&page, "content-security-policy").starts_with("default-src 'self';"));
        }
        assert!(WITHOUT.contains("cargo xtask page --build"));
        assert_eq!(answer(&[], "assets/a-1.js", &HeaderMap::new()).status(), 404);
    }
}
