//! The bytes of archives, at the time when somebody is about to read them.
//!
//! A key needs of an import only its build ID, so an archive may be known without being here, and one that is here was only
//! looked at by its size, as go does. Before a tool reads archives each is hashed, once in a run; what is missing comes from
//! the remote cache, and what can't be had or is damaged is made again. It then has to be what it was taken for: keys of others
//! were made from that.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{Product, Run};
use crate::buildid::{self, BuildId};
use crate::compile::{Archive, Compiled};
use crate::plan::{NodeId, Work};
use crate::shop::StepError;

impl Run<'_> {
    /// Has the archives of packages in the build cache, each being what its name says.
    pub(super) fn ensure(&self, nodes: &[NodeId]) -> Result<(), StepError> {
        if self.shop.flags.dry || self.shop.flags.only_tells_reasons {
            return Ok(());
        }
        let mut lacking: Vec<NodeId> =
            nodes.par_iter().copied().filter(|&node| !self.is_whole(node)).collect();
        lacking.sort_unstable();
        lacking.dedup();
        if lacking.is_empty() {
            return Ok(());
        }
        self.fetch(&lacking);
        lacking.into_iter().filter(|&node| !self.is_proved(node)).try_for_each(|node| self.make_again(node))
    }

    /// The archive of a node, where it lies in the build cache.
    fn kept(&self, node: NodeId) -> Option<(&Compiled, &Archive)> {
        match self.products[node].get() {
            Some(Product::Compiled(compiled)) => {
                let archive = compiled.archive.as_ref()?;
                let is_kept = std::path::Path::new(&archive.path).starts_with(self.shop.cache.folder());
                is_kept.then_some((compiled, archive))
            }
            _ => None,
        }
    }

    fn is_proved(&self, node: NodeId) -> bool {
        let Some(content) = self.kept(node).and_then(|(_, archive)| archive.content) else {
            return true;
        };
        self.shop.proved.lock().contains(&content)
    }

    fn is_whole(&self, node: NodeId) -> bool {
        let content = self.kept(node).and_then(|(_, archive)| archive.content);
        content.is_none_or(|content| self.shop.proves(&content))
    }

    /// Brings from the remote cache what it has of these.
    fn fetch(&self, nodes: &[NodeId]) {
        let Some(remote) = &self.shop.remote else {
            return;
        };
        let wanted: Vec<_> = nodes
            .iter()
            .filter_map(|&node| {
                let (compiled, archive) = self.kept(node)?;
                Some((node, compiled, remote.find_output(&archive.content?)?))
            })
            .collect();
        let entries: Vec<_> = wanted.iter().map(|(_, _, entry)| &**entry).collect();
        let has_come: Vec<AtomicBool> = wanted.iter().map(|_| AtomicBool::default()).collect();
        remote.contents(&entries, |index, content| {
            let (_, compiled, entry) = &wanted[index];
            // Keys of others were made from the ID that the manifest says is in it.
            if let Some(content) = content.filter(|content| self.has_id(content, &compiled.build_id)) {
                let kept =
                    self.shop.keep(self.shop.cache.put_known(&compiled.action, entry.output, &content));
                self.shop.proved.lock().extend(kept);
                has_come[index].store(true, Ordering::Relaxed);
            }
        });
        // Go looks for these beside an archive.
        for ((node, compiled, _), has_come) in wanted.iter().zip(has_come) {
            if has_come.into_inner() {
                // A package that has no key was not found by one.
                let _ = self.with_unit(*node, &self.plan.nodes[*node], |unit| {
                    ["stdout", "srcfiles"].iter().for_each(|name| unit.take_along(&compiled.action, name));
                    Ok(())
                });
            }
        }
    }

    /// Whether an archive that came has the ID that it was taken for.
    fn has_id(&self, archive: &[u8], expected: &BuildId) -> bool {
        let found = buildid::read_archive(archive).ok().flatten();
        let is_expected = found.as_ref() == Some(expected);
        if !is_expected {
            let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
            self.shop.warn(&format!(
                "the remote cache says the build ID {expected} of an archive whose ID is {found}: it is made here"
            ));
        }
        is_expected
    }

    /// Makes what is damaged or can't be had.
    fn make_again(&self, node: NodeId) -> Result<(), StepError> {
        // Another thread may be at it. Nodes are locked from dependents to what they need, so none waits for itself.
        let _only_once = self.again[node].lock();
        if self.is_proved(node) {
            return Ok(());
        }
        let Some((compiled, archive)) = self.kept(node) else {
            return Ok(());
        };
        let Work::Compile { .. } = self.plan.nodes[node].work else {
            return Ok(());
        };
        self.ensure(&self.plan.nodes[node].needs)?;
        self.with_unit(node, &self.plan.nodes[node], |unit| {
            let made = unit.build_afresh(compiled.action, compiled.preimage.clone(), None)?;
            let path = made.archive.as_ref().map(|archive| archive.path.as_str());
            if made.build_id == compiled.build_id && path == Some(archive.path.as_str()) {
                return Ok(());
            }
            Err(StepError::Plain(format!(
                "a cache had it with the build ID {}, but it is {}: what was made from that is given up; build again{}",
                compiled.build_id,
                made.build_id,
                self.other_hint(&compiled.build_id)
            )))
        })
    }

    /// Where a wrong build ID may have come from.
    fn other_hint(&self, build_id: &BuildId) -> &'static str {
        let is_remote = self.shop.remote.is_some() && !build_id.as_str().is_empty();
        if is_remote { ", and without the remote cache if it happens again" } else { "" }
    }
}
