//! The outer form of a batch: boundaries, parts and their heads (contracts/dataverse.md §5.7). Pure.
//!
//! Boundaries, headers and request lines must end with CRLF; a bare LF is refused. What stands behind the blank line of
//! an operation is its body: its lines are the affair of whoever reads the body.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::fault::Fault;

/// Longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The boundary in a content type, if it is `multipart/mixed`. Quotes around the boundary are optional.
pub(super) fn boundary(content_type: &str) -> Result<&str, Fault> {
    let refused = || Fault::ContentType(content_type.to_owned());
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/mixed"))
    {
        return Err(refused());
    }
    let (_, value) = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .ok_or_else(refused)?;
    let value = value.trim();
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').ok_or_else(refused)?,
        None => value,
    };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let is_valid = !value.is_empty() && value.len() <= MAX_BOUNDARY && value.bytes().all(is_allowed);
    (is_valid && !value.ends_with(' ')).then_some(value).ok_or_else(refused)
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    CarriageReturnLineFeed,
    LineFeed,
    /// Where the text ends.
    Nothing,
}

/// A line: its text without the end, and where in the whole it starts and the next one starts.
struct Line<'body> {
    text: &'body [u8],
    end: LineEnd,
    start: usize,
    next: usize,
}

fn lines(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = body.get(start..).filter(|rest| !rest.is_empty())?;
        let (length, end) = match rest.iter().position(|byte| *byte == b'\n') {
            None => (rest.len(), LineEnd::Nothing),
            Some(length) if rest[..length].ends_with(b"\r") => (length + 1, LineEnd::CarriageReturnLineFeed),
            Some(length) => (length + 1, LineEnd::LineFeed),
        };
        let text = match end {
            LineEnd::Nothing => rest,
            LineEnd::LineFeed => &rest[..length - 1],
            LineEnd::CarriageReturnLineFeed => &rest[..length - 2],
        };
        let line = Line {
            text,
            end,
            start,
            next: start + length,
        };
        start += length;
        Some(line)
    })
}

/// Whether a line is a boundary, and if so whether it is the last. Blanks behind a boundary are padding.
fn closes(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    match rest.trim_ascii_end() {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// What stands between the boundaries. What stands before the first and behind the last is no part.
pub(super) fn parts<'body>(body: &'body [u8], boundary: &str) -> Result<Vec<&'body [u8]>, Fault> {
    let mut parts = Vec::new();
    let mut open = None;
    let mut before = LineEnd::CarriageReturnLineFeed;
    for line in lines(body) {
        let Some(is_last) = closes(line.text, boundary) else {
            before = line.end;
            continue;
        };
        let may_end_here = line.end == LineEnd::CarriageReturnLineFeed || (is_last && line.end == LineEnd::Nothing);
        if before != LineEnd::CarriageReturnLineFeed || !may_end_here {
            return Err(Fault::LineEnd);
        }
        if let Some(start) = open {
            // The line end in front of a boundary belongs to the boundary.
            let end = line.start.saturating_sub(2).max(start);
            parts.push(&body[start..end]);
        }
        if is_last {
            return Ok(parts);
        }
        open = Some(line.next);
        before = line.end;
    }
    Err(Fault::Unclosed(boundary.to_owned()))
}

/// The lines of a head, and what stands behind the blank line that ends it. At the end of a part the line end of the
/// blank line is the boundary's.
pub(super) fn split_head(content: &[u8]) -> Result<(Vec<&str>, &[u8]), Fault> {
    let mut head = Vec::new();
    let mut rest = content;
    for line in lines(content) {
        if line.end != LineEnd::CarriageReturnLineFeed {
            return Err(Fault::LineEnd);
        }
        rest = &content[line.next..];
        if line.text.is_empty() {
            break;
        }
        let text = str::from_utf8(line.text).map_err(|_| Fault::Header(printable(line.text)))?;
        head.push(text);
    }
    Ok((head, rest))
}

/// Reads header lines.
pub(super) fn headers(lines: &[&str]) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let refused = || Fault::Header(printable(line.as_bytes()));
        let (name, value) = line.split_once(':').ok_or_else(refused)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| refused())?;
        // A map has room for some ten thousand headers only.
        headers.try_append(name, value).map_err(|_| refused())?;
    }
    Ok(headers)
}

