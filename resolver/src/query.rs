//! Version queries: which version of a module `latest`, `upgrade`, `v1.2`, `>=v1.3.0`, a branch or a hash stands for.
//!
//! Candidates are what the source lists and what main modules replace; releases go before pre-releases; of two majors
//! without `/vN` the `+incompatible` ones count only if asked for, or if the module has no go.mod below them.
//! Source of the rules: `cmd/go/internal/modload/query.go`.

mod matcher;
mod pattern;
mod repository;
mod toolchain;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use modkeep_module::{pseudo, version};

use self::matcher::Matcher;
pub use self::matcher::is_revision_query;
pub(crate) use self::pattern::{Found, PatternQuery};
pub use self::toolchain::{newer, releases};
use crate::error::{DirtyReason, Error, Fault, Halt, ModuleError};
use crate::known::Revision;
use crate::node::{Node, NodeId};
use crate::order;
use crate::packages::is_meta_package;
use crate::retraction::Retraction;
use crate::world::{Mode, World};

/// What is asked of one module.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The module.
    pub path: &'a str,
    /// What stands after `@`.
    pub query: &'a str,
    /// The version that is selected now: `none` if there is none, empty if it must not matter.
    pub current: &'a str,
    /// Which versions may be the answer.
    pub allowed: Allowed,
}

/// A query as a key.
pub(crate) type Asked = (String, String, String, Allowed);

/// Which versions may be the answer to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allowed {
    /// All.
    Everything,
    /// Those that no main module excludes.
    NotExcluded,
    /// Those that are neither excluded nor retracted.
    NotRetracted,
    /// As before, but what is asked for by its exact version may be retracted, and `upgrade` and `patch` may stay at the
    /// current version whatever is said about it (`get`).
    AsRequested,
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The module has no such version.
    #[error("no matching versions for query \"{query}\"{}", current_suffix(query, current))]
    NoMatch {
        /// As asked.
        query: String,
        /// As given.
        current: String,
    },
    /// `patch` of a module that isn't there.
    #[error("can't query version \"patch\" of module {0}: no existing version is required")]
    NoPatchBase(String),
    /// A comparison with what is no version.
    #[error("invalid semantic version \"{version}\" in range \"{query}\"")]
    InvalidRange {
        /// What stands behind the comparison.
        version: String,
        /// As asked.
        query: String,
    },
    /// A comparison that could mean two things: `<=v1.2`.
    #[error("ambiguous semantic version \"{version}\" in range \"{query}\"")]
    AmbiguousRange {
        /// What stands behind the comparison.
        version: String,
        /// As asked.
        query: String,
    },
    /// The version that is selected is none.
    #[error("invalid previous version {path}@{current}")]
    InvalidCurrent {
        /// The module.
        path: String,
        /// As given.
        current: String,
    },
    /// The vendor directory is all there is.
    #[error("cannot query module due to -mod=vendor{}", reason_suffix(.0))]
    Vendored(DirtyReason),
    /// `std` and `cmd` have no versions of their own.
    #[error("can't query specific version (\"{query}\") of standard-library module \"{path}\"")]
    StandardLibrary {
        /// `std` or `cmd`.
        path: String,
        /// As asked.
        query: String,
    },
    /// A pattern of which nobody knows where to begin.
    #[error("no modules to query for {pattern}@{query} because first path element contains a wildcard")]
    WildcardFirst {
        /// The pattern.
        pattern: String,
        /// As asked.
        query: String,
    },
    /// A version of packages in a main module.
    #[error(transparent)]
    MainPackages(#[from] MainPackages),
    /// A version of a main module.
    #[error("can't request version \"{query}\" of {}", of_mains(pattern, mains, *is_module))]
    MainModules {
        /// The path or pattern.
        pattern: String,
        /// As asked.
        query: String,
        /// The main modules that it matches, if known.
        mains: Vec<String>,
        /// Whether the pattern is the path of one.
        is_module: bool,
    },
    /// `all@v1.2.3`
    #[error("can't request version \"{query}\" of pattern \"all\" that includes the main module{}", plural(*mains))]
    All {
        /// As asked.
        query: String,
        /// How many main modules there are.
        mains: usize,
    },
}

