//! `$batch`: many requests in one (contracts/dataverse.md §5.7). Its operations are answered by the handlers of plain
//! requests; what is done here is reading, order, change sets and references.
//!
//! Where the contract leaves it open: operations do not inherit headers of the batch, later change sets run behind one that
//! failed if errors are to be passed over, and a relative URL is refused.

mod fault;
mod message;
mod multipart;
mod references;
mod render;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};

use self::fault::Fault;
use self::message::{Item, Operation, below_service_root, read};
use self::references::References;
use self::render::{Answer, ItemAnswer, render};
use super::Dynamics;
use super::changes::change;
use super::errors::ApiError;
use super::gateway::wants_annotations;
use super::request::{ApiRequest, Caller};
use super::routes::dispatch;
use super::uri::Segment;

/// Whether a request is a batch.
pub(super) fn is_batch(request: &ApiRequest) -> bool {
    matches!(request.segments.as_slice(), [Segment { name, key: None }] if name == "$batch")
}

/// Answers a batch.
///
/// # Errors
/// If it is no POST. A batch that cannot be read answers 400 in plain JSON; none of it has run.
pub(super) async fn answer(dynamics: &Dynamics, request: &ApiRequest) -> Result<Response, ApiError> {
    if request.method != Method::POST {
        return Err(ApiError::method_not_allowed(&request.method));
    }
    let content_type = request.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let items = match read(content_type, &request.body) {
        Ok(items) => items,
        Err(fault) => return Ok(malformed(request, fault)),
    };
    let (status, answers) = run(dynamics, request, &items);
    Ok(render(status, answers).await)
}

fn malformed(request: &ApiRequest, fault: Fault) -> Response {
    let mut response = ApiError::from(fault).into_response(wants_annotations(&request.headers));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Runs the parts in order. Without `odata.continue-on-error` the first failure is the end, and its status that of the
/// batch.
fn run(dynamics: &Dynamics, request: &ApiRequest, items: &[Item]) -> (StatusCode, Vec<ItemAnswer>) {
    let caller = &request.caller;
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        let answer = match item {
            Item::Operation(operation) => ItemAnswer::Operation(run_alone(dynamics, caller, operation)),
            Item::ChangeSet(operations) => ItemAnswer::ChangeSet(run_together(dynamics, caller, operations)),
        };
        let failure = answer.failure();
        answers.push(answer);
        if let Some(status) = failure.filter(|_| !request.preferences.continue_on_error) {
            return (status, answers);
        }
    }
    (StatusCode::OK, answers)
}

fn run_alone(dynamics: &Dynamics, caller: &Caller, operation: &Operation) -> Answer {
    let answered =
        inner_request(caller, operation, &References::default()).and_then(|inner| dispatch(dynamics, &inner));
    operation.answer(answered)
}

/// Runs a change set: the answers of all its operations, or that of the one that failed.
fn run_together(dynamics: &Dynamics, caller: &Caller, operations: &[Operation]) -> Vec<Answer> {
    let mut organization = dynamics.organization.write();
    let mut references = References::default();
    let done = organization.all_or_nothing(|organization| {
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            let response = inner_request(caller, operation, &references)
                .and_then(|inner| change(dynamics, &inner, organization))
                .map_err(|error| (operation, error))?;
            if let (Some(content_id), Some(url)) = (&operation.content_id, written(&response)) {
                references.note(content_id.clone(), url);
            }
            answers.push(operation.answer(Ok(response)));
        }
        Ok(answers)
    });
    done.unwrap_or_else(|(operation, error): (&Operation, ApiError)| vec![operation.answer(Err(error))])
}

/// The request an operation stands for.
fn inner_request(caller: &Caller, operation: &Operation, references: &References) -> Result<ApiRequest, ApiError> {
    let target = references.resolve(&operation.target)?;
    let below = below_service_root(&target).ok_or_else(|| ApiError::unknown_segment(&target))?;
    let (method, headers) = (operation.method.clone(), operation.headers.clone());
    let body = references.resolve_body(&operation.body)?;
    ApiRequest::parse(caller.clone(), method, below, headers, body)
}

/// URL of the row an answer says was written.
fn written(response: &Response) -> Option<String> {
    let url = response.headers().get("odata-entityid")?;
    // Alternate keys stand in it as they are, letters beyond ASCII included.
    String::from_utf8(url.as_bytes().to_vec()).ok()
}

impl Operation {
    fn answer(&self, answered: Result<Response, ApiError>) -> Answer {
        let annotations = wants_annotations(&self.headers);
        Answer {
            content_id: self.content_id.clone(),
            response: answered.unwrap_or_else(|error| error.into_response(annotations)),
        }
    }
}
