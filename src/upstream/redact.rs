//! Removes secrets from texts: query strings, which hold the signatures of ARM's operation URLs and of SAS URLs, and user
//! information.

use url::Url;

/// Scheme, host, port and path of a URL; the rest may be a signature.
pub fn redact_url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{host}{port}{}{query}", url.scheme(), url.path())
}

/// A vendor's text with each URL's query removed, on one line and of bounded length.
pub fn redact_text(text: &str) -> String {
    const MAX_LENGTH: usize = 600;
    let mut shown = String::new();
    for word in text.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        match (word.contains("://"), word.split_once('?')) {
            (true, Some((before, _))) => {
                shown.push_str(before);
                shown.push_str("?…");
            }
            _ => shown.push_str(word),
        }
        if shown.len() > MAX_LENGTH {
            let end = shown.floor_char_boundary(MAX_LENGTH);
            shown.truncate(end);
            shown.push('…');
            break;
        }
    }
    shown
}

/// An error and its causes on one line, without the URL, which may be signed.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    match () {
        () if error.is_timeout() => "timed out".to_owned(),
        () if text.is_empty() => "the request failed".to_owned(),
        () => redact_text(&without_library_links(&text)),
    }
}

/// The text without the links to the documentation of a library that rustls appends: they are of no use to a caller.
fn without_library_links(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if word.starts_with("https://docs.rs/") => {
                *last = last.trim_end_matches(':')
            }
            _ => words.push(word),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use super::*;

    #[test]
    fn signatures_are_removed() {
        let url = Url::parse("https://u:p@a.example/b?s=SECRET#f").expect("a URL");
        assert_eq!(redact_url(&url), "https://a.example/b?…");
        assert_eq!(
            redact_text("see 'https://a.example/b?s=SECRET'\r\n  now"),
            "see 'https://a.example/b?… now"
        );
    }

    #[test]
    fn links_to_the_documentation_of_a_library_are_removed() {
        let text = "no close_notify: https://docs.rs/rustls/latest/rustls/manual/_03_howto/index.html#unexpected-eof";
        assert_eq!(without_library_links(text), "no close_notify");
        assert_eq!(without_library_links("see https://a.example/b"), "see https://a.example/b");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_boundary() {
        let text = redact_text(&"ä".repeat(2000));
        assert!(text.len() < 610 && text.ends_with('…'));
    }
}
