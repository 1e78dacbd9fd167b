//! What the resolver needs, found in the mirror.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use modkeep_module::info::Info;
use modkeep_module::path::ModulePath;
use modkeep_module::resource::Resource;
use modkeep_module::version::ModuleVersion;
use modkeep_module::{GoSum, pseudo, semver};
use modkeep_resolver::error::{Fault, Halt, ModuleError};
use modkeep_resolver::known::{Known, Need, Revision};
use modkeep_resolver::node::Node;
use modkeep_resolver::order;
use modkeep_resolver::world::World;
use tokio::sync::OwnedSemaphorePermit;

use super::Refusal;
use crate::error::Problem;
use crate::protocol::Protocol;

/// Questions to the mirror that are in the air at the same time.
const AT_ONCE: usize = 64;
/// Facts that one request may need.
const MOST_FACTS: usize = 100_000;

/// The caller's part of one resolution.
pub(super) struct Facts<'a> {
    protocol: &'a Protocol,
    place: Arc<OwnedSemaphorePermit>,
    told: usize,
    /// Whether what can't be had now counts as an error about that one module.
    pub(super) is_lenient: bool,
}

/// What was found out about a need.
enum Told {
    GoMod(Result<Bytes, ModuleError>),
    Versions(Result<Vec<String>, ModuleError>),
    Revision(Result<Revision, ModuleError>),
}

/// Why there is no fact.
enum Failed {
    Known(ModuleError),
    Later(String, Duration),
    Internal,
}

impl<'a> Facts<'a> {
    pub(super) fn new(protocol: &'a Protocol, place: Arc<OwnedSemaphorePermit>) -> Self {
        Self { protocol, place, told: 0, is_lenient: false }
    }

    /// Answers needs until there is an answer.
    pub(super) async fn settle<T: Send + 'static>(
        &mut self,
        mut world: World,
        question: impl Fn(&mut World) -> Result<T, Halt> + Clone + Send + 'static,
    ) -> Result<(World, T), Refusal> {
        loop {
            let (ask, place) = (question.clone(), Arc::clone(&self.place));
            // Graphs may be large.
            let asked = tokio::task::spawn_blocking(move || {
                let answer = world.attempt(ask);
                drop(place);
                (world, answer)
            });
            let answer;
            (world, answer) = asked.await.map_err(|_| Refusal::Internal)?;
            let needs = match answer {
                Ok(answer) => return Ok((world, answer)),
                Err(Halt::Error(error)) => return Err(Refusal::Unresolvable(error.to_string())),
                Err(Halt::Need(needs)) => needs,
            };
            self.told += needs.len();
            if self.told > MOST_FACTS {
                let text = format!("the graph has more than {MOST_FACTS} modules");
                return Err(Refusal::Unresolvable(text));
            }
            let protocol = self.protocol;
            let find = |need: Need| async move {
                let found = find_out(protocol, &need).await;
                (need, found)
            };
            let mut found = stream::iter(needs).map(find).buffer_unordered(AT_ONCE);
            while let Some((need, found)) = found.next().await {
                let told = match found {
                    Ok(told) => told,
                    Err(Failed::Known(error)) => failed(&need, error),
                    Err(Failed::Later(text, _)) if self.is_lenient => {
                        failed(&need, ModuleError { module: None, invalid: None, text, kind: Fault::Other })
                    }
                    Err(Failed::Later(text, after)) => return Err(Refusal::Later(text, after)),
                    Err(Failed::Internal) => return Err(Refusal::Internal),
                };
                tell(&mut world.known, &need, told);
            }
        }
    }

    /// The lines of a go.sum for these versions; those of `/go.mod` have that after the version.
    ///
    /// # Errors
    /// When `given` has another hash, or nobody can be asked now.
    pub(super) async fn sums(&self, kept: BTreeSet<Node>, given: &GoSum) -> Result<String, Refusal> {
        let protocol = self.protocol;
        let line = |node: Node| async move {
            let (version, is_go_mod) = match node.version.strip_suffix("/go.mod") {
                Some(version) => (version, true),
                None => (&*node.version, false),
            };
            let Ok(module) = ModuleVersion::parse(&node.path, version) else { return Ok((node, None)) };
            protocol.sum(&module, is_go_mod).await.map(|hash| (node, hash))
        };
        let lines = stream::iter(kept).map(line).buffered(AT_ONCE).collect::<Vec<_>>().await;
        let mut sums = String::new();
        for line in lines {
            let (node, hash) = line.map_err(|problem| match problem {
                Problem::Later { text, retry_after } => Refusal::Later(text, retry_after),
                problem => Refusal::Unresolvable(problem.text().to_owned()),
            })?;
            // What no database knows and nobody has fetched has no line yet.
            let Some(hash) = hash else { continue };
            let (mut mine, mut is_given) = (given.hashes(&node.path, &node.version).peekable(), false);
            let is_known = mine.peek().is_some();
            mine.for_each(|given| is_given |= given == hash);
            if is_known && !is_given {
                return Err(Refusal::Unresolvable(format!(
                    "verifying {node}: checksum mismatch\n\tdownloaded: {hash}\n\tgo.sum has another one"
                )));
            }
            sums.push_str(&format!("{} {} {hash}\n", node.path, node.version));
        }
        Ok(sums)
    }
}

