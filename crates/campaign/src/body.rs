//! Reading answers into memory, within bounds.

use reqwest::Response;

/// What was read of a body.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Whether it ended within the limit.
    pub(crate) complete: bool,
}

/// Reads a body up to `limit` bytes; the rest, if any, is left unread.
pub(crate) async fn read(response: &mut Response, limit: usize) -> Result<Body, reqwest::Error> {
    let expected = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or_default();
    let mut bytes = Vec::with_capacity(expected.min(limit));
    while let Some(chunk) = response.chunk().await? {
        let room = limit - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok(Body { bytes, complete: false });
        }
    }
    Ok(Body { bytes, complete: true })
}

/// Reads a body to its end without keeping it, so that the connection can serve the next call. Stops at `limit` bytes or
/// when the connection breaks: the call has succeeded by then.
pub(crate) async fn drain(response: &mut Response, limit: usize) {
    let mut length = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        length += chunk.len();
        if length > limit {
            return;
        }
    }
}
