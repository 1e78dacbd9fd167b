//! How the tests of a package are told: as they print, or in events.

use super::events::Events;
use crate::report::{self, Failure};

/// What is said of one package.
pub(super) enum Voice {
    Text,
    Events(Box<Events>),
}

impl Voice {
    /// Begins; the first event is that.
    pub(super) fn of(package: &str, is_json: bool) -> Result<Self, Failure> {
        if !is_json {
            return Ok(Self::Text);
        }
        let mut events = Events::start(package);
        report::out_bytes(&events.take())?;
        Ok(Self::Events(Box::new(events)))
    }

    pub(super) fn say(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Text => report::out_bytes(bytes),
            Self::Events(events) => {
                events.write(bytes);
                report::out_bytes(&events.take())
            }
        }
    }

    /// Ends; `failed_build` is the package that could not be built, if that is why.
    pub(super) fn end(self, is_well: bool, failed_build: Option<&str>) -> Result<(), Failure> {
        let Self::Events(mut events) = self else { return Ok(()) };
        events.exited(is_well);
        if let Some(package) = failed_build {
            events.failed_to_build(package);
        }
        report::out_bytes(&events.end())
    }
}
