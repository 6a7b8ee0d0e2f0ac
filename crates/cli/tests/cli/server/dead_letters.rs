//! Two dead letters, and what was asked for.

use crosswalk_proto::v1::{
    DeadLetter, DeadLetterGroup, DeadLetterValue, DiscardDeadLettersRequest, DiscardDeadLettersResponse,
    GetDeadLetterRequest, ListDeadLettersRequest, ListDeadLettersResponse, RedriveDeadLettersRequest,
    RedriveDeadLettersResponse, SummarizeDeadLettersRequest, SummarizeDeadLettersResponse,
    dead_letters_server::DeadLetters,
};
use parking_lot::Mutex;
use tonic::{Code, Request, Response, Status};

use super::{error, seconds_ago};

const PARENT: &str = "instances/demo/workflows/ingress";

/// The state of the service of dead letters.
#[derive(Default)]
pub(crate) struct DeadLettersState {
    pub(crate) redriven: Mutex<Vec<RedriveDeadLettersRequest>>,
    pub(crate) discarded: Mutex<Vec<DiscardDeadLettersRequest>>,
}

fn letters() -> Vec<DeadLetter> {
    let letter = |id: &str, code: &str| DeadLetter {
        name: format!("{PARENT}/deadLetters/contact.{id}"),
        record_id: id.to_owned(),
        table: "contact".to_owned(),
        code: code.to_owned(),
        message: "The text is too long.".to_owned(),
        time: seconds_ago(60),
        ..DeadLetter::default()
    };
    vec![letter("a1", "TOO_LONG"), letter("b2", "NOT_A_NUMBER")]
}

#[tonic::async_trait]
impl DeadLetters for DeadLettersState {
    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        // A page for each.
        let request = request.into_inner();
        let place = usize::from(!request.page_token.is_empty());
        let code = request.filter.unwrap_or_default().code;
        let mut letters = letters();
        letters.retain(|letter| code.is_empty() || letter.code == code);
        let total = letters.len() as u64;
        let next_page_token = if place + 1 < letters.len() { "next" } else { "" };
        Ok(Response::new(ListDeadLettersResponse {
            dead_letters: letters.into_iter().skip(place).take(1).collect(),
            next_page_token: next_page_token.to_owned(),
            total,
        }))
    }

    async fn summarize_dead_letters(
        &self,
        _: Request<SummarizeDeadLettersRequest>,
    ) -> Result<Response<SummarizeDeadLettersResponse>, Status> {
        let group = DeadLetterGroup {
            table: "contact".to_owned(),
            code: "TOO_LONG".to_owned(),
            target_field: "firstName".to_owned(),
            count: 1_234,
            first_time: seconds_ago(60),
            last_time: seconds_ago(0),
        };
        Ok(Response::new(SummarizeDeadLettersResponse { groups: vec![group] }))
    }

    async fn get_dead_letter(&self, request: Request<GetDeadLetterRequest>) -> Result<Response<DeadLetter>, Status> {
        let name = request.into_inner().name;
        let found = letters().into_iter().find(|letter| letter.name == name);
        let letter = found.ok_or_else(|| error(Code::NotFound, "NOT_FOUND", &format!("{name} does not exist")))?;
        Ok(Response::new(DeadLetter {
            source_row: vec![DeadLetterValue {
                field: "firstname".to_owned(),
                value: "far too long".to_owned(),
            }],
            ..letter
        }))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<RedriveDeadLettersRequest>,
    ) -> Result<Response<RedriveDeadLettersResponse>, Status> {
        let request = request.into_inner();
        // All of them are too many here.
        let is_all = request.filter.as_ref().is_some_and(|filter| filter.code.is_empty());
        self.redriven.lock().push(request);
        Ok(Response::new(RedriveDeadLettersResponse {
            count: if is_all { 0 } else { 2 },
            waits_for_start: true,
            uncounted: is_all,
        }))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<DiscardDeadLettersRequest>,
    ) -> Result<Response<DiscardDeadLettersResponse>, Status> {
        self.discarded.lock().push(request.into_inner());
        Ok(Response::new(DiscardDeadLettersResponse { count: 2 }))
    }
}
