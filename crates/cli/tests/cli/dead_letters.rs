//! `crosswalk dead-letters`.

use crate::{
    run::{run, run_with_input},
    server::Server,
};

#[tokio::test]
async fn list_goes_through_all_pages() {
    let server = Server::start().await;
    let listed = run(&server, &["dead-letters", "list", "--output", "json"]).await.json();
    let names: Vec<&str> = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|letter| letter["recordId"].as_str())
        .collect();
    assert_eq!(names, ["a1", "b2"]);
    let limited = run(&server, &["dead-letters", "list", "--limit", "1"]).await;
    assert_eq!(limited.code, 0, "{limited:?}");
    assert!(
        limited.stdout.contains("contact.a1") && !limited.stdout.contains("contact.b2"),
        "{limited:?}"
    );
    assert!(limited.stderr.contains("1 of 2 are shown"), "{limited:?}");
}

#[tokio::test]
async fn summary_and_get_tell_the_reason() {
    let server = Server::start().await;
    let summary = run(&server, &["dead-letters", "summary"]).await;
    assert!(
        summary.stdout.contains("TOO_LONG") && summary.stdout.contains("1,234"),
        "{summary:?}"
    );
    let letter = run(&server, &["dead-letters", "get", "contact.a1"]).await;
    assert!(letter.stdout.contains("far too long"), "{letter:?}");
    let missing = run(&server, &["dead-letters", "get", "contact.zz"]).await;
    assert_eq!(missing.code, 1, "{missing:?}");
}

#[tokio::test]
async fn redrive_takes_names_or_a_reason_and_says_when_it_happens() {
    let server = Server::start().await;
    let named = run(&server, &["dead-letters", "redrive", "contact.a1"]).await;
    assert!(named.stderr.contains("when the workflow is started"), "{named:?}");
    run(&server, &["dead-letters", "redrive", "--code", "TOO_LONG"]).await;
    let asked = server.dead_letters.redriven.lock().clone();
    assert_eq!(
        asked[0].names,
        ["instances/demo/workflows/ingress/deadLetters/contact.a1"]
    );
    assert_eq!(
        asked[1].filter.as_ref().map(|filter| filter.code.as_str()),
        Some("TOO_LONG")
    );
    let all = run(&server, &["dead-letters", "redrive", "--all"]).await;
    assert!(
        all.code == 0 && all.stderr.contains("too many to be counted"),
        "{all:?}"
    );
    let nothing = run(&server, &["dead-letters", "redrive"]).await;
    assert_eq!(nothing.code, 2, "which ones has to be said: {nothing:?}");
}

#[tokio::test]
async fn discard_is_refused_where_nobody_can_be_asked_unless_told_not_to() {
    let server = Server::start().await;
    let refused = run_with_input(&server, &["dead-letters", "discard", "--all"], "2\n").await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(server.dead_letters.discarded.lock().is_empty());
    let done = run(&server, &["dead-letters", "discard", "--all", "--yes"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(server.dead_letters.discarded.lock().len(), 1);
}
