//! `crosswalk dead-letters`.

use std::io::{self, BufRead as _, IsTerminal as _};

use crosswalk_proto::v1::{
    DeadLetter, DeadLetterFilter, DeadLetterGroup, DiscardDeadLettersRequest, GetDeadLetterRequest,
    ListDeadLettersRequest, RedriveDeadLettersRequest, SummarizeDeadLettersRequest,
};
use jiff::Timestamp;

use crate::{
    arguments::{ChosenLetters, DeadLettersCommand, FilterArguments, GlobalArguments, WorkflowId},
    connection::Connection,
    failure::Failure,
    names::id_of,
    output::{Output, ago_or_dash, count, details, notice, shorten, table},
};

/// Longest message in a table row; `get` shows it whole.
const MESSAGE_CHARACTERS: usize = 80;

/// Most dead letters of one answer.
const PAGE_SIZE: u32 = 1_000;

/// Runs a command on dead letters.
pub(crate) async fn dead_letters(
    arguments: &GlobalArguments,
    output: Output,
    command: DeadLettersCommand,
) -> Result<(), Failure> {
    let connection = &Connection::open(arguments).await?;
    match command {
        DeadLettersCommand::List { of, filter, limit } => list(connection, output, of.workflow, &filter, limit).await,
        DeadLettersCommand::Summary { of, filter } => summary(connection, output, of.workflow, &filter).await,
        DeadLettersCommand::Get { of, letter } => {
            get(connection, output, &name(connection, of.workflow, &letter)).await
        }
        DeadLettersCommand::Redrive { of, chosen } => redrive(connection, output, of.workflow, chosen).await,
        DeadLettersCommand::Discard { of, chosen, yes } => discard(connection, output, of.workflow, chosen, yes).await,
    }
}

async fn list(
    connection: &Connection,
    output: Output,
    workflow: WorkflowId,
    filter: &FilterArguments,
    limit: u32,
) -> Result<(), Failure> {
    let mut letters: Vec<DeadLetter> = Vec::new();
    let mut token = String::new();
    let total = loop {
        let missing = limit - u32::try_from(letters.len()).unwrap_or(limit).min(limit);
        let request = ListDeadLettersRequest {
            parent: connection.instance().workflow(workflow),
            filter: Some(message(filter)),
            page_size: i32::try_from(missing.min(PAGE_SIZE)).unwrap_or(i32::MAX),
            page_token: token,
        };
        let response = connection.dead_letters().list_dead_letters(request).await;
        let page = response.map_err(|status| connection.failure(&status))?.into_inner();
        letters.extend(page.dead_letters);
        token = page.next_page_token;
        if token.is_empty() || letters.len() >= limit as usize {
            break page.total;
        }
    };
    if total > letters.len() as u64 {
        notice(format_args!(
            "{} of {total} are shown; raise --limit to see more",
            letters.len()
        ));
    }
    output.write(&letters, |letters| letters_table(letters))
}

fn letters_table(letters: &[DeadLetter]) -> String {
    let now = Timestamp::now();
    let row = |letter: &DeadLetter| {
        [
            id_of(&letter.name).to_owned(),
            letter.code.clone(),
            ago_or_dash(letter.time.as_ref(), now),
            if letter.redrive_pending { "pending" } else { "" }.to_owned(),
            shorten(&letter.message, MESSAGE_CHARACTERS),
        ]
    };
    table(
        ["LETTER", "REASON", "SET ASIDE", "REDRIVE", "MESSAGE"],
        letters.iter().map(row),
    )
}

async fn summary(
    connection: &Connection,
    output: Output,
    workflow: WorkflowId,
    filter: &FilterArguments,
) -> Result<(), Failure> {
    let request = SummarizeDeadLettersRequest {
        parent: connection.instance().workflow(workflow),
        filter: Some(message(filter)),
    };
    let response = connection.dead_letters().summarize_dead_letters(request).await;
    let groups = response
        .map_err(|status| connection.failure(&status))?
        .into_inner()
        .groups;
    output.write(&groups, |groups| groups_table(groups))
}

fn groups_table(groups: &[DeadLetterGroup]) -> String {
    let now = Timestamp::now();
    let row = |group: &DeadLetterGroup| {
        [
            group.table.clone(),
            group.code.clone(),
            group.target_field.clone(),
            count(i64::try_from(group.count).unwrap_or(i64::MAX)),
            ago_or_dash(group.first_time.as_ref(), now),
            ago_or_dash(group.last_time.as_ref(), now),
        ]
    };
    table(
        ["TABLE", "REASON", "FIELD", "RECORDS", "FIRST", "LAST"],
        groups.iter().map(row),
    )
}

async fn get(connection: &Connection, output: Output, name: &str) -> Result<(), Failure> {
    let request = GetDeadLetterRequest { name: name.to_owned() };
    let response = connection.dead_letters().get_dead_letter(request).await;
    output.write(
        &response.map_err(|status| connection.failure(&status))?.into_inner(),
        whole,
    )
}