/// A version was asked of packages that a main module has (`QueryMatchesPackagesInMainModuleError`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}, so can't request version {query}", in_main(pattern, packages))]
pub struct MainPackages {
    /// The path or pattern.
    pub pattern: String,
    /// As asked.
    pub query: String,
    /// The packages, at least one.
    pub packages: Vec<String>,
}

fn in_main(pattern: &str, packages: &[String]) -> String {
    match packages {
        [package] if pattern.contains("...") || is_meta_package(pattern) => {
            format!("pattern {pattern} matches package {package} in the main module")
        }
        [package] => format!("package {package} is in the main module"),
        _ => format!("pattern {pattern} matches {} packages in the main module", packages.len()),
    }
}

fn of_mains(pattern: &str, mains: &[String], is_module: bool) -> String {
    match is_module {
        true => format!("the main module ({pattern})"),
        false => {
            let list = mains.join(", ");
            format!(
                "pattern \"{pattern}\" that includes the main module{} ({list})",
                plural_if_many(mains.len())
            )
        }
    }
}

fn plural_if_many(count: usize) -> &'static str {
    if count > 1 { "s" } else { "" }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

impl World {
    /// The version that a query stands for; of a main module, the empty one.
    ///
    /// # Errors
    /// When something isn't known yet, or no version matches.
    pub fn query(&mut self, query: &Query<'_>) -> Result<Arc<Revision>, Halt> {
        let Query { path, query: text, current, allowed } = *query;
        let asked = (path.to_owned(), text.to_owned(), current.to_owned(), allowed);
        if let Some(answer) = self.queries.get(&asked) {
            return answer.clone().map_err(Halt::from);
        }
        let answer = match self.answer(query) {
            Ok(revision) => Ok(revision),
            Err(Halt::Error(error)) => Err(*error),
            Err(need) => return Err(need),
        };
        self.queries.insert(asked, answer.clone());
        answer.map_err(Halt::from)
    }

    /// What the version of a node is: as [`World::query`] for exactly that version, whatever it is. Where its go.mod was
    /// told nothing can be wrong with path and version, so that a build list is answered for without looking at them.
    ///
    /// # Errors
    /// As there.
    pub fn version_of(&mut self, module: NodeId) -> Result<Arc<Revision>, Halt> {
        let Node { path, version } = self.nodes().node(module).clone();
        if self.vendored().is_none() && matches!(self.known.facts(module), Some(Ok(_))) {
            match self.known.revision(&path, &version) {
                None => return Err(self.known.halt()),
                Some(Ok(revision)) => return Ok(revision),
                Some(Err(_)) => {}
            }
        }
        self.query(&Query { path: &path, query: &version, current: "", allowed: Allowed::Everything })
    }

