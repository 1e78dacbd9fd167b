//! Vetting packages of a plan.

use super::{Product, Run, no_package};
use crate::plan::{Node, Work};
use crate::shop::StepError;
use crate::vet::{Vet, Vetted};

impl Run<'_> {
    pub(super) fn vet(&self, node: &Node, is_asked: bool) -> Result<Vetted, StepError> {
        let [compile, of_imports @ ..] = node.needs.as_slice() else {
            return Err(no_package());
        };
        let Some(compiled) = self.compiled(*compile) else {
            // What is wrong with it is told; there is nothing to vet.
            return Ok(Vetted::default());
        };
        if self.plan.nodes[*compile].work == Work::BuiltIn {
            // There are no sources to look at.
            return Ok(Vetted::default());
        }
        let facts = of_imports.iter().filter_map(|&need| match self.products[need].get() {
            Some(Product::Vetted(vetted)) => {
                Some((self.package(&self.plan.nodes[need])?, vetted.facts.as_ref()?))
            }
            _ => None,
        });
        let facts = facts.collect();
        let of_compile = &self.plan.nodes[*compile];
        self.with_unit(*compile, of_compile, |unit| {
            let vet = Vet { unit, compiled, facts, vetting: &self.plan.vetting, is_asked };
            let id = vet.key()?;
            if let Some(vetted) = vet.cached(&id) {
                return Ok(vetted);
            }
            let sources = unit.sources(&compiled.action)?;
            self.ensure(&of_compile.needs)?;
            vet.run(&id, &sources)
        })
    }
}
