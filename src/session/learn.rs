//! Finding out what the resolver needs: at once what the disk knows, then everything else together.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use modkeep_module::ModuleVersion;
use modkeep_module::info::Info;
use modkeep_resolver::error::ModuleError;
use modkeep_resolver::known::{Need, Revision};
use modkeep_resolver::order;

use super::source::{Kept, Source, Stop, module_version};
use super::{Session, end};
use crate::locked;
use crate::report::Failure;

/// Questions to the upstream that are in the air at the same time.
const AT_ONCE: usize = 128;

/// What was found out.
enum Answer {
    GoMod(Result<Vec<u8>, ModuleError>),
    Versions(Result<Vec<String>, ModuleError>),
    Revision(Result<Revision, ModuleError>, Option<Arc<Info>>),
    Latest(Result<Revision, ModuleError>),
}

fn revision(info: &Info) -> Revision {
    Revision { version: info.version.clone(), time: info.time.clone() }
}

impl Session<'_> {
    /// Finds out and tells.
    pub(super) fn learn(&mut self, needs: Vec<Need>) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        for need in needs {
            match self.at_once(&need)? {
                Some(answer) => self.tell(&need, answer),
                None => waiting.push(need),
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let source = &self.source;
        let count = waiting.len();
        let answers = source.block_on(async {
            let ask = |(index, need): (usize, Need)| {
                let source = Arc::clone(source);
                async move {
                    let answer = find_out(&source, &need).await;
                    (index, need, answer)
                }
            };
            let mut answers: Vec<_> = stream::iter(waiting.into_iter().enumerate().map(ask))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            answers.sort_by_key(|(index, ..)| *index);
            answers
        });
        debug_assert_eq!(answers.len(), count);
        for (_, need, answer) in answers {
            self.tell(&need, answer.map_err(end)?);
        }
        Ok(())
    }

    fn tell(&mut self, need: &Need, answer: Answer) {
        let known = &mut self.world.known;
        match (need, answer) {
            (Need::GoMod(node), Answer::GoMod(data)) => {
                let name = match &*node.version {
                    "" => self.go.short(&self.ground.replaced(&node.path)),
                    _ => "go.mod".to_owned(),
                };
                known.tell_go_mod(node, &name, data.as_deref().map_err(Clone::clone));
            }
            (Need::Versions(path), Answer::Versions(versions)) => known.tell_versions(path, versions),
            (Need::Revision { path, revision }, Answer::Revision(answer, info)) => {
                known.tell_revision(path, revision, answer);
                if let Some(info) = info {
                    self.infos.insert((path.clone(), revision.clone()), info);
                }
            }
            (Need::Latest(path), Answer::Latest(answer)) => known.tell_latest(path, answer),
            _ => unreachable!("an answer is made for its need"),
        }
    }

    /// What can be found out without asking anybody.
    fn at_once(&self, need: &Need) -> Result<Option<Answer>, Failure> {
        Ok(match need {
            Need::GoMod(node) if node.version.is_empty() => {
                let file = self.ground.replaced(&node.path);
                let data = locked::read(&file).map_err(|error| {
                    let text = format!("reading {}: {error}", self.go.short(&file));
                    ModuleError::about(node.clone(), text)
                });
                Some(Answer::GoMod(data))
            }
            Need::GoMod(node) if order::is_toolchain(&node.path) => {
                Some(Answer::GoMod(Ok(format!("module {}\n", node.path).into_bytes())))
            }
            Need::GoMod(node) => match module_version(&node.path, &node.version) {
                Err(error) => Some(Answer::GoMod(Err(error))),
                Ok(module) => match self.source.kept_go_mod(&module).map_err(end)? {
                    Kept::Checked(data) => Some(Answer::GoMod(Ok(data))),
                    Kept::Unproved(_) | Kept::Absent => None,
                },
            },
            Need::Revision { path, revision: text } if order::is_toolchain(path) => {
                self.source.release_now(path, text).map(|answer| Answer::Revision(answer, None))
            }
            Need::Revision { path, revision: text } => {
                let module = ModuleVersion::parse(path, text).ok();
                let info = module.and_then(|module| self.source.kept_info(&module));
                info.map(|info| Answer::Revision(Ok(revision(&info)), Some(info)))
            }
            _ => None,
        })
    }
}

async fn find_out(source: &Arc<Source>, need: &Need) -> Result<Answer, Stop> {
    Ok(match need {
        Need::GoMod(node) => {
            let module = module_version(&node.path, &node.version);
            let data = match module {
                Ok(module) => source.go_mod(&module).await,
                Err(error) => Err(error.into()),
            };
            Answer::GoMod(unless_end(data)?)
        }
        Need::Versions(path) if order::is_toolchain(path) => Answer::Versions(source.releases(path).await),
        Need::Versions(path) => Answer::Versions(source.versions(path).await),
        Need::Latest(path) if order::is_toolchain(path) => Answer::Latest(source.latest_release(path).await),
        Need::Latest(path) => Answer::Latest(source.latest(path).await.map(|info| revision(&info))),
        Need::Revision { path, revision: text } if order::is_toolchain(path) => {
            Answer::Revision(source.release(path, text).await, None)
        }
        Need::Revision { path, revision: text } => {
            let info = source.info(path, text).await;
            let known = info.as_ref().ok().cloned();
            Answer::Revision(info.map(|info| revision(&info)), known)
        }
        other => unreachable!("packages are looked at elsewhere: {other:?}"),
    })
}

/// The error of a module as a fact; one that ends the program goes on.
fn unless_end<T>(answer: Result<T, Stop>) -> Result<Result<T, ModuleError>, Stop> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(Stop::Error(error)) => Ok(Err(error)),
        Err(end) => Err(end),
    }
}
