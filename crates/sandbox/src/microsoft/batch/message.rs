//! The inner form of a batch: operations and change sets (contracts/dataverse.md §5.7). Pure: a batch is read as a whole
//! before anything of it runs.

use std::collections::HashSet;

use axum::body::Bytes;
use http::{HeaderMap, Method};

use super::fault::Fault;
use super::multipart::{boundary, headers, parts, printable, split_head};
use crate::microsoft::request::SERVICE_ROOT;

/// Most operations of a batch, those in change sets included.
pub(super) const MAX_OPERATIONS: usize = 1000;
/// Longest URL of an operation, in characters (§2.1).
pub(super) const MAX_TARGET: usize = 65_536;
/// Methods of operations.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];

/// One request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// `Content-ID` of the part; operations of a change set always have one.
    pub content_id: Option<String>,
    /// Method.
    pub method: Method,
    /// URL as it stands in the request line: absolute, a path, or a reference to an operation before.
    pub target: String,
    /// The operation's own headers; none of the batch's are added.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// What a batch consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// An operation by itself.
    Operation(Operation),
    /// Operations of which all take effect or none.
    ChangeSet(Vec<Operation>),
}

/// Reads a batch.
pub(super) fn read(content_type: &str, body: &Bytes) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    let mut operations = 0;
    for part in parts(body, boundary(content_type)?)? {
        let item = item(body, part)?;
        operations += match &item {
            Item::Operation(_) => 1,
            Item::ChangeSet(operations) => operations.len(),
        };
        if operations > MAX_OPERATIONS {
            return Err(Fault::TooManyOperations);
        }
        items.push(item);
    }
    Ok(items)
}

