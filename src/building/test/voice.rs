//! How the tests of a package are told: as they print, or in events.

use modkeep_builder::release::Release;

use super::events::Events;
use crate::report::{self, Failure};

/// What is said of one package.
pub(super) enum Voice {
    Text,
    /// Text that is told at the end.
    Kept(Vec<u8>),
    Events(Box<Events>),
}

impl Voice {
    /// Begins.
    pub(super) fn of(is_kept: bool) -> Self {
        if is_kept { Self::Kept(Vec::new()) } else { Self::Text }
    }

    /// The same in events, as a release has them; the first is that it begins.
    pub(super) fn in_events(package: &str, release: Release) -> Result<Self, Failure> {
        let mut events = Events::start(package, release);
        report::out_bytes(&events.take())?;
        Ok(Self::Events(Box::new(events)))
    }

    /// Whether what is said goes to stdout as it is.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::Text)
    }

    pub(super) fn say(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Text => report::out_bytes(bytes),
            Self::Kept(text) => {
                text.extend_from_slice(bytes);
                Ok(())
            }
            Self::Events(events) => {
                events.write(bytes);
                report::out_bytes(&events.take())
            }
        }
    }

    /// Ends, and gives what is still to be told; `failed_build` is the package that could not be built, if that is why.
    pub(super) fn end(self, is_well: bool, failed_build: Option<&str>) -> Result<Vec<u8>, Failure> {
        let mut events = match self {
            Self::Text => return Ok(Vec::new()),
            Self::Kept(text) => return Ok(text),
            Self::Events(events) => events,
        };
        events.exited(is_well);
        if let Some(package) = failed_build {
            events.failed_to_build(package);
        }
        report::out_bytes(&events.end())?;
        Ok(Vec::new())
    }
}
