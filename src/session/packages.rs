//! Loading packages for a verb, and what that says on the way.

use std::sync::Arc;

use modkeep_resolver::error::Error;
use modkeep_resolver::packages::{Loaded, PackageOptions, Pattern};
use modkeep_resolver::requirements::Requirements;

use super::Session;
use crate::report::{self, Failure};

impl Session<'_> {
    /// Loads packages; errors end the program, those of several packages after all are told.
    pub(crate) fn load_packages(
        &mut self,
        requirements: &Arc<Requirements>,
        options: &PackageOptions,
    ) -> Result<Loaded, Failure> {
        if self.world.standard.packages.is_empty() {
            // What `all` is for a target goes through the standard library, too.
            let wants_all = self.target.is_some() && options.patterns.iter().any(Pattern::is_all);
            self.tell_standard(wants_all || self.verb() == "mod why");
        }
        let loaded = match self.ask(|world| world.load_packages(requirements, options))? {
            Ok(loaded) => loaded,
            Err(error) => {
                return Err(self.switch(std::slice::from_ref(&error)).unwrap_or_else(|| {
                    self.fail_with(&error);
                    Failure::told(1)
                }));
            }
        };
        if let Some(failure) = self.switch(&loaded.errors) {
            return Err(failure);
        }
        for error in &loaded.errors {
            self.fail_with(error);
        }
        if !loaded.advice.is_empty() {
            eprint_exact(&loaded.advice);
            // The last look for errors tells them once more.
            for error in &loaded.errors {
                self.fail_with(error);
            }
        }
        self.exit_if_failed()?;
        Ok(loaded)
    }

    /// Tells an error that does not end the program, each of several on a line of its own.
    pub(crate) fn fail_with(&mut self, error: &Error) {
        match error {
            Error::Several(errors) => errors.iter().for_each(|error| self.fail_with(error)),
            Error::Internal(_) => {
                report::tell("");
                self.fail(&error.to_string());
            }
            error => self.fail(&error.to_string()),
        }
    }
}

/// Tells a text that ends its lines itself.
fn eprint_exact(text: &str) {
    report::tell(text.strip_suffix('\n').unwrap_or(text));
}
