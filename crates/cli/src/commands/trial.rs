//! Trying a mapping without writing anything: `crosswalk mappings preview` and `crosswalk mappings estimate`.

use std::{path::Path, time::Duration};

use crosswalk_proto::v1::{
    Condition, EstimateMappingRequest, EstimateMappingResponse, Mapping, Preview, PreviewMappingRequest,
    estimate_mapping_response::Read, preview_mapping_request::Records,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{mapping_view::condition, mappings::present};
use crate::{
    arguments::{Format, PreviewArguments},
    connection::Connection,
    failure::Failure,
    file::read_message,
    output::{DASH, Output, count, details, notice, table},
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
    let is_filtered = previews.iter().any(|preview| !preview.failing_conditions.is_empty());
    let tried = match unsaved {
        None if is_filtered && output.format() == Format::Table => saved(connection, &arguments.mapping).await,
        unsaved => unsaved,
    };
    let conditions = tried.and_then(|mapping| mapping.filter).unwrap_or_default().conditions;
    output.write(&previews, |previews| {
        let shown: Vec<String> = previews.iter().map(|preview| one(preview, &conditions)).collect();
        shown.join("\n\n")
    })
}

/// The saved mapping, for the words of its conditions; without it they are counted.
async fn saved(connection: &Connection, id: &str) -> Option<Mapping> {
    match present(connection, &connection.instance().mapping(id)).await {
        Ok(mapping) => Some(mapping),
        Err(status) => {
            notice(format_args!("the conditions are not known: {}", status.message()));
            None
        }
    }
}

fn one(preview: &Preview, conditions: &[Condition]) -> String {
    let failing = preview.failing_conditions.iter().map(|place| {
        let known = usize::try_from(*place).ok().and_then(|place| conditions.get(place));
        known.map_or_else(|| format!("condition {}", place + 1), condition)
    });
    let mut rows = vec![
        ("Record", preview.record_id.clone()),
        ("Effect", effect(preview)),
        ("Does not hold", failing.collect::<Vec<_>>().join("\n")),
        ("Mapped row", preview.mapped_json.clone()),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let parts = [details(rows), source(preview), errors(preview), differences(preview)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn source(preview: &Preview) -> String {
    let values = preview.source.iter();
    let values = values.map(|one| [one.dynamics_field.clone(), one.value.clone()]);
    unless_empty(["DYNAMICS FIELD", "VALUE"], values)
}

fn errors(preview: &Preview) -> String {
    let errors = preview.errors.iter().map(|error| {
        [
            error.dynamics_field.clone(),
            error.campaign_field.clone(),
            error.code.clone(),
            error.message.clone(),
        ]
    });
    unless_empty(["DYNAMICS FIELD", "CAMPAIGN FIELD", "REASON", "MESSAGE"], errors)
}

fn differences(preview: &Preview) -> String {
    let differences = preview.differences.iter().map(|difference| {
        let held = if difference.held.is_empty() {
            DASH
        } else {
            &difference.held
        };
        let written_by = if difference.only_by_replay {
            "a replay only"
        } else {
            "any change"
        };
        [
            difference.campaign_field.clone(),
            held.to_owned(),
            difference.mapped.clone(),
            written_by.to_owned(),
        ]
    });
    unless_empty(
        ["CAMPAIGN FIELD", "CAMPAIGN HOLDS", "WOULD BE", "WRITTEN BY"],
        differences,
    )
}

/// A table, or nothing if there is nothing in it.
fn unless_empty<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl ExactSizeIterator<Item = [String; COLUMNS]>,
) -> String {
    if rows.len() == 0 {
        String::new()
    } else {
        table(header, rows)
    }
}

fn effect(preview: &Preview) -> String {
    let effect = preview.effect().as_str_name().trim_start_matches("EFFECT_");
    if preview.deletion_unknown {
        format!("{effect}; DELETE if Crosswalk wrote it, which could not be found out in time")
    } else {
        effect.to_owned()
    }
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
        return Err(Failure::CutShort(
            "the server ended before the whole table was gone through; try again".to_owned(),
        ));
    }
    output.write(&last, estimated)
}

/// What the figures are figures of.
fn figures_of(answer: &EstimateMappingResponse) -> &'static str {
    match answer.read() {
        Read::FirstLoad => "the first load, with the next start",
        Read::Replay if answer.force => "the replay of all records that has been asked for",
        Read::Replay => "the replay that has been asked for",
        Read::Recovery => "the next start, which reads the table anew since its position has expired",
        Read::Changes => "a replay; a start without one goes on from its position and reads only what changes",
        // A server of an earlier release.
        Read::Unspecified => "later changes of all rows",
    }
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
        ("Figures of", figures_of(answer).to_owned()),
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
