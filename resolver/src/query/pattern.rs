//! Which modules have packages that match a path or a pattern, at the version that a query stands for.
//!
//! Every prefix of the path may be a module; all are asked at once, and of what they answer the most helpful error is
//! kept. Source of the rules: `cmd/go/internal/modload/query.go` (`QueryPattern`, `queryPrefixModules`).

use modkeep_module::path::major::split_path_version;

use super::{Allowed, MainPackages, Query, QueryError, is_revision_query};
use crate::error::{Error, Fault, Halt, ModuleError};
use crate::import::{ImportError, NotInModule};
use crate::node::NodeId;
use crate::order;
use crate::packages::Tags;
use crate::wildcard::Wildcard;
use crate::world::World;

/// What is asked of all modules that could have a package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PatternQuery<'a> {
    /// An import path, or a pattern with `...`.
    pub(crate) pattern: &'a str,
    /// What stands after `@`.
    pub(crate) query: &'a str,
    /// Which versions may be the answer.
    pub(crate) allowed: Allowed,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The modules with matching packages, longest path first.
    pub(crate) providers: Vec<NodeId>,
    /// A module whose path matches, but which has no such package.
    pub(crate) module_only: Option<NodeId>,
}

/// What one prefix answered.
enum Answer {
    Has(NodeId),
    Is(NodeId),
}

impl World {
    /// The module that provides what matches a path or pattern, at the version that `query` stands for; the one with the longest
    /// path, if several do (`PackagesAndErrorsOutsideModule`).
    ///
    /// # Errors
    /// When something isn't known yet, and where no module provides any of it.
    pub fn provider(&mut self, pattern: &str, query: &str) -> Result<NodeId, Halt> {
        // What is asked for by its revision may be retracted.
        let is_exact = is_revision_query(pattern, query);
        let allowed = if is_exact { Allowed::Everything } else { Allowed::NotRetracted };
        let query = PatternQuery { pattern, query, allowed };
        let found = self.query_packages(query, &|_, _| "none".to_owned())?;
        Ok(found.providers[0])
    }

    /// Finds the modules; `current` says which version of a module is selected now, `none` if there is none.
    pub(crate) fn query_pattern(
        &mut self,
        query: PatternQuery<'_>,
        current: &dyn Fn(&World, &str) -> String,
    ) -> Result<Found, Halt> {
        let PatternQuery { pattern, query: text, .. } = query;
        let wildcard = Wildcard::new(pattern);
        let is_upgrade = matches!(text, "upgrade" | "patch");
        let base = match pattern.find("...") {
            Some(at) => match pattern[..at + 3].rsplit_once('/') {
                Some((base, _)) => base,
                None => {
                    let (pattern, query) = (pattern.to_owned(), text.to_owned());
                    return Err(Error::from(QueryError::WildcardFirst { pattern, query }).into());
                }
            },
            None => pattern,
        };
        let mut found = Found::default();
        let mut matching_mains = Vec::new();
        for main in self.main.ids() {
            let packages = self.packages_in(pattern, main)?.map_err(Halt::from)?;
            if !packages.is_empty() {
                if is_upgrade {
                    return Ok(Found { providers: vec![main], module_only: None });
                }
                let (pattern, query) = (pattern.to_owned(), text.to_owned());
                let error = MainPackages { pattern, query, packages };
                return Err(Error::from(QueryError::from(error)).into());
            }
            if wildcard.matches(&self.nodes().node(main).path) {
                matching_mains.push(main);
                if is_upgrade {
                    found.module_only = Some(main);
                }
            }
        }
        let candidates = self.candidates(base);
        if candidates.is_empty() {
            return match (found.module_only, &matching_mains[..]) {
                (Some(_), _) => Ok(found),
                (None, []) => {
                    let (query, pattern) = (text.to_owned(), pattern.to_owned());
                    let error = NotInModule { query, pattern, ..NotInModule::default() };
                    Err(Error::from(ImportError::from(error)).into())
                }
                (None, mains) => Err(self.of_mains(query, mains)),
            };
        }
        let answers = self.ask_all(query, &wildcard, &candidates, current)?;
        match self.classify(answers, &mut found) {
            Ok(()) => Ok(found),
            Err(error) => {
                let is_nothing = found.providers.is_empty() && found.module_only.is_none();
                if !matching_mains.is_empty() && is_nothing && error.is_absence() {
                    return Err(self.of_mains(query, &[]));
                }
                Err(error.into())
            }
        }
    }

    fn of_mains(&self, query: PatternQuery<'_>, mains: &[NodeId]) -> Halt {
        let path = |main: &NodeId| self.nodes().node(*main).path.to_string();
        let is_module = self.nodes().find_path(query.pattern).is_some_and(|id| self.main.find(id).is_some());
        let error = QueryError::MainModules {
            pattern: query.pattern.to_owned(),
            query: query.query.to_owned(),
            mains: mains.iter().map(path).collect(),
            is_module,
        };
        Error::from(error).into()
    }