/// The beginning of a line, as an error shows it.
pub(super) fn printable(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts<'body>(body: &'body str, boundary: &str) -> Result<Vec<&'body str>, Fault> {
        let parts = parts(body.as_bytes(), boundary)?;
        Ok(parts.into_iter().map(|part| str::from_utf8(part).unwrap()).collect())
    }

    #[test]
    fn boundaries_may_be_quoted_or_not() {
        for content_type in [
            "multipart/mixed; boundary=\"batch_7f0c\"",
            "multipart/mixed; boundary=batch_7f0c",
            "multipart/mixed;boundary=batch_7f0c",
            "Multipart/Mixed; charset=utf-8; Boundary=batch_7f0c",
        ] {
            assert_eq!(boundary(content_type), Ok("batch_7f0c"), "{content_type}");
        }
    }

    #[test]
    fn content_types_without_a_valid_boundary_are_refused() {
        let long = format!("multipart/mixed; boundary={}", "b".repeat(71));
        for content_type in [
            "application/json",
            "multipart/mixed",
            "multipart/mixed; boundary=",
            "multipart/mixed; boundary=\"\"",
            "multipart/mixed; boundary=\"open",
            "multipart/mixed; boundary=\"ends with a blank \"",
            "multipart/mixed; boundary=<b>",
            "multipart/form-data; boundary=b",
            long.as_str(),
        ] {
            assert!(boundary(content_type).is_err(), "{content_type}");
        }
    }

    #[test]
    fn parts_are_what_stands_between_boundary_lines() {
        let body = "no part\r\n--b\r\none\r\n--b \t\r\n\r\n--bb\r\n--b--two\r\n--b--\r\nno part";
        assert_eq!(texts(body, "b"), Ok(vec!["one", "\r\n--bb\r\n--b--two"]));
        assert_eq!(texts("--b\r\n--b\r\n\r\n--b--", "b"), Ok(vec!["", ""]));
        assert_eq!(texts("--b--", "b"), Ok(vec![]));
    }

    #[test]
    fn bodies_keep_the_line_ends_they_have() {
        let part = "{\n  \"a\": 1\n}";
        assert_eq!(texts(&format!("--b\r\n{part}\r\n--b--\r\n"), "b"), Ok(vec![part]));
    }

    #[test]
    fn a_bare_line_feed_around_a_boundary_is_refused() {
        for body in [
            "--b\none\r\n--b--\r\n",
            "--b\r\none\n--b--\r\n",
            "--b\r\none\r\n--b\ntwo\r\n--b--\r\n",
            "--b\r\none\r\n--b--\n",
        ] {
            assert_eq!(texts(body, "b"), Err(Fault::LineEnd), "{body:?}");
        }
    }

    #[test]
    fn a_batch_must_end_with_its_last_boundary() {
        for body in [
            "",
            "one",
            "--b\r\none",
            "--b\r\none\r\n--b\r\n",
            "--b\r\none\r\n--c--\r\n",
        ] {
            assert_eq!(texts(body, "b"), Err(Fault::Unclosed("b".to_owned())), "{body:?}");
        }
    }

    #[test]
    fn a_head_ends_with_a_blank_line_whose_end_may_be_the_boundarys() {
        let split = |content: &'static str| split_head(content.as_bytes());
        assert_eq!(
            split("a: 1\r\nb: 2\r\n\r\nbody"),
            Ok((vec!["a: 1", "b: 2"], &b"body"[..]))
        );
        assert_eq!(split("a: 1\r\n"), Ok((vec!["a: 1"], &b""[..])));
        assert_eq!(split("\r\nbody"), Ok((vec![], &b"body"[..])));
        for content in ["a: 1", "a: 1\n\nbody", "a: 1\r\nb: 2\n\r\nbody", "a: 1\r\n{}"] {
            assert_eq!(split_head(content.as_bytes()), Err(Fault::LineEnd), "{content:?}");
        }
    }

    #[test]
    fn header_lines_need_a_colon_and_a_valid_name() {
        let read = headers(&["Content-Type:application/json", "If-Match:  *  "]).unwrap();
        assert_eq!(
            (&read["content-type"], &read["if-match"]),
            (&"application/json".parse().unwrap(), &"*".parse().unwrap())
        );
        for line in ["no colon", " folded: x", "bad name: x", ": x", "a: \u{1}"] {
            assert!(headers(&[line]).is_err(), "{line:?}");
        }
        let many: Vec<String> = (0..100_000).map(|number| format!("h{number}: x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(headers(&many).is_err(), "more headers than a map has room for");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400), boundary in "[a-c-]{1,2}") {
            if let Ok(parts) = parts(&body, &boundary) {
                for part in parts {
                    if let Ok((head, _)) = split_head(part) {
                        let _ = headers(&head);
                    }
                }
            }
        }

        #[test]
        fn bytes_that_look_like_a_batch_never_panic(body in "(--b|--b--|\r|\n|\r\n|a: b| |x){0,40}") {
            if let Ok(parts) = parts(body.as_bytes(), "b") {
                for part in parts {
                    prop_assert!(body.contains(str::from_utf8(part).unwrap()));
                    let _ = split_head(part);
                }
            }
        }

        #[test]
        fn parts_come_out_as_they_went_in(contents in proptest::collection::vec("([a-z{}:]{0,5}\r?\n?){0,6}[a-z]", 0..5)) {
            let mut body = String::new();
            for content in &contents {
                body.push_str(&format!("--batch\r\n{content}\r\n"));
            }
            body.push_str("--batch--\r\n");
            prop_assert_eq!(texts(&body, "batch"), Ok(contents.iter().map(String::as_str).collect()));
        }
    }
}
