//! The flight for everything but a zip: ask, look at it, prove it, remember it.

use std::sync::Arc;
use std::time::Duration;

use modkeep_fetch::error::Flaw;
use modkeep_fetch::{FetchError, Upstream};
use modkeep_module::dirhash::hash_mod;
use modkeep_module::info::{Info, InfoError};
use modkeep_module::resource::Resource;

use crate::error::Problem;
use crate::metrics::{Outcome, Verdict};
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::flight::Pilot;
use crate::mirror::notary::Line;
use crate::mirror::{Landing, Shared, chain, subject, unreadable};

/// How long a client is asked to wait when the upstream didn't say.
const PAUSE: Duration = Duration::from_secs(10);

/// Flies, keeps what came of it, and tells.
pub(super) async fn fly(shared: Arc<Shared>, resource: Resource, pilot: Pilot<Resource, Option<Landing>>) {
    let landing = match shared.known_meanwhile(&resource).await {
        Some(fact) => Ok(fact),
        None => shared.settle(&resource, shared.bring(&resource).await).await,
    };
    pilot.land(Some(landing));
}

impl Shared {
    async fn bring(&self, resource: &Resource) -> Landing {
        let _turn = self.turns.acquire().await;
        let question = match resource {
            Resource::Mod(version) => Some(self.notary.ask(version)),
            _ => None,
        };
        let answer = self.upstream()?.fetch(resource).await;
        let bytes = match answer {
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        let bytes = bytes.map_err(|error| self.failed(resource, &error))?;
        self.suspicion.clear();
        self.metrics.upstream_bytes.inc_by(bytes.len() as u64);
        look_at(resource, &bytes)?;
        let (h1, by) = match question {
            None => (None, None),
            Some(question) => {
                let h1 = hash_mod(&bytes);
                let proof = question.proves(Line::GoMod, &h1).await;
                self.count_verdict(resource.kind(), &proof);
                (Some(h1.to_string()), proof?)
            }
        };
        let state = State::Proved(Proved { content: Content::here(bytes), h1, by });
        Ok(Fact { at: self.clock.now(), state })
    }

    pub(super) fn count_verdict(&self, kind: &'static str, proof: &Result<Option<String>, Problem>) {
        let verdict = match proof {
            Ok(Some(_)) => Outcome::Proved,
            Ok(None) => Outcome::Unverified,
            Err(Problem::Later { .. }) => Outcome::Unknown,
            Err(_) => Outcome::Refused,
        };
        self.metrics.verdicts.get_or_create(&Verdict { kind, verdict }).inc();
    }

    pub(super) fn upstream(&self) -> Result<&Upstream, Problem> {
        self.upstream.as_deref().ok_or(Problem::Internal)
    }

    /// Keeps a fact under its name; an absence or a refusal becomes a remembered answer.
    pub(super) async fn settle(&self, resource: &Resource, landing: Landing) -> Landing {
        let fact = match landing {
            Ok(fact) => fact,
            Err(Problem::Absent { gone, text, .. }) => {
                Fact { at: self.clock.now(), state: State::Absent { gone, text } }
            }
            Err(Problem::Refused { text }) => {
                tracing::warn!(%resource, %text, "refused");
                Fact { at: self.clock.now(), state: State::Refused { text } }
            }
            Err(problem) => return Err(problem),
        };
        let is_file = resource.version().is_some() && matches!(fact.state, State::Proved(_));
        if is_file {
            self.facts.keep_file(resource, fact).await.map_err(unreadable)
        } else {
            self.facts.remember(resource, &fact).await.map_err(unreadable)?;
            Ok(fact)
        }
    }

    /// What a failure of the upstream means to the client. What only the log should know goes there.
    pub(super) fn failed(&self, resource: &Resource, error: &FetchError) -> Problem {
        let subject = subject(resource);
        let problem = match error {
            FetchError::Absent { status, text, .. } => {
                let text = if text.is_empty() { format!("not found: {subject}") } else { text.clone() };
                Problem::Absent { gone: *status == 410, text, max_age: self.freshness.absent }
            }
            FetchError::Refused { status, text, .. } => {
                let text = if text.is_empty() {
                    format!("{subject}: the upstream answered {status}")
                } else {
                    text.clone()
                };
                Problem::Refused { text }
            }
            FetchError::Busy { status, retry_after, text, .. } => {
                let text = if text.is_empty() {
                    format!("{subject}: the upstream answered {status}")
                } else {
                    text.clone()
                };
                Problem::Later { text, retry_after: retry_after.unwrap_or(PAUSE) }
            }
            FetchError::Private(module) => Problem::Refused { text: format!("{module} is private here") },
            FetchError::Unreachable { .. } => Problem::Later {
                text: format!("{subject}: the upstream can't be reached"),
                retry_after: PAUSE,
            },
            FetchError::Broken { source: Flaw::Info(flaw), .. } => match **flaw {
                InfoError::OtherVersion(_) => Problem::Refused { text: format!("{subject}: {flaw}") },
                _ => unusable(&subject, &flaw.to_string()),
            },
            FetchError::Broken { .. } => Problem::Later {
                text: format!("{subject}: the upstream's answer can't be used"),
                retry_after: PAUSE,
            },
        };
        match problem {
            Problem::Later { .. } => tracing::warn!(%resource, error = %chain(error), "the upstream failed"),
            _ => self.suspicion.clear(),
        }
        problem
    }
}

/// What can be said against an answer by looking at it, beyond what the chain has said already.
fn look_at(resource: &Resource, bytes: &[u8]) -> Result<(), Problem> {
    let subject = subject(resource);
    match resource {
        Resource::Info(_) | Resource::Query(_) | Resource::Latest(_) => {
            let info = Info::parse(bytes).map_err(|error| unusable(&subject, &error.to_string()))?;
            if info.carries_credentials() {
                let text = format!("{subject}: the upstream's .info carries credentials in Origin.URL");
                return Err(Problem::Refused { text });
            }
            Ok(())
        }
        _ if is_markup(bytes) => Err(unusable(&subject, "markup instead of text")),
        _ => Ok(()),
    }
}

/// Neither a list nor a go.mod begins with `<`; pages of gateways do.
fn is_markup(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}

fn unusable(subject: &str, why: &str) -> Problem {
    tracing::warn!(subject, why, "the upstream's answer can't be used");
    Problem::Later {
        text: format!("{subject}: the upstream's answer can't be used: {why}"),
        retry_after: PAUSE,
    }
}
