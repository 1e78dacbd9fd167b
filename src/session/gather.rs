//! Many questions at once: what all of them lack is found out together.

use modkeep_resolver::error::{Error, Halt};
use modkeep_resolver::known::Need;

/// The needs of several questions.
#[derive(Debug, Default)]
pub(crate) struct Gather(Vec<Need>);

impl Gather {
    /// An answer, or nothing yet.
    pub(crate) fn take<T>(&mut self, answer: Result<T, Halt>) -> Option<Result<T, Error>> {
        match answer {
            Ok(answer) => Some(Ok(answer)),
            Err(Halt::Error(error)) => Some(Err(*error)),
            Err(Halt::Need(needs)) => {
                for need in needs {
                    self.need(need);
                }
                None
            }
        }
    }

    /// Asks for something.
    pub(crate) fn need(&mut self, need: Need) {
        if !self.0.contains(&need) {
            self.0.push(need);
        }
    }

    /// Stops if something is lacking.
    pub(crate) fn finish(self) -> Result<(), Halt> {
        if self.0.is_empty() { Ok(()) } else { Err(Halt::Need(self.0)) }
    }
}
