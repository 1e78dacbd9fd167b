//! What a plan would come to, where all of it is known to be done.
//!
//! Each program has the build ID that follows from the sources: from the remembered results of all keys below it. It is in
//! its place, or was linked before and is kept. Then nothing is asked of the build cache, and all that is done is to copy
//! programs. Entries of the cache must still grow older only when they are unused, so that once an hour they are asked for all
//! the same.

use super::{Product, Run, built_in, no_package};
use crate::buildid::BuildId;
use crate::compile::Compiled;
use crate::link::{Linked, Origin};
use crate::plan::{Node, NodeId, Work};
use crate::shop::StepError;

impl Run<'_> {
    /// What all nodes leave, if nothing is left to do.
    pub(super) fn known_products(self) -> Option<Vec<Option<Product>>> {
        let flags = &self.shop.flags;
        let looks_closer = flags.verified_part > 0.0 || flags.tells_reasons || flags.only_tells_reasons;
        let is_published = self.shop.remote.as_ref().is_some_and(crate::remote::Remote::writes);
        let is_asked_for_work = flags.dry || flags.forces || flags.shows || looks_closer || is_published;
        if is_asked_for_work || !self.shop.memory().has_fresh() || !self.plan.is_of_programs() {
            return None;
        }
        // What a node needs has a lower number.
        let mut is_first = true;
        for (id, node) in self.plan.nodes.iter().enumerate() {
            let product = self.known_product(id, node)?;
            if let Product::Compiled(compiled) = &product
                && node.work != Work::BuiltIn
                && std::mem::take(&mut is_first)
                && !self.shop.cache.has(&compiled.action)
            {
                // The cache was cleaned: what it holds is to be there again.
                return None;
            }
            let _ = self.products[id].set(product);
        }
        if !self.shop.memory().is_fresh(&self.sum()) {
            return None;
        }
        for (id, node) in self.plan.nodes.iter().enumerate() {
            match &node.work {
                Work::Compile { program: Some(_), .. } => self.retell(id, node),
                Work::Link { .. } => self.take(id)?,
                Work::Install { target } => self.install(node, target).ok()?,
                _ => {}
            }
        }
        Some(self.products.into_iter().map(std::sync::OnceLock::into_inner).collect())
    }

    fn known_product(&self, id: NodeId, node: &Node) -> Option<Product> {
        match &node.work {
            Work::BuiltIn => Some(Product::Compiled(built_in())),
            Work::Profile { .. } => None,
            Work::Vet { .. } | Work::Sources => None,
            Work::Compile { program, .. } => {
                self.known_package(id, node, *program).ok().map(Product::Compiled)
            }
            Work::Link { .. } => {
                let program = self.program(id, None)?;
                let (action, preimage) = program.key(&program.packages[0].1.build_id).ok()?;
                let at_target = program.found_at_target().filter(|found| found.action() == action.short());
                let Some(build_id) = at_target else {
                    return program.known(action, preimage).map(Product::Linked);
                };
                let path = program.target.unwrap_or_default().to_owned();
                let origin = Origin::Target;
                Some(Product::Linked(Linked { action, preimage, build_id, path, origin }))
            }
            Work::Install { target } => match self.products[node.needs[0]].get()? {
                Product::Linked(linked) if linked.origin == Origin::Kept || linked.path == *target => {
                    Some(Product::Installed)
                }
                _ => None,
            },
        }
    }

    /// Tells again what the tools said of a main package, and of its program if that is in its place.
    fn retell(&self, id: NodeId, node: &Node) {
        let Some(Product::Compiled(compiled)) = self.products[id].get() else { return };
        let Work::Compile { program: Some(link), .. } = node.work else { return };
        let is_in_place = self.linked(link).is_some_and(Linked::is_up_to_date);
        // A main package is there, or there would be no plan for it.
        let _ = self.with_unit(id, node, |unit| {
            unit.retell(&compiled.action, "stdout");
            if is_in_place {
                unit.retell(&compiled.action, "link-stdout");
            }
            Ok(())
        });
    }

    /// Takes a program that is not in its place from what is kept, with what the linker said; nothing if it can't be had.
    fn take(&self, link: NodeId) -> Option<()> {
        let linked = self.linked(link)?;
        let is_there = linked.is_up_to_date() || self.program(link, None)?.take(linked);
        is_there.then_some(())
    }

    fn linked(&self, link: NodeId) -> Option<&Linked> {
        match self.products[link].get()? {
            Product::Linked(linked) => Some(linked),
            _ => None,
        }
    }

    fn known_package(&self, id: NodeId, node: &Node, program: Option<NodeId>) -> Result<Compiled, StepError> {
        self.with_unit(id, node, |unit| {
            if unit.package.error.is_some() {
                return Err(no_package());
            }
            let (action, preimage) = unit.key()?;
            let current =
                program.map(|link| self.main_of_current_program(link, &action)).transpose()?.flatten();
            let package = unit.package;
            // C compilers and assemblers may read what no key names: another archive can be there under the same key.
            let is_closed = !package.uses_cgo() && (package.standard || package.s_files.is_empty());
            let known = || {
                if !is_closed {
                    return unit.cached(action, &preimage).map(|cached| cached.build_id);
                }
                let content = self.shop.memory().result(&action)?;
                Some(BuildId::found(format!("{}/{content}", action.short())))
            };
            let build_id = current.or_else(known).ok_or_else(no_package)?;
            Ok(Compiled { action, preimage, build_id, archive: None, is_cached: true })
        })
    }
}
