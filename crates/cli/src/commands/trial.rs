//! Trying a mapping without writing anything: `crosswalk mappings preview` and `crosswalk mappings estimate`.

use std::{path::Path, time::Duration};

use crosswalk_proto::v1::{
    EstimateMappingRequest, EstimateMappingResponse, Mapping, Preview, PreviewMappingRequest,
    preview_mapping_request::Records,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::mapping_view::condition;
use crate::{
    arguments::PreviewArguments,
    connection::Connection,
    failure::Failure,
    file::read_message,
    output::{DASH, Output, count, details, table},
};

/// The mapping that a file holds, to be tried before it is saved.
pub(crate) fn unsaved(file: Option<&Path>) -> Result<Option<Mapping>, Failure> {
    file.map(read_message).transpose()
}

/// Shows what a mapping makes of records.
pub(crate) async fn preview(
    connection: &Connection,
    output: Output,
    arguments: PreviewArguments,
    unsaved: Option<Mapping>,
) -> Result<(), Failure> {
    let records = match (arguments.record, arguments.sample) {
        (Some(id), _) => Some(Records::RecordId(id)),
        (None, Some(size)) => Some(Records::SampleSize(size)),
        (None, None) => None,
    };
    let request = PreviewMappingRequest {
        name: connection.instance().mapping(&arguments.mapping),
        mapping: unsaved.clone(),
        records,
    };
    let response = connection.mappings().preview_mapping(request).await;
    let previews = response
        .map_err(|status| connection.failure(&status))?
        .into_inner()
        .previews;
    output.write(&previews, |previews| {
        let shown: Vec<String> = previews.iter().map(|preview| one(preview, unsaved.as_ref())).collect();
        shown.join("\n\n")
    })
}

fn one(preview: &Preview, unsaved: Option<&Mapping>) -> String {
    let effect = preview.effect().as_str_name().trim_start_matches("EFFECT_").to_owned();
    let conditions = unsaved
        .and_then(|mapping| mapping.filter.as_ref())
        .map(|filter| &filter.conditions);
    let failing = preview.failing_conditions.iter().map(|place| {
        let known = conditions.and_then(|conditions| conditions.get(usize::try_from(*place).ok()?));
        known.map_or_else(|| format!("condition {}", place + 1), condition)
    });
    let mut rows = vec![
        ("Record", preview.record_id.clone()),
        ("Effect", effect),
        ("Does not hold", failing.collect::<Vec<_>>().join("\n")),
        ("Mapped row", preview.mapped_json.clone()),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let mut text = details(rows);
    if !preview.errors.is_empty() {
        let errors = preview.errors.iter().map(|error| {
            [
                error.dynamics_field.clone(),
                error.campaign_field.clone(),
                error.code.clone(),
                error.message.clone(),
            ]
        });
        let errors = table(["DYNAMICS FIELD", "CAMPAIGN FIELD", "REASON", "MESSAGE"], errors);
        text.push_str(&format!("\n{errors}"));
    }
    if !preview.differences.is_empty() {
        let differences = preview.differences.iter().map(|difference| {
            let held = if difference.held.is_empty() {
                DASH.to_owned()
            } else {
                difference.held.clone()
            };
            [difference.campaign_field.clone(), held, difference.mapped.clone()]
        });
        let differences = table(["CAMPAIGN FIELD", "CAMPAIGN HOLDS", "WOULD BE"], differences);
        text.push_str(&format!("\n{differences}"));
    }
    text
}

/// Goes through the whole table and says what a start would do.
pub(crate) async fn estimate(connection: &Connection, output: Output, id: &str) -> Result<(), Failure> {
    let request = EstimateMappingRequest {
        name: connection.instance().mapping(id),
    };
    let response = connection.mappings().estimate_mapping(request).await;
    let mut answers = response.map_err(|status| connection.failure(&status))?.into_inner();
    let bar = progress_bar();
    let mut last = EstimateMappingResponse::default();
    while let Some(answer) = answers.message().await.map_err(|status| connection.failure(&status))? {
        bar.set_length(answer.expected_rows.unwrap_or_default().max(answer.rows));
        bar.set_position(answer.rows);
        last = answer;
    }
    bar.finish_and_clear();
    if !last.done {
        return Err(Failure::Usage(
            "the server ended before the whole table was gone through; try again".to_owned(),
        ));
    }
    output.write(&last, estimated)
}

fn progress_bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} reading [{bar:30}] {human_pos} of {human_len} rows, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn estimated(answer: &EstimateMappingResponse) -> String {
    let number = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    let rejected: u64 = answer.rejects.iter().map(|reject| reject.count).sum();
    let text = details([
        ("Rows", number(answer.rows)),
        ("Created", number(answer.creates)),
        ("Updated", number(answer.updates)),
        ("Unchanged", number(answer.unchanged)),
        ("Filtered out", number(answer.filtered)),
        ("Deleted", number(answer.deletes)),
        ("Rejected", number(rejected)),
        ("Campaign calls", number(answer.calls)),
    ]);
    if answer.rejects.is_empty() {
        return text;
    }
    let rejects = answer
        .rejects
        .iter()
        .map(|reject| [reject.code.clone(), reject.campaign_field.clone(), number(reject.count)]);
    format!("{text}\n\n{}", table(["REASON", "CAMPAIGN FIELD", "RECORDS"], rejects))
}