/// Path and query below the service root of an absolute URL or a path; `None` if it leads elsewhere. The host does not
/// matter: the service answers to more than one.
pub(super) fn below_service_root(target: &str) -> Option<(&str, &str)> {
    let path = match after_scheme(target) {
        Some(rest) => &rest[rest.find('/')?..],
        None => target,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let below = path.strip_prefix(SERVICE_ROOT)?;
    (below.is_empty() || below.starts_with('/')).then_some((below, query))
}

fn after_scheme(target: &str) -> Option<&str> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

fn item(whole: &Bytes, part: &[u8]) -> Result<Item, Fault> {
    let (head, content) = split_head(part)?;
    let head = headers(&head)?;
    let content_type = content_type(&head);
    if is_change_set(content_type) {
        return change_set(whole, content, content_type).map(Item::ChangeSet);
    }
    operation(whole, &head, content).map(Item::Operation)
}

fn change_set(whole: &Bytes, content: &[u8], content_type: &str) -> Result<Vec<Operation>, Fault> {
    let mut operations = Vec::new();
    let mut content_ids = HashSet::new();
    for part in parts(content, boundary(content_type)?)? {
        let (head, content) = split_head(part)?;
        let head = headers(&head)?;
        if is_change_set(self::content_type(&head)) {
            return Err(Fault::NestedChangeSet);
        }
        let operation = operation(whole, &head, content)?;
        if operation.method == Method::GET {
            return Err(Fault::ReadInChangeSet);
        }
        let content_id = operation.content_id.clone().ok_or(Fault::ContentIdMissing)?;
        if !content_ids.insert(content_id.clone()) {
            return Err(Fault::ContentIdTwice(content_id));
        }
        operations.push(operation);
    }
    Ok(operations)
}

fn content_type(head: &HeaderMap) -> &str {
    let value = head.get("content-type").and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn is_change_set(content_type: &str) -> bool {
    media_type(content_type).eq_ignore_ascii_case("multipart/mixed")
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn operation(whole: &Bytes, part: &HeaderMap, content: &[u8]) -> Result<Operation, Fault> {
    let content_type = content_type(part);
    if !media_type(content_type).eq_ignore_ascii_case("application/http") {
        return Err(Fault::PartType(content_type.to_owned()));
    }
    let text = |name: &str| part.get(name).and_then(|value| value.to_str().ok());
    if !text("content-transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("binary")) {
        return Err(Fault::TransferEncoding);
    }
    let (head, body) = split_head(content)?;
    let Some((request_line, head)) = head.split_first() else {
        return Err(Fault::RequestLine(String::new()));
    };
    let (method, target) = read_request_line(request_line)?;
    Ok(Operation {
        content_id: text("content-id").filter(|id| !id.is_empty()).map(str::to_owned),
        method,
        target: target.to_owned(),
        headers: headers(head)?,
        body: whole.slice_ref(body),
    })
}

/// `METHOD URL HTTP/1.1`. Blanks in the URL are let pass, as the product does.
fn read_request_line(line: &str) -> Result<(Method, &str), Fault> {
    let refused = || Fault::RequestLine(printable(line.as_bytes()));
    let (method, rest) = line.split_once(' ').ok_or_else(refused)?;
    let (target, version) = rest.rsplit_once(' ').ok_or_else(refused)?;
    if version != "HTTP/1.1" || target.is_empty() {
        return Err(refused());
    }
    let method = METHODS
        .into_iter()
        .find(|known| known.as_str() == method)
        .ok_or_else(|| Fault::Method(printable(method.as_bytes())))?;
    check_target(target)?;
    Ok((method, target))
}

fn check_target(target: &str) -> Result<(), Fault> {
    if target.chars().count() > MAX_TARGET {
        return Err(Fault::TargetTooLong);
    }
    let is_known_form = target.starts_with(['/', '$']) || after_scheme(target).is_some();
    if !is_known_form {
        return Err(Fault::RelativeTarget(printable(target.as_bytes())));
    }
    match below_service_root(target) {
        Some((path, _)) if path.trim_matches('/') == "$batch" => Err(Fault::NestedBatch),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/mixed; boundary=b";
    const PART: &str = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    const IN_SET: &str = "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n";

    fn read_text(body: &str) -> Result<Vec<Item>, Fault> {
        read(TYPE, &Bytes::copy_from_slice(body.as_bytes()))
    }

    fn change_set(operations: &str) -> Result<Vec<Item>, Fault> {
        read_text(&format!(
            "--b\r\nContent-Type: multipart/mixed;boundary=\"c\"\r\n\r\n{operations}--c--\r\n--b--\r\n"
        ))
    }

    fn alone(request: &str) -> Result<Vec<Item>, Fault> {
        read_text(&format!("{PART}{request}\r\n--b--\r\n"))
    }

    #[test]
    fn operations_and_change_sets_are_read_in_order() {
        let patch = "PATCH /api/data/v9.2/contacts(a) HTTP/1.1\r\nContent-Type: application/json; type=entry\r\n\
                     If-Match: *\r\n\r\n{\"a\":1}\r\n";
        let body = format!(
            "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{IN_SET}Content-ID: 7\r\n\r\n{patch}--c--\r\n{PART}GET \
             https://org/api/data/v9.2/contacts?$top=1 HTTP/1.1\r\nAccept: application/json\r\n\r\n--b--\r\n"
        );
        let items = read_text(&body).unwrap();
        let [Item::ChangeSet(operations), Item::Operation(get)] = items.as_slice() else {
            panic!("{items:?}");
        };
        let [operation] = operations.as_slice() else {
            panic!("{operations:?}");
        };
        assert_eq!(operation.content_id.as_deref(), Some("7"));
        assert_eq!(
            (&operation.method, operation.target.as_str()),
            (&Method::PATCH, "/api/data/v9.2/contacts(a)")
        );
        assert_eq!(
            (&operation.headers["if-match"], &operation.body[..]),
            (&"*".parse().unwrap(), &b"{\"a\":1}"[..])
        );
        assert_eq!(
            (get.content_id.as_deref(), &get.method, get.body.len()),
            (None, &Method::GET, 0)
        );
        assert_eq!(get.target, "https://org/api/data/v9.2/contacts?$top=1");
    }

    #[test]
    fn malformed_operations_are_refused_by_what_is_wrong() {
        let get = "GET /api/data/v9.2/contacts HTTP/1.1\r\n";
        let long = "x".repeat(MAX_TARGET);
        let cases = [
            (alone("GET /api/data/v9.2/contacts\r\n"), "request line"),
            (alone("GET /api/data/v9.2/contacts HTTP/2\r\n"), "request line"),
            (alone("get /api/data/v9.2/contacts HTTP/1.1\r\n"), "HTTP method 'get'"),
            (alone("GET contacts HTTP/1.1\r\n"), "relative URI 'contacts'"),
            (alone(&format!("GET /{long} HTTP/1.1\r\n")), "limit of 65536 characters"),
            (alone("POST /api/data/v9.2/$batch HTTP/1.1\r\n"), "other batch requests"),
            (alone(&format!("{get}no header\r\n")), "invalid header"),
            (alone(""), "request line"),
            (read_text(&format!("--b\r\n\r\n{get}\r\n--b--")), "'Content-Type'"),
            (
                read_text(&format!("--b\r\nContent-Type: application/http\r\n\r\n{get}\r\n--b--")),
                "Content-Transfer-Encoding",
            ),
            (change_set(&format!("{IN_SET}Content-ID: 1\r\n\r\n{get}\r\n")), "'GET'"),
            (
                change_set("--c\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n--d--\r\n"),
                "Nested",
            ),
        ];
        for (read, text) in cases {
            let fault = read.unwrap_err().to_string();
            assert!(fault.contains(text), "{fault} is not about {text}");
        }
    }

    #[test]
    fn operations_of_a_change_set_need_content_ids_of_their_own() {
        let delete = "DELETE /api/data/v9.2/contacts(a) HTTP/1.1\r\n\r\n";
        let one = |id: &str| format!("{IN_SET}{id}\r\n{delete}\r\n");
        assert_eq!(change_set(&one("")), Err(Fault::ContentIdMissing));
        let two = |ids: [&str; 2]| ids.map(|id| one(&format!("Content-ID: {id}\r\n"))).concat();
        assert_eq!(change_set(&two(["1", "1"])), Err(Fault::ContentIdTwice("1".to_owned())));
        assert!(change_set(&two(["1", "2"])).is_ok());
    }

    #[test]
    fn operations_are_counted_through_all_change_sets() {
        let delete = |id: usize| {
            format!("{IN_SET}Content-ID: {id}\r\n\r\nDELETE /api/data/v9.2/contacts(a) HTTP/1.1\r\n\r\n\r\n")
        };
        let set = |operations: usize| {
            let operations: String = (0..operations).map(delete).collect();
            format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{operations}--c--\r\n")
        };
        let get = format!("{PART}GET /api/data/v9.2/contacts HTTP/1.1\r\n\r\n");
        let most = format!("{}{}{get}--b--", set(500), set(499));
        assert!(read_text(&most).is_ok());
        let more = format!("{}{}{get}--b--", set(500), set(500));
        assert_eq!(read_text(&more), Err(Fault::TooManyOperations));
    }

    #[test]
    fn targets_lead_below_the_service_root_or_elsewhere() {
        assert_eq!(
            below_service_root("HTTPS://other/api/data/v9.2/contacts?a=b?c"),
            Some(("/contacts", "a=b?c"))
        );
        assert_eq!(below_service_root("/api/data/v9.2"), Some(("", "")));
        for target in ["/api/data/v9.21/contacts", "/contacts", "https://org", "contacts", ""] {
            assert_eq!(below_service_root(target), None, "{target}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused_without_a_panic(
            body in "(--b\r\n|--b--|--c\r\n|--c--|\r\n|\n|Content-Type: |application/http|multipart/mixed; boundary=c|Content-Transfer-Encoding: binary|Content-ID: 1|GET /api/data/v9.2/a HTTP/1.1|POST \\$1 HTTP/1.1|\\{\\}|é){0,40}"
        ) {
            let _ = read_text(&body);
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            content_type in "(multipart/mixed; boundary=b|\\PC{0,20})",
            body in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = read(&content_type, &Bytes::from(body));
        }

        #[test]
        fn one_bare_line_feed_outside_of_a_body_is_refused(line in 0_usize..8) {
            let body = format!(
                "{PART}POST /api/data/v9.2/contacts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--b--"
            );
            prop_assert!(read_text(&body).is_ok());
            let (at, _) = body.match_indices("\r\n").nth(line).unwrap();
            let broken = format!("{}{}", &body[..at], &body[at + 1..]);
            prop_assert_eq!(read_text(&broken), Err(Fault::LineEnd));
        }

        #[test]
        fn operations_come_out_as_they_went_in(
            bodies in proptest::collection::vec("[ -,.-~\n]{0,30}", 0..6),
            path in "/api/data/v9.2/[a-z]{1,8}",
        ) {
            let parts: String = bodies
                .iter()
                .map(|body| format!("{PART}POST {path} HTTP/1.1\r\nPrefer: x\r\n\r\n{body}\r\n"))
                .collect();
            let items = read_text(&format!("{parts}--b--\r\n")).unwrap();
            let read: Vec<_> = items
                .iter()
                .map(|item| match item {
                    Item::Operation(operation) => (operation.target.clone(), operation.body.to_vec()),
                    Item::ChangeSet(_) => (String::new(), Vec::new()),
                })
                .collect();
            let sent: Vec<_> = bodies.iter().map(|body| (path.clone(), body.clone().into_bytes())).collect();
            prop_assert_eq!(read, sent);
        }
    }
}
