//! Answers of the catalogs, kept for a while: an organisation has thousands of tables, and an editor asks for them again and
//! again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crosswalk_core::{InstanceId, control::Etag};
use crosswalk_proto::v1::Table;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::system::{System, SystemFailure};

/// How long an answer will do.
const KEPT_FOR: Duration = Duration::from_secs(300);

/// Most answers kept. A table of 400 columns takes about 100 KiB.
const MOST: usize = 500;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) instance: InstanceId,
    /// The version of the instance's settings: another one may lead elsewhere.
    pub(crate) settings: Etag,
    pub(crate) system: System,
    /// One table with its fields; none: all tables without.
    pub(crate) table: Option<String>,
}

/// Answers of the catalogs.
#[derive(Default)]
pub(crate) struct CatalogCache {
    answers: Mutex<HashMap<Question, Answer>>,
}

#[derive(Clone)]
struct Answer {
    tables: Arc<Vec<Table>>,
    at: Instant,
}

impl CatalogCache {
    /// The answer to a question: one that is kept, unless it is to be refreshed, or what `ask` says. Failures are not kept.
    pub(crate) async fn answer(
        &self,
        question: Question,
        refresh: bool,
        ask: impl Future<Output = Result<Vec<Table>, SystemFailure>>,
    ) -> Result<Arc<Vec<Table>>, SystemFailure> {
        if !refresh && let Some(kept) = self.kept(&question) {
            return Ok(kept);
        }
        let answer = Answer {
            tables: Arc::new(ask.await?),
            at: Instant::now(),
        };
        let tables = Arc::clone(&answer.tables);
        self.keep(question, answer);
        Ok(tables)
    }

    fn kept(&self, question: &Question) -> Option<Arc<Vec<Table>>> {
        let answers = self.answers.lock();
        let answer = answers.get(question)?;
        (answer.at.elapsed() < KEPT_FOR).then(|| Arc::clone(&answer.tables))
    }

    fn keep(&self, question: Question, answer: Answer) {
        let mut answers = self.answers.lock();
        answers.retain(|_, answer| answer.at.elapsed() < KEPT_FOR);
        if answers.len() >= MOST
            && let Some(oldest) = answers
                .iter()
                .min_by_key(|(_, answer)| answer.at)
                .map(|(question, _)| question.clone())
        {
            answers.remove(&oldest);
        }
        answers.insert(question, answer);
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::control::LogOffset;

    use super::*;

    fn question(table: usize) -> Question {
        Question {
            instance: "demo".parse().unwrap(),
            settings: Etag(LogOffset(1)),
            system: System::Dynamics,
            table: Some(table.to_string()),
        }
    }

    async fn ask(cache: &CatalogCache, question: Question, refresh: bool, name: &str) -> String {
        let table = Table {
            table_id: name.to_owned(),
            ..Table::default()
        };
        let answer = cache.answer(question, refresh, async { Ok(vec![table]) }).await;
        answer.unwrap()[0].table_id.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_for_five_minutes_unless_it_is_refreshed() {
        let cache = CatalogCache::default();
        assert_eq!(ask(&cache, question(1), false, "first").await, "first");
        assert_eq!(ask(&cache, question(1), false, "second").await, "first");
        assert_eq!(ask(&cache, question(1), true, "third").await, "third");
        let other = Question {
            settings: Etag(LogOffset(2)),
            ..question(1)
        };
        assert_eq!(ask(&cache, other, false, "elsewhere").await, "elsewhere");
        tokio::time::advance(KEPT_FOR).await;
        assert_eq!(ask(&cache, question(1), false, "fourth").await, "fourth");
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_answer_goes_when_there_are_too_many() {
        let cache = CatalogCache::default();
        for number in 0..=MOST {
            ask(&cache, question(number), false, "kept").await;
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(cache.answers.lock().len(), MOST);
        assert_eq!(ask(&cache, question(0), false, "anew").await, "anew");
        assert_eq!(ask(&cache, question(MOST), false, "anew").await, "kept");
    }
}
