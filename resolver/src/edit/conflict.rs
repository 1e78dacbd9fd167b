//! Why versions that were asked for can't be selected together, in go's sentences.

use std::fmt;

use crate::error::ModuleError;
use crate::node::Node;

/// A way from a version that was asked for to one that excludes another, or whose go.mod can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Never empty.
    pub path: Vec<Node>,
    /// What was asked for, below the last node of the path.
    pub constraint: Option<Node>,
    /// Why the last node of the path can't be used.
    pub error: Option<ModuleError>,
}

impl Conflict {
    /// The first and the last node and what is wrong.
    pub fn summary(&self) -> String {
        let ([first, ..], [.., last]) = (&self.path[..], &self.path[..]) else { return String::new() };
        let wanted = self.constraint.as_ref().map_or("", |constraint| &constraint.version);
        let how = if self.path.len() > 2 { "indirectly " } else { "" };
        match (self.path.len(), self.cause()) {
            (1, Some(cause)) => format!("{first}: {cause}"),
            (1, None) => format!("{first} is above {wanted}"),
            (_, Some(cause)) => format!("{first} {how}requires {last}: {cause}"),
            (_, None) => format!("{first} {how}requires {last}, but {wanted} is requested"),
        }
    }

    /// The error, without the module where the path names it already.
    pub(crate) fn cause(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        let Some(module) = error.module.as_ref().filter(|module| self.path.last() == Some(module)) else {
            return Some(error.to_string());
        };
        Some(match error.invalid {
            Some(noun) => format!("{noun} \"{}\" invalid: {}", module.version, error.text),
            None => error.text.clone(),
        })
    }
}

/// The whole way.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.path.split_first() else { return Ok(()) };
        write!(f, "{first}")?;
        if rest.is_empty() {
            f.write_str(" found")?;
        }
        for node in rest {
            write!(f, " requires\n\t{node}")?;
        }
        if let Some(constraint) = &self.constraint {
            write!(f, ", but {} is requested", constraint.version)?;
        }
        match self.cause() {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

/// Versions that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintError {
    /// As many as could be found; never empty.
    pub conflicts: Vec<Conflict>,
}

impl fmt::Display for ConstraintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("version constraints conflict:")?;
        self.conflicts.iter().try_for_each(|conflict| write!(f, "\n\t{}", conflict.summary()))
    }
}

impl std::error::Error for ConstraintError {}