fn whole(letter: &DeadLetter) -> String {
    let now = Timestamp::now();
    let place = letter.place.as_ref().map_or_else(String::new, |place| {
        format!(
            "{}, partition {}, offset {}",
            place.topic, place.partition, place.offset
        )
    });
    let answer = match letter.answer_status {
        0 => String::new(),
        status => format!("{status} {}", letter.answer),
    };
    let redrive = if letter.redrive_pending { "asked for" } else { "" };
    let request = [letter.request_line.as_str(), letter.request_json.as_str()];
    let mut rows = vec![
        ("Record", letter.record_id.clone()),
        ("Table", letter.table.clone()),
        ("Reason", letter.code.clone()),
        ("Message", letter.message.clone()),
        ("Set aside", ago_or_dash(letter.time.as_ref(), now)),
        ("Read", ago_or_dash(letter.read_time.as_ref(), now)),
        ("Redrive", redrive.to_owned()),
        ("Place", place),
        ("Run", letter.run_id.clone()),
        ("Request", request.join(" ").trim().to_owned()),
        ("Answer", answer),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let mut text = details(rows);
    if !letter.faults.is_empty() {
        let faults = letter.faults.iter().map(|fault| {
            [
                fault.source_field.clone(),
                fault.target_field.clone(),
                fault.code.clone(),
                fault.message.clone(),
            ]
        });
        let faults = table(["DYNAMICS FIELD", "CAMPAIGN FIELD", "REASON", "MESSAGE"], faults);
        text.push_str(&format!("\n\n{faults}"));
    }
    if !letter.source_row.is_empty() {
        let values = letter
            .source_row
            .iter()
            .map(|value| [value.field.clone(), value.value.clone()]);
        text.push_str(&format!("\n\n{}", table(["COLUMN", "VALUE"], values)));
    }
    text
}

async fn redrive(
    connection: &Connection,
    output: Output,
    workflow: WorkflowId,
    chosen: ChosenLetters,
) -> Result<(), Failure> {
    let (names, filter) = meant(connection, workflow, chosen);
    let request = RedriveDeadLettersRequest {
        parent: connection.instance().workflow(workflow),
        names,
        filter,
    };
    let response = connection.dead_letters().redrive_dead_letters(request).await;
    let answer = response.map_err(|status| connection.failure(&status))?.into_inner();
    let when = if answer.waits_for_start {
        " when the workflow is started"
    } else {
        ""
    };
    let letters = if answer.uncounted {
        "all dead letters that are meant, too many to be counted,".to_owned()
    } else {
        format!("{} dead letters", answer.count)
    };
    notice(format_args!("{letters} are redriven{when}"));
    output.write(&answer, |_| String::new())
}

async fn discard(
    connection: &Connection,
    output: Output,
    workflow: WorkflowId,
    chosen: ChosenLetters,
    yes: bool,
) -> Result<(), Failure> {
    let (names, filter) = meant(connection, workflow, chosen);
    if !yes {
        confirm(connection, workflow, &names, filter.as_ref()).await?;
    }
    let request = DiscardDeadLettersRequest {
        parent: connection.instance().workflow(workflow),
        names,
        filter,
    };
    let response = connection.dead_letters().discard_dead_letters(request).await;
    let answer = response.map_err(|status| connection.failure(&status))?.into_inner();
    notice(format_args!("{} dead letters are discarded", answer.count));
    output.write(&answer, |_| String::new())
}

/// Has the user type how many dead letters there are.
async fn confirm(
    connection: &Connection,
    workflow: WorkflowId,
    names: &[String],
    filter: Option<&DeadLetterFilter>,
) -> Result<(), Failure> {
    let refused = || Failure::Usage("nothing was discarded; say --yes to discard without being asked".to_owned());
    if !io::stdin().is_terminal() {
        return Err(refused());
    }
    let letters = match filter {
        None => names.len() as u64,
        Some(filter) => {
            let request = SummarizeDeadLettersRequest {
                parent: connection.instance().workflow(workflow),
                filter: Some(filter.clone()),
            };
            let response = connection.dead_letters().summarize_dead_letters(request).await;
            let groups = response
                .map_err(|status| connection.failure(&status))?
                .into_inner()
                .groups;
            groups.iter().map(|group| group.count).sum()
        }
    };
    notice(format_args!(
        "{letters} dead letters will be discarded. Type {letters} to go on:"
    ));
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    if typed.trim() == letters.to_string() {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Names, or a filter, as a request has them.
fn meant(
    connection: &Connection,
    workflow: WorkflowId,
    chosen: ChosenLetters,
) -> (Vec<String>, Option<DeadLetterFilter>) {
    if !chosen.letters.is_empty() {
        let names = chosen.letters.iter().map(|letter| name(connection, workflow, letter));
        return (names.collect(), None);
    }
    let filter = DeadLetterFilter {
        code: chosen.code.unwrap_or_default(),
        table: chosen.table.unwrap_or_default(),
        ..DeadLetterFilter::default()
    };
    (Vec::new(), Some(filter))
}

/// The whole name of a dead letter, which may be given so or as TABLE.ID.
fn name(connection: &Connection, workflow: WorkflowId, letter: &str) -> String {
    if letter.starts_with("instances/") {
        letter.to_owned()
    } else {
        format!("{}/deadLetters/{letter}", connection.instance().workflow(workflow))
    }
}

fn message(filter: &FilterArguments) -> DeadLetterFilter {
    let moment = |moment: Option<Timestamp>| {
        moment.map(|moment| pbjson_types::Timestamp {
            seconds: moment.as_second(),
            nanos: moment.subsec_nanosecond(),
        })
    };
    DeadLetterFilter {
        code: filter.code.clone().unwrap_or_default(),
        table: filter.table.clone().unwrap_or_default(),
        record_id: filter.record.clone().unwrap_or_default(),
        since: moment(filter.since),
        before: moment(filter.before),
    }
}
