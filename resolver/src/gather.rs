//! Many questions at once: what all of them lack is found out together.

use crate::error::{Error, Halt};
use crate::known::Need;

/// The needs of several questions.
#[derive(Debug, Default)]
pub struct Gather(Vec<Need>);

impl Gather {
    /// An answer, or nothing yet.
    pub fn take<T>(&mut self, answer: Result<T, Halt>) -> Option<Result<T, Error>> {
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
    pub fn need(&mut self, need: Need) {
        if !self.0.contains(&need) {
            self.0.push(need);
        }
    }

    /// Stops if something is lacking.
    ///
    /// # Errors
    /// Only for what is lacking.
    pub fn finish(self) -> Result<(), Halt> {
        if self.0.is_empty() { Ok(()) } else { Err(Halt::Need(self.0)) }
    }
}