fn failed(need: &Need, error: ModuleError) -> Told {
    match need {
        Need::Versions(_) => Told::Versions(Err(error)),
        Need::Revision { .. } | Need::Latest(_) => Told::Revision(Err(error)),
        _ => Told::GoMod(Err(error)),
    }
}

fn tell(known: &mut Known, need: &Need, told: Told) {
    match (need, told) {
        (Need::GoMod(node), Told::GoMod(data)) => {
            known.tell_go_mod(node, "go.mod", data.as_deref().map_err(Clone::clone));
        }
        (Need::Versions(path), Told::Versions(versions)) => known.tell_versions(path, versions),
        (Need::Revision { path, revision }, Told::Revision(answer)) => {
            known.tell_revision(path, revision, answer);
        }
        (Need::Latest(path), Told::Revision(answer)) => known.tell_latest(path, answer),
        (Need::Folder { module, directory }, Told::GoMod(Err(error))) => {
            known.tell_folder(module, directory, Err(error));
        }
        (Need::Directories(module), Told::GoMod(Err(error))) => known.tell_directories(module, Err(error)),
        (Need::Download(module), Told::GoMod(told)) => known.tell_download(module, told.map(drop)),
        (need, _) => unreachable!("an answer is made for its need: {need:?}"),
    }
}

async fn find_out(protocol: &Protocol, need: &Need) -> Result<Told, Failed> {
    let source = |node: &Node, error: &dyn std::fmt::Display| {
        Failed::Known(ModuleError::of_source(node.clone(), error.to_string(), Fault::Other))
    };
    match need {
        Need::GoMod(node) if order::is_toolchain(&node.path) => {
            Ok(Told::GoMod(Ok(format!("module {}\n", node.path).into())))
        }
        Need::GoMod(node) if node.version.is_empty() => {
            let text = format!("replacement directory {}: a server has none", node.path);
            Err(Failed::Known(ModuleError { module: None, invalid: None, text, kind: Fault::Other }))
        }
        Need::GoMod(node) => {
            let module =
                ModuleVersion::parse(&node.path, &node.version).map_err(|error| source(node, &error))?;
            read(protocol, &Resource::Mod(module), node).await.map(|data| Told::GoMod(Ok(data)))
        }
        Need::Versions(path) => {
            let node = Node::new(path.as_str(), "");
            let module = ModulePath::parse(path).map_err(|error| source(&node, &error))?;
            let list = read(protocol, &Resource::List(module), &node).await?;
            let list = String::from_utf8_lossy(&list);
            let versions = list.lines().filter_map(|line| line.split_whitespace().next());
            let versions = versions.filter(|v| semver::is_valid(v) && !pseudo::is_pseudo_version(v));
            Ok(Told::Versions(Ok(versions.map(str::to_owned).collect())))
        }
        Need::Latest(path) => {
            let node = Node::new(path.as_str(), "");
            let module = ModulePath::parse(path).map_err(|error| source(&node, &error))?;
            revision(protocol, &Resource::Latest(module), &node).await
        }
        Need::Revision { path, revision: text } => {
            let node = Node::new(path.as_str(), text.as_str());
            let module = ModulePath::parse(path).map_err(|error| source(&node, &error))?;
            let resource = Resource::info(module, text).map_err(|error| source(&node, &error))?;
            revision(protocol, &resource, &node).await
        }
        Need::Folder { module, .. } | Need::Directories(module) | Need::Download(module) => {
            Err(source(module, &"packages are not looked at here"))
        }
    }
}

async fn revision(protocol: &Protocol, resource: &Resource, node: &Node) -> Result<Told, Failed> {
    let data = read(protocol, resource, node).await?;
    let info = Info::parse(&data).map_err(|error| {
        Failed::Known(ModuleError::of_source(node.clone(), error.to_string(), Fault::Other))
    })?;
    Ok(Told::Revision(Ok(Revision { version: info.version, time: info.time })))
}

async fn read(protocol: &Protocol, resource: &Resource, node: &Node) -> Result<Bytes, Failed> {
    match protocol.small(resource).await {
        Ok(bytes) => Ok(bytes),
        Err(Problem::Later { text, retry_after }) => Err(Failed::Later(text, retry_after)),
        Err(Problem::Internal) => Err(Failed::Internal),
        Err(problem) => {
            let is_absent = matches!(problem, Problem::Absent { .. } | Problem::Malformed { .. });
            let kind = if is_absent { Fault::NotExist } else { Fault::Other };
            let text = problem.text().trim_end();
            let text = text.strip_prefix("not found: ").unwrap_or(text);
            let named = format!("{node}: ");
            let text = text.strip_prefix(named.as_str()).unwrap_or(text);
            Err(Failed::Known(ModuleError::of_source(node.clone(), text, kind)))
        }
    }
}