    fn answer(&mut self, query: &Query<'_>) -> Result<Arc<Revision>, Halt> {
        let Query { path, query: text, current, .. } = *query;
        self.check_query(query)?;
        let main = self.path(path);
        if self.main.find(main).is_some() && matches!(text, "upgrade" | "patch") {
            return Ok(Arc::new(Revision { version: String::new(), time: None }));
        }
        if matches!(path, "std" | "cmd") {
            let (path, query) = (path.to_owned(), text.to_owned());
            return Err(Error::from(QueryError::StandardLibrary { path, query }).into());
        }
        self.check_path(path)?;
        let matcher = match Matcher::new(path, text, current).map_err(Error::from)? {
            Some(matcher) if !matcher.can_stat => matcher,
            _ => return self.query_revision(query),
        };
        let versions = self.repository_versions(path, &matcher.prefix)?;
        let (releases, prereleases) = self.filter(query, &matcher, &versions)?;
        let chosen = match matcher.prefer_lower {
            true => releases.first().or(prereleases.first()),
            false => releases.last().or(prereleases.last()),
        };
        if let Some(chosen) = chosen {
            return self.look_up(query, chosen);
        }
        if matcher.may_use_latest {
            match self.repository_latest(path)? {
                Ok(latest) => {
                    if self.allows(query, &matcher, &latest.version)? {
                        return self.look_up(query, &latest.version);
                    }
                }
                Err(error) if error.kind == Fault::NotExist => {}
                Err(error) => return Err(Error::from(error).into()),
            }
        }
        if matches!(text, "upgrade" | "patch") && !matches!(current, "" | "none") {
            self.check_allowed(query, current)?;
            return self.look_up(query, current);
        }
        Err(Error::from(QueryError::NoMatch { query: text.to_owned(), current: current.to_owned() }).into())
    }

    /// The versions of a module that may be chosen, lowest first (`modload/mvs.go:versions`).
    ///
    /// # Errors
    /// Also where nobody can say whether a version is retracted.
    pub fn versions(&mut self, path: &str, allowed: Allowed) -> Result<Vec<String>, Halt> {
        self.check_path(path)?;
        let mut versions = self.repository_versions(path, "")?;
        let mut kept = Vec::new();
        for version in versions.drain(..) {
            let module = self.id(path, &version);
            if allowed != Allowed::Everything && self.exclusion(module).is_some() {
                continue;
            }
            if matches!(allowed, Allowed::NotRetracted | Allowed::AsRequested) {
                match self.retraction(module)? {
                    Retraction::None => {}
                    Retraction::Retracted(_) => continue,
                    Retraction::Unknown(error) => return Err(Error::from(error).into()),
                }
            }
            kept.push(version);
        }
        Ok(kept)
    }

    fn check_query(&self, query: &Query<'_>) -> Result<(), Halt> {
        let Query { path, current, .. } = *query;
        if !matches!(current, "" | "none") && !order::is_valid(path, current) {
            let (path, current) = (path.to_owned(), current.to_owned());
            return Err(Error::from(QueryError::InvalidCurrent { path, current }).into());
        }
        match &self.mode {
            Mode::Vendor(reason, _) => Err(Error::from(QueryError::Vendored(reason.clone())).into()),
            _ => Ok(()),
        }
    }

    /// A version, a branch, or a hash.
    fn query_revision(&mut self, query: &Query<'_>) -> Result<Arc<Revision>, Halt> {
        let mut answer = self.repository_revision(query.path, query.query)?;
        // Build metadata makes no other version: v1.0.0+meta may be tagged v1.0.0.
        if answer.is_err()
            && let Some(canonical) =
                version::canonical_version(query.query).filter(|text| text != query.query)
        {
            match self.repository_revision(query.path, &canonical)? {
                Ok(revision) => answer = Ok(revision),
                Err(error) if error.kind == Fault::NotExist => {}
                Err(error) => answer = Err(error),
            }
        }
        let revision = answer.map_err(Error::from)?;
        self.check_allowed(query, &revision.version)?;
        Ok(revision)
    }

    /// What a chosen version is; `upgrade` and `patch` don't go back in time from a pseudo-version.
    fn look_up(&mut self, query: &Query<'_>, version: &str) -> Result<Arc<Revision>, Halt> {
        let revision = self.repository_revision(query.path, version)?.map_err(Error::from)?;
        if !matches!(query.query, "upgrade" | "patch") || !is_earlier(&revision, query.current) {
            return Ok(revision);
        }
        self.check_allowed(query, query.current)?;
        Ok(self.repository_revision(query.path, query.current)?.map_err(Error::from)?)
    }

