//! Many questions at once: what all of them lack is found out together.

use std::collections::HashSet;

use crate::error::{Error, Halt};
use crate::known::Need;

/// The needs of several questions.
#[derive(Debug, Default)]
pub struct Gather {
    needs: Vec<Need>,
    seen: HashSet<Need>,
}

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
        if self.seen.insert(need.clone()) {
            self.needs.push(need);
        }
    }

    /// Stops if something is lacking.
    ///
    /// # Errors
    /// Only for what is lacking.
    pub fn finish(self) -> Result<(), Halt> {
        if self.needs.is_empty() { Ok(()) } else { Err(Halt::Need(self.needs)) }
    }
}
