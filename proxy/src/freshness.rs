//! For how long a remembered answer is given without asking again.

use std::time::Duration;

use modkeep_module::resource::Resource;

use crate::mirror::fact::State;

/// Lifetimes by what was answered, and how long a client waits for a newer answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// A list of versions.
    pub list: Duration,
    /// `@latest`.
    pub latest: Duration,
    /// What a branch, a hash or a prefix of a version stands for.
    pub query: Duration,
    /// 404 or 410 for any of these.
    pub absent: Duration,
    /// 404 or 410 for a file of a canonical version.
    pub absent_version: Duration,
    /// The upstream's, or a proof's, refusal.
    pub refused: Duration,
    /// The 404 of a path that names nothing: so long others may keep it.
    pub malformed: Duration,
    /// A client whose answer is known but old waits this long for a newer one.
    pub patience: Duration,
    /// A client whose answer is unknown waits this long for the first word of it.
    pub cold_patience: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            list: Duration::from_secs(60),
            latest: Duration::from_secs(60),
            query: Duration::from_secs(60),
            absent: Duration::from_secs(60),
            absent_version: Duration::from_secs(600),
            refused: Duration::from_secs(30),
            malformed: Duration::from_secs(86_400),
            patience: Duration::from_secs(1),
            cold_patience: Duration::from_secs(120),
        }
    }
}

impl Freshness {
    /// The lifetime of what is known of a resource.
    pub(crate) fn of(&self, resource: &Resource, state: &State) -> Duration {
        match (state, resource) {
            (State::Refused { .. }, _) => self.refused,
            (State::Absent { .. }, _) if resource.version().is_some() => self.absent_version,
            (State::Absent { .. }, _) => self.absent,
            (State::Proved(_), Resource::List(_)) => self.list,
            (State::Proved(_), Resource::Latest(_)) => self.latest,
            (State::Proved(_), _) => self.query,
        }
    }
}
