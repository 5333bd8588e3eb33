//! The page in two formats: OpenMetrics, and Prometheus's older text format for scrapers that do not ask for OpenMetrics.

/// A format of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.0.
    Open,
    /// Prometheus's text format 0.0.4.
    Text,
}

impl Format {
    /// The format for a scraper, by its `Accept` header. Without OpenMetrics in it, the text format, which every scraper reads.
    pub(crate) fn asked_for(accept: &str) -> Self {
        let (mut open, mut text) = (0.0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut weight, mut version) = (1.0_f32, None);
            for part in parts {
                match part.split_once('=') {
                    Some(("q", value)) => weight = value.trim().parse().unwrap_or(0.0),
                    Some(("version", value)) => version = Some(value.trim()),
                    _ => {}
                }
            }
            match kind.as_str() {
                "application/openmetrics-text" if matches!(version, None | Some("1.0.0")) => {
                    open = weight.max(open);
                }
                "text/plain" | "text/*" | "*/*" => text = weight.max(text),
                _ => {}
            }
        }
        if open > 0.0 && open >= text { Self::Open } else { Self::Text }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// A page of OpenMetrics in this format.
    pub(crate) fn write(self, page: String) -> String {
        match self {
            Self::Open => page,
            Self::Text => text(&page),
        }
    }
}

/// There a counter's family is named as its series, an info is a gauge, and there is neither unit nor end.
fn text(page: &str) -> String {
    let mut help: Option<(&str, &str)> = None;
    let mut text = String::with_capacity(page.len());
    let mut push = |parts: &[&str]| {
        parts.iter().for_each(|part| text.push_str(part));
        text.push('\n');
    };
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // Its name depends on the type, which comes next.
            help = rest.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            if let Some((_, words)) = help.take() {
                push(&["# HELP ", name, suffix, " ", words]);
            }
            push(&["# TYPE ", name, suffix, " ", kind]);
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            push(&[line]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_what_it_likes_best_and_anybody_else_the_text_format() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Text),
            ("text/plain;version=0.0.4", Format::Text),
            // Prometheus 2.42, and 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::Open,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.4,*/*;q=0.1",
                Format::Open,
            ),
            ("application/openmetrics-text;version=1.0.0;q=0.1,text/plain;q=0.5", Format::Text),
            ("application/openmetrics-text;q=0, */*;q=0.1", Format::Text),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
        ] {
            assert_eq!(Format::asked_for(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn the_text_format_names_a_counter_as_its_series() {
        let page = "# HELP a_b_bytes Bytes.\n# TYPE a_b_bytes counter\n# UNIT a_b_bytes bytes\na_b_bytes_total 3\n# HELP c Build.\n# TYPE c info\nc_info{version=\"1\"} 1\n# HELP d Depth.\n# TYPE d gauge\nd 4\n# EOF\n";
        assert_eq!(
            Format::Text.write(page.to_owned()),
            "# HELP a_b_bytes_total Bytes.\n# TYPE a_b_bytes_total counter\na_b_bytes_total 3\n# HELP c_info Build.\n# TYPE c_info gauge\nc_info{version=\"1\"} 1\n# HELP d Depth.\n# TYPE d gauge\nd 4\n"
        );
        assert_eq!(Format::Open.write(page.to_owned()), page);
    }
}