    /// The versions that match, lowest first: releases, pre-releases.
    fn filter(
        &mut self,
        query: &Query<'_>,
        matcher: &Matcher,
        versions: &[String],
    ) -> Result<(Vec<String>, Vec<String>), Halt> {
        let mut takes_incompatible = matcher.prefer_incompatible;
        let mut last_compatible: Option<&str> = None;
        let (mut releases, mut prereleases) = (Vec::new(), Vec::new());
        for version in versions {
            if !self.allows(query, matcher, version)? {
                continue;
            }
            if !takes_incompatible {
                if !version.ends_with("+incompatible") {
                    last_compatible = Some(version);
                } else if let Some(last) = last_compatible {
                    if self.has_go_mod(query.path, last)? {
                        break;
                    }
                    takes_incompatible = true;
                }
            }
            match order::is_prerelease(query.path, version) {
                true => prereleases.push(version.clone()),
                false => releases.push(version.clone()),
            }
        }
        Ok((releases, prereleases))
    }

    fn allows(&mut self, query: &Query<'_>, matcher: &Matcher, version: &str) -> Result<bool, Halt> {
        Ok(matcher.matches(query.path, version) && self.disallowed(query, version)?.is_none())
    }

    fn check_allowed(&mut self, query: &Query<'_>, version: &str) -> Result<(), Halt> {
        match self.disallowed(query, version)? {
            Some(error) => Err(Error::from(error).into()),
            None => Ok(()),
        }
    }

    /// Why a version may not be the answer. What can't be found out forbids nothing.
    fn disallowed(&mut self, query: &Query<'_>, version: &str) -> Result<Option<ModuleError>, Halt> {
        let module = self.id(query.path, version);
        match query.allowed {
            Allowed::Everything => Ok(None),
            Allowed::NotExcluded => Ok(self.exclusion(module)),
            Allowed::AsRequested if version == query.query => Ok(self.exclusion(module)),
            Allowed::AsRequested
                if matches!(query.query, "upgrade" | "patch") && version == query.current =>
            {
                Ok(None)
            }
            Allowed::NotRetracted | Allowed::AsRequested => match self.exclusion(module) {
                Some(error) => Ok(Some(error)),
                None => Ok(self.retraction(module)?.disallows(self.nodes().node(module))),
            },
        }
    }

    /// The error about a version that a main module excludes.
    pub fn exclusion(&self, module: NodeId) -> Option<ModuleError> {
        self.main.is_excluded(module).then(|| ModuleError {
            module: Some(self.nodes().node(module).clone()),
            invalid: None,
            text: "excluded by go.mod".to_owned(),
            kind: Fault::Disallowed,
        })
    }

    /// Whether a version has a go.mod of its own, by what the source hands out.
    fn has_go_mod(&mut self, path: &str, version: &str) -> Result<bool, Halt> {
        let module = self.id(path, version);
        let is_made_up = self.known.is_go_mod_made_up(module);
        Ok(!self.known.or_halt(is_made_up)?.map_err(Error::from)?)
    }
}

/// Whether a revision is older than the commit that a pseudo-version names.
fn is_earlier(revision: &Revision, pseudo_version: &str) -> bool {
    if !pseudo::is_pseudo_version(pseudo_version) {
        return false;
    }
    let time = revision.time.as_deref().filter(|time| !time.starts_with("0001-01-01T00:00:00"));
    let time = time.and_then(|time| time.parse::<Timestamp>().ok());
    let current = pseudo::pseudo_version_time(pseudo_version).ok();
    let current = current.and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
    time.zip(current).is_some_and(|(time, current)| time < current)
}

fn current_suffix(query: &str, current: &str) -> String {
    match query {
        "upgrade" | "patch" if !matches!(current, "" | "none") => format!(" (current version is {current})"),
        _ => String::new(),
    }
}

fn reason_suffix(reason: &DirtyReason) -> String {
    reason.reason.as_ref().map(|reason| format!("\n\t({reason})")).unwrap_or_default()
}