    /// The prefixes that can be modules, longest first; main modules are none (`modulePrefixesExcludingTarget`).
    fn candidates(&self, path: &str) -> Vec<String> {
        let mut candidates = Vec::new();
        let mut rest = Some(path);
        while let Some(prefix) = rest {
            rest = prefix.rsplit_once('/').map(|(before, _)| before);
            let is_main = self.nodes().find_path(prefix).is_some_and(|id| self.main.find(id).is_some());
            if !is_main && split_path_version(prefix).is_some() {
                candidates.push(prefix.to_owned());
            }
        }
        candidates
    }

    fn ask_all(
        &mut self,
        query: PatternQuery<'_>,
        wildcard: &Wildcard,
        candidates: &[String],
        current: &dyn Fn(&World, &str) -> String,
    ) -> Result<Vec<Result<Answer, Error>>, Halt> {
        let mut answers = Vec::new();
        let mut is_missing = false;
        for path in candidates {
            match self.ask(query, wildcard, path, &current(self, path)) {
                Ok(answer) => answers.push(Ok(answer)),
                Err(Halt::Error(error)) => answers.push(Err(*error)),
                Err(Halt::Need(needs)) => {
                    is_missing = true;
                    self.known.put_back(needs);
                }
            }
        }
        if is_missing { Err(self.known.halt()) } else { Ok(answers) }
    }

    fn ask(
        &mut self,
        query: PatternQuery<'_>,
        wildcard: &Wildcard,
        path: &str,
        current: &str,
    ) -> Result<Answer, Halt> {
        let PatternQuery { pattern, query: text, allowed } = query;
        let revision = self.query(&Query { path, query: text, current, allowed })?;
        let module = self.id(path, &revision.version);
        if order::is_toolchain(path) {
            return Ok(Answer::Is(module));
        }
        if self.lacks_sum(module) {
            let module = self.nodes().node(module).clone();
            let error = ModuleError::about(module, "missing go.sum entry");
            return Err(Error::from(ModuleError { kind: Fault::MissingSum, ..error }).into());
        }
        let packages = self.packages_in(pattern, module)?;
        match packages {
            Ok(packages) if !packages.is_empty() => return Ok(Answer::Has(module)),
            // A module that can't be had is no answer, whatever its path.
            Err(error) => return Err(error.into()),
            Ok(_) if wildcard.matches(path) => return Ok(Answer::Is(module)),
            Ok(_) => {}
        }
        let node = self.nodes().node(module).clone();
        let replacement = self.main.replacement(&node);
        Err(Error::from(ImportError::from(NotInModule {
            mains: Vec::new(),
            module: Some(node),
            replacement,
            query: text.to_owned(),
            pattern: pattern.to_owned(),
        }))
        .into())
    }

    /// The packages of a module that match; the inner error is about the module.
    fn packages_in(&mut self, pattern: &str, module: NodeId) -> Result<Result<Vec<String>, Error>, Halt> {
        if pattern.contains("...") {
            let found = self.match_packages(pattern, Tags::Any, false, &[module])?;
            return Ok(match (found.packages.is_empty(), found.errors.into_iter().next()) {
                (true, Some(error)) => Err(Error::Text(error)),
                _ => Ok(found.packages),
            });
        }
        Ok(self
            .has_directory(pattern, module)?
            .map(|has| if has { vec![pattern.to_owned()] } else { Vec::new() }))
    }

    /// Keeps what was found, or the most helpful error at the longest path.
    fn classify(&self, answers: Vec<Result<Answer, Error>>, found: &mut Found) -> Result<(), Error> {
        let mut failure = None;
        // Lower places are more helpful; of each kind the first counts.
        let mut kinds: [Option<Error>; 6] = Default::default();
        let mut has_answer = false;
        for answer in answers {
            let error = match answer {
                Ok(Answer::Has(module)) => {
                    found.providers.push(module);
                    has_answer = true;
                    continue;
                }
                Ok(Answer::Is(module)) => {
                    found.module_only = Some(module);
                    has_answer = true;
                    continue;
                }
                Err(error) => error,
            };
            match rank(&error) {
                Some(rank) => drop(kinds[rank].get_or_insert(error)),
                None if failure.is_none() && !has_answer && kinds[0].is_none() => failure = Some(error),
                None => {}
            }
        }
        match failure {
            Some(error) => Err(error),
            None if has_answer => Ok(()),
            None => Err(kinds.into_iter().flatten().next().expect("nothing was found, so there is an error")),
        }
    }
}

/// How helpful an error about a prefix is, if it says that there is no such thing.
fn rank(error: &Error) -> Option<usize> {
    match error {
        Error::Import(ImportError::NotInModule(_)) => Some(0),
        Error::Query(QueryError::NoMatch { .. }) => Some(1),
        Error::Query(QueryError::NoPatchBase(_)) => Some(2),
        Error::Module(error) if error.kind == Fault::InvalidPath => Some(3),
        error if error.is_absence() => Some(5),
        Error::Module(error) if error.invalid.is_some() => Some(4),
        _ => None,
    }
}
