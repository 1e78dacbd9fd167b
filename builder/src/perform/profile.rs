//! Profiles that guide the compiler, in the form in which it reads them.

use crate::action_id::{ActionId, short};
use crate::compile::{Archive, tool_action};
use crate::package::Package;
use crate::plan::Node;
use crate::shop::StepError;

use super::Run;

impl Run<'_> {
    pub(super) fn profile_key(&self, node: &Node, path: &str) -> Result<ActionId, StepError> {
        let goal = self.goal(node);
        let content =
            self.shop.hashes.of(path.as_ref()).map(|digest| short(digest.as_bytes())).unwrap_or_default();
        let text = format!(
            "preprocess PGO profile\npreprofile {}\ninput {}\n",
            self.shop.tool_id(goal, "preprofile")?,
            modkeep_module::quote::quote(content)
        );
        Ok(ActionId::of(goal.build.toolchain.salt(), &text))
    }

    /// The compiler's form of a profile (`pgoActor`).
    pub(super) fn profile(&self, node: &Node, path: &str) -> Result<Archive, StepError> {
        let goal = self.goal(node);
        let id = self.profile_key(node, path)?;
        if !self.shop.flags.forces
            && let Some((file, entry)) = self.shop.cache.whole_file(&id)
        {
            return Ok(Archive { path: file.to_string_lossy().into_owned(), content: Some(entry.output) });
        }
        let package = Package::default();
        let mut bench = self.shop.bench(&package);
        bench.make_folder(&node.folder)?;
        let output = format!("{}pgo.preprofile", node.folder);
        let arguments = ["-o", &output, "-i", path].map(str::to_owned).to_vec();
        let action = tool_action(goal, "preprofile", arguments, &self.shop.folder);
        bench.run(action, path, ".", &[])?;
        bench.flush();
        if self.shop.flags.dry {
            return Ok(Archive { path: output, content: None });
        }
        let mut file =
            std::fs::File::open(&output).map_err(|error| StepError::system("open", &output, &error))?;
        let content = self.shop.keep(self.shop.cache.put_file(&id, &mut file));
        Ok(Archive { path: output, content })
    }
}
