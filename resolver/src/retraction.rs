//! What authors say about versions later: retracted, deprecated. It stands in the go.mod of the latest version.
//!
//! Source of the rules: `cmd/go/internal/modload/modfile.go` (`CheckRetractions`, `CheckDeprecation`).

use std::sync::Arc;

use crate::error::{Error, Fault, Halt, ModuleError};
use crate::known::GoModFacts;
use crate::node::{Node, NodeId};
use crate::order;
use crate::query::{Allowed, Query};
use crate::world::World;

/// Longer messages are not shown.
const LONGEST_MESSAGE: usize = 500;

/// What is known about a version's retraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retraction {
    /// It is not retracted.
    None,
    /// It is; the reasons that were given.
    Retracted(Vec<String>),
    /// Nobody knows: the go.mod that would say so can't be had.
    Unknown(ModuleError),
}

impl Retraction {
    /// The error about a retracted version.
    pub fn disallows(&self, module: &Node) -> Option<ModuleError> {
        let Self::Retracted(reasons) = self else { return None };
        let mut text = "retracted by module author".to_owned();
        if let Some(reason) = reasons.first() {
            let default = text.clone();
            text = format!("{text}: {}", short_message(reason, &default));
        }
        Some(ModuleError { module: Some(module.clone()), invalid: None, text, kind: Fault::Disallowed })
    }
}

impl World {
    /// Whether a version is retracted.
    ///
    /// # Errors
    /// Only for what isn't known yet.
    pub fn retraction(&mut self, module: NodeId) -> Result<Retraction, Halt> {
        let Node { path, version } = self.nodes().node(module).clone();
        let facts = match self.latest_go_mod(&path, &version)? {
            Ok(Some(facts)) => facts,
            Ok(None) => return Ok(Retraction::None),
            Err(error) => return Ok(Retraction::Unknown(error)),
        };
        let is_meant = |low: &str, high: &str| {
            order::compare(&path, low, &version).is_le() && order::compare(&path, &version, high).is_le()
        };
        let mut meant =
            facts.retracts.iter().filter(|r| is_meant(&r.interval.low, &r.interval.high)).peekable();
        if meant.peek().is_none() {
            return Ok(Retraction::None);
        }
        let reasons = meant.map(|retract| retract.rationale.to_string()).filter(|reason| !reason.is_empty());
        Ok(Retraction::Retracted(reasons.collect()))
    }

    /// What the latest version says about the module being deprecated; empty if nothing. The inner error is why nobody
    /// knows.
    ///
    /// # Errors
    /// Only for what isn't known yet.
    pub fn deprecation(&mut self, module: NodeId) -> Result<Result<String, ModuleError>, Halt> {
        let Node { path, version } = self.nodes().node(module).clone();
        let facts = self.latest_go_mod(&path, &version)?;
        Ok(facts.map(|facts| facts.map(|facts| facts.deprecated.clone()).unwrap_or_default()))
    }

    /// The go.mod of the latest version, retracted or not; `None` for what can't be retracted: main modules, modules
    /// replaced whatever their version.
    fn latest_go_mod(
        &mut self,
        path: &str,
        version: &str,
    ) -> Result<Result<Option<Arc<GoModFacts>>, ModuleError>, Halt> {
        if version.is_empty()
            || order::is_toolchain(path)
            || self.main.replacement(&Node::new(path, "")).is_some()
        {
            return Ok(Ok(None));
        }
        let query = Query { path, query: "latest", current: "", allowed: Allowed::Everything };
        let latest = match self.query(&query) {
            Ok(latest) => latest,
            Err(Halt::Error(error)) => return Ok(Err(unknown(*error))),
            Err(need) => return Err(need),
        };
        let latest = self.id(path, &latest.version);
        let actual = self.actual(latest);
        let facts = self.known.go_mod(actual);
        Ok(self.known.or_halt(facts)?.map(Some))
    }
}

/// An error without the module that was looked at in place of the one asked about.
fn unknown(error: Error) -> ModuleError {
    match error {
        Error::Module(error) => {
            let text = match error.invalid {
                Some(noun) => format!("invalid {noun}: {}", error.text),
                None => error.text,
            };
            ModuleError { module: None, invalid: None, text, kind: error.kind }
        }
        other => ModuleError { module: None, invalid: None, text: other.to_string(), kind: Fault::Other },
    }
}

/// A message of an author's that may be shown on a terminal: its first line, if it is short and printable.
pub fn short_message<'a>(message: &'a str, default: &'a str) -> &'a str {
    let first = message.split('\n').next().unwrap_or_default().trim();
    if first.is_empty() {
        return default;
    }
    if first.len() > LONGEST_MESSAGE {
        return "(message omitted: too long)";
    }
    if first.chars().all(|c| c.is_whitespace() || !(c.is_control() || is_invisible(c))) {
        first
    } else {
        "(message omitted: contains non-printable characters)"
    }
}

/// Format characters, some of which turn the rest of a line around, and private ones.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_printable_line() {
        for (message, want) in [
            ("", "none"),
            ("\n second", "none"),
            (" first \nsecond", "first"),
            ("\u{1b}[31m", "(message omitted: contains non-printable characters)"),
            ("größer als 日本", "größer als 日本"),
        ] {
            assert_eq!(short_message(message, "none"), want, "{message:?}");
        }
        assert_eq!(short_message(&"x".repeat(501), ""), "(message omitted: too long)");
    }
}
