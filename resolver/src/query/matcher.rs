//! A query, read: which versions of a module match it, and which of them is the answer.

use std::cmp::Ordering;

use modkeep_module::path::major::{check_path_major, split_path_version};
use modkeep_module::{pseudo, semver};

use super::QueryError;
use crate::order;

/// Whether a query names one revision rather than choosing among versions: `v1.0.0`, `master`, but not `latest`, `v1.2`.
pub fn is_revision_query(path: &str, query: &str) -> bool {
    !(matches!(query, "latest" | "upgrade" | "patch")
        || query.starts_with(['<', '>'])
        || (order::is_valid(path, query) && order::is_prefix(path, query)))
}

/// What a query that chooses among versions wants.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    /// How versions must begin.
    pub(super) prefix: String,
    /// What they are compared with, and with which results.
    bound: Option<(String, &'static [Ordering])>,
    /// Whether it is one whole version that the source can be asked for.
    pub(super) can_stat: bool,
    pub(super) prefer_lower: bool,
    pub(super) may_use_latest: bool,
    pub(super) prefer_incompatible: bool,
}

const BELOW: &[Ordering] = &[Ordering::Less];
const AT_MOST: &[Ordering] = &[Ordering::Less, Ordering::Equal];
const SAME: &[Ordering] = &[Ordering::Equal];
const AT_LEAST: &[Ordering] = &[Ordering::Greater, Ordering::Equal];
const ABOVE: &[Ordering] = &[Ordering::Greater];

impl Matcher {
    /// Reads a query; `None` for one that only the source understands, a branch or a hash.
    pub(super) fn new(path: &str, query: &str, current: &str) -> Result<Option<Self>, QueryError> {
        let is_absent = matches!(current, "" | "none");
        let mut matcher = Self { prefer_incompatible: current.ends_with("+incompatible"), ..Self::default() };
        match query {
            "latest" => matcher.may_use_latest = true,
            "upgrade" if is_absent => matcher.may_use_latest = true,
            "patch" if is_absent => return Err(QueryError::NoPatchBase(path.to_owned())),
            "upgrade" | "patch" => {
                matcher.may_use_latest = pseudo::is_pseudo_version(current);
                matcher.bound = Some((current.to_owned(), AT_LEAST));
                if query == "patch" {
                    matcher.prefix = format!("{}.", order::major_minor(path, current));
                }
            }
            _ => match comparison(query) {
                Some((version, results)) => matcher.compare(path, query, version, results)?,
                None if order::is_valid(path, query) => matcher.take_version(path, query),
                None => return Ok(None),
            },
        }
        Ok(Some(matcher))
    }

    fn compare(
        &mut self,
        path: &str,
        query: &str,
        version: &str,
        results: &'static [Ordering],
    ) -> Result<(), QueryError> {
        let (version, query) = (version.to_owned(), query.to_owned());
        if !order::is_valid(path, &version) {
            return Err(QueryError::InvalidRange { version, query });
        }
        // `<=v1.2` could allow v1.2.3 or not.
        if (results == AT_MOST || results == ABOVE) && order::is_prefix(path, &version) {
            return Err(QueryError::AmbiguousRange { version, query });
        }
        self.prefer_lower = results == AT_LEAST || results == ABOVE;
        self.prefer_incompatible |= !is_of_major(path, &version);
        self.bound = Some((version, results));
        Ok(())
    }

    fn take_version(&mut self, path: &str, version: &str) {
        if order::is_prefix(path, version) {
            self.prefix = format!("{version}.");
            // v1.2 is not to find v1.2.0-pre.
            self.bound = Some((version.to_owned(), AT_LEAST));
        } else {
            self.can_stat = true;
            self.prefix = semver::canonical(version).unwrap_or_default();
            self.bound = Some((version.to_owned(), SAME));
        }
        self.prefer_incompatible |= !is_of_major(path, version);
    }

    /// Whether a version is what the query wants.
    pub(super) fn matches(&self, path: &str, version: &str) -> bool {
        let has_prefix = version.starts_with(&self.prefix)
            // 1.21 begins with `1.21.` too.
            || (order::is_toolchain(path) && self.prefix.strip_suffix('.') == Some(version));
        let is_in_bound = |(bound, results): &(String, &[Ordering])| {
            results.contains(&order::compare(path, version, bound))
        };
        has_prefix && self.bound.as_ref().is_none_or(is_in_bound)
    }
}

fn comparison(query: &str) -> Option<(&str, &'static [Ordering])> {
    [("<=", AT_MOST), ("<", BELOW), (">=", AT_LEAST), (">", ABOVE)]
        .into_iter()
        .find_map(|(sign, results)| Some((query.strip_prefix(sign)?, results)))
}

/// Whether the path admits the version's major.
fn is_of_major(path: &str, version: &str) -> bool {
    split_path_version(path).is_some_and(|(_, major)| check_path_major(version, major).is_ok())
}
