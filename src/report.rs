//! What the program says to the person who started it: results on stdout, its story on stderr.
//!
//! An error is one line, from what was tried to what the system said; what to try next is a line of its own.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use crate::config::ConfigError;

/// An end that isn't success.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit status: 1 for a failure, 2 for usage.
    pub(crate) status: u8,
    /// Who speaks: `modkeep`, or `go` where the words are the go command's; empty where the text says it itself.
    speaker: &'static str,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
    begins_again_as: Option<String>,
    /// Whether nothing more is to be said.
    is_over: bool,
}

impl Failure {
    /// Something that was tried failed.
    pub(crate) fn of(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { speaker: "modkeep", error: error.into(), ..Self::told(1) }
    }

    /// The words can't be meant.
    pub(crate) fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { status: 2, ..Self::of(error) }
    }

    /// Something that go would refuse in these words.
    pub(crate) fn go(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { speaker: "go", ..Self::of(error) }
    }

    /// A text that stands as it is, with an exit status of its own.
    pub(crate) fn exact(status: u8, text: impl Into<String>) -> Self {
        let error = text.into().into();
        Self { status, speaker: "", error, hint: None, begins_again_as: None, is_over: false }
    }

    /// An end whose reasons were told already.
    pub(crate) fn told(status: u8) -> Self {
        Self::exact(status, "")
    }

    /// The same where all that was to come depends on what failed: nothing more is said (`base.Fatalf`).
    pub(crate) fn over() -> Self {
        Self { is_over: true, ..Self::told(1) }
    }

    /// Whether nothing more is to be said.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// No end: the verb is to begin again and to act as another Go release.
    pub(crate) fn begin_again_as(release: String) -> Self {
        Self { begins_again_as: Some(release), ..Self::told(1) }
    }

    /// The release to begin again as, if that is what it is.
    pub(crate) fn begins_again_as(&self) -> Option<&str> {
        self.begins_again_as.as_deref()
    }

    /// A refusal of a flag's value, where it stands in GOFLAGS (`SetFromGOFLAGS`).
    pub(crate) fn of_goflags(self, name: &str) -> Self {
        let text = self.error.to_string();
        match text
            .strip_prefix("invalid value ")
            .and_then(|rest| rest.split_once(&format!(" for flag -{name}: ")))
        {
            Some((value, reason)) if self.speaker.is_empty() => {
                let text = format!("go: invalid value {value} for flag -{name} (from $GOFLAGS): {reason}");
                Self { error: text.into(), ..self }
            }
            _ => self,
        }
    }

    /// With what to try next.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        let status = if matches!(error, ConfigError::NoHome) { 1 } else { 2 };
        Self { status, hint, ..Self::of(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.speaker.is_empty() {
            write!(f, "{}: ", self.speaker)?;
        }
        write!(f, "{}", self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Prints a result on stdout and flushes it. A reader that went away has what it wanted.
pub(crate) fn out(text: &str) -> Result<(), Failure> {
    out_bytes(text.as_bytes())
}

/// The same for what need not be text.
pub(crate) fn out_bytes(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::of(format!("writing to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a failure on stderr.
pub(crate) fn failure(failure: &Failure) {
    let text = failure.to_string();
    if !text.is_empty() {
        say(&text);
    }
}

/// Tells on stderr what a go verb does, in go's words.
pub(crate) fn tell(text: &str) {
    say(text);
}

/// Shows on a terminal how far something is, in the place of what was shown before; nothing clears it.
pub(crate) fn progress(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody is left to be told when stderr is gone.
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
}

/// Prints a warning on stderr, whatever the level of the log.
pub(crate) fn warning(text: &str) {
    say(&format!("modkeep: warning: {text}"));
}

fn say(line: &str) {
    // Nobody is left to be told when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("opening the store")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_follow_in_one_line_and_the_hint_in_its_own() {
        let failure = Failure::of(Outer(io::Error::other("disk on fire"))).with_hint("put it out");
        assert_eq!(failure.to_string(), "modkeep: opening the store: disk on fire\nhint: put it out");
    }
}
