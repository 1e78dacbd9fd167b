//! Giving to the remote cache what a build has used or made.

use std::fs;

use modkeep_store::Digest;

use super::{Product, Run};
use crate::action_id::ActionId;
use crate::compile::{Compiled, Unit};
use crate::link::{Linked, Origin};
use crate::plan::NodeId;
use crate::remote::{Made, Output};
use crate::shop::StepError;
use crate::tier::{self, ExportKey};

impl Run<'_> {
    /// Puts what the remote cache doesn't have on it, if it takes anything.
    pub(super) fn publish(&self) {
        let Some(remote) = self.shop.remote.as_ref().filter(|remote| remote.writes()) else {
            return;
        };
        if self.shop.flags.dry || self.shop.flags.only_tells_reasons || self.is_interrupted() {
            return;
        }
        let mut made = Vec::new();
        for (node, product) in self.products.iter().enumerate() {
            let found = match product.get() {
                Some(Product::Compiled(compiled)) => self.archive(node, compiled),
                Some(Product::Linked(linked)) => self.program_of(node, linked),
                _ => None,
            };
            made.extend(found);
        }
        if !made.is_empty() {
            remote.publish(made);
        }
    }

    fn is_interrupted(&self) -> bool {
        self.shop.machine.children().is_stopped()
    }

    fn archive(&self, node: NodeId, compiled: &Compiled) -> Option<Made> {
        let remote = self.shop.remote.as_ref()?;
        let content = compiled.archive.as_ref()?.content?;
        let made = self.with_unit(node, &self.plan.nodes[node], |unit| {
            let Some(key) = unit.shared_key(&compiled.action) else { return Ok(None) };
            if remote.find_known(&key).is_some_and(|entry| entry.output == content) {
                return Ok(None);
            }
            Ok::<_, StepError>(self.outputs(unit, compiled, &key, &content))
        });
        let outputs = made.ok()??;
        let set = self.plan.nodes[node].package.map(|id| {
            let goal = self.goal(&self.plan.nodes[node]);
            if goal.graph[id].standard { goal.standard_set() } else { goal.own_set() }
        });
        Some(Made { set, outputs })
    }

    fn outputs(
        &self,
        unit: &Unit<'_>,
        compiled: &Compiled,
        key: &ActionId,
        content: &Digest,
    ) -> Option<Vec<Output>> {
        let cache = &self.shop.cache;
        let bytes = fs::read(cache.output_file(content)?).ok()?;
        if Digest::of(&bytes) != *content {
            return None;
        }
        let mut outputs = Vec::new();
        let build_id = Some(compiled.build_id.clone());
        outputs.push(Output { action: *key, content: bytes, build_id });
        for name in ["stdout", "srcfiles"] {
            let content = cache.bytes(&compiled.action.subkey(name))?;
            outputs.push(Output { action: key.subkey(name), content, build_id: None });
        }
        if let Some(export_key) = ExportKey::of(unit, &compiled.preimage)
            && let Some(content) = self.shop.tiers.bytes(export_key.action())
        {
            outputs.push(Output { action: *export_key.action(), content, build_id: None });
        }
        Some(outputs)
    }

    fn program_of(&self, node: NodeId, linked: &Linked) -> Option<Made> {
        if linked.origin == Origin::Target {
            return None;
        }
        let remote = self.shop.remote.as_ref()?;
        let program = self.program(node, None)?;
        let key = tier::program_key(&program, &linked.action)?;
        if remote.find_known(&key).is_some() {
            return None;
        }
        let content = match program.is_kept {
            true => self.shop.cache.whole_file(&linked.action).and_then(|(file, _)| fs::read(file).ok()),
            false => self.shop.tiers.bytes(&key),
        }?;
        let set = Some(self.goal(&self.plan.nodes[node]).own_set());
        let build_id = Some(linked.build_id.clone());
        Some(Made { set, outputs: vec![Output { action: key, content, build_id }] })
    }
}
