//! The version below a version: what a root is lowered to.
//!
//! Source of the rules: `cmd/go/internal/modload/mvs.go:previousVersion`.

use crate::error::{Error, Fault, Halt};
use crate::node::NodeId;
use crate::requirements::compare;
use crate::retraction::Retraction;
use crate::world::World;

impl World {
    /// The listed version right below one, excluded and retracted ones left out; the absent one if there is none. The
    /// inner error is why nobody knows.
    pub(crate) fn previous_version(&mut self, node: NodeId) -> Result<Result<NodeId, Error>, Halt> {
        let path = self.nodes().path(node.path()).to_owned();
        let absent = self.known.nodes.at(node.path(), "none");
        if self.main.find(node.path()) == Some(node) {
            return Ok(Ok(absent));
        }
        let versions = match self.repository_versions(&path, "") {
            Ok(versions) => versions,
            Err(Halt::Error(error)) => return Ok(if is_absence(&error) { Ok(absent) } else { Err(*error) }),
            Err(need) => return Err(need),
        };
        let mut previous = absent;
        for version in versions {
            let candidate = self.known.nodes.at(node.path(), &version);
            if self.exclusion(candidate).is_some() {
                continue;
            }
            match self.retraction(candidate)? {
                Retraction::Retracted(_) => continue,
                Retraction::None => {}
                Retraction::Unknown(error) if error.kind == Fault::NotExist => return Ok(Ok(absent)),
                Retraction::Unknown(mut error) => {
                    let module = self.nodes().node(candidate);
                    error.text = format!("loading module retractions for {module}: {error}");
                    error.module = None;
                    return Ok(Err(error.into()));
                }
            }
            if compare(self.nodes(), candidate, node).is_lt() {
                previous = candidate;
            }
        }
        Ok(Ok(previous))
    }
}

fn is_absence(error: &Error) -> bool {
    matches!(error, Error::Module(error) if error.kind == Fault::NotExist)
}
