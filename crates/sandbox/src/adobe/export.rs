//! Everything a resource holds, as a stream of lines.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::Frame;

use super::organisation::Organisation;
use super::render::RecordWriter;
use super::row::Row;
use super::table::RowId;

/// Rows read under one lock and sent as one piece.
const ROWS_AT_ONCE: usize = 500;

/// Iterator over pieces of newline-delimited JSON. Also a response body.
pub struct Export {
    organisation: Arc<Organisation>,
    resource: String,
    next: RowId,
}

impl Export {
    pub(super) fn new(organisation: Arc<Organisation>, resource: &str) -> Self {
        Self {
            organisation,
            resource: resource.to_owned(),
            next: 1,
        }
    }
}

impl Iterator for Export {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let switches = self.organisation.present_switches();
        let resource = self.organisation.resource(&self.resource)?;
        let writer = RecordWriter::new(&self.organisation, &resource, self.organisation.own_view(&switches));
        let copied = |(id, row): (RowId, &Row)| (id, row.clone());
        let rows: Vec<_> = resource
            .table
            .read()
            .from(self.next)
            .take(ROWS_AT_ONCE)
            .map(copied)
            .collect();
        let mut lines = Vec::new();
        for (id, row) in rows {
            writer.write(&mut lines, id, &row);
            lines.push(b'\n');
            self.next = id + 1;
        }
        (!lines.is_empty()).then(|| Bytes::from(lines))
    }
}

impl HttpBody for Export {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }
}
