//! Many small segments become few large ones. Any server may do it; of several that do the first one's result counts.
//!
//! The inputs come down to this machine, are merged there, and the result goes up before the manifest names it. The inputs are
//! deleted after that: a reader that still wants them finds them gone, and a newer manifest.

use std::sync::Arc;

use crate::error::StoreError;
use crate::packed::merge::{Merge, Run};
use crate::s3::values::Shared;
use crate::s3::values::commit::building;
use crate::s3::values::local::{blocking, build, fetch};
use crate::s3::values::manifest::{Entry, Manifest};
use crate::s3::values::segment::RowError;
use crate::s3::values::view::View;

/// So many segments of one level are merged into one of the next.
const FAN: usize = 8;
/// How often a finished merge is offered while others write.
const OFFERS: usize = 64;

/// What becomes one segment.
struct Plan {
    inputs: Vec<Entry>,
    level: u64,
    /// Nothing older lies below, so removed rows need not be kept.
    oldest: bool,
}

fn plan(manifest: &Manifest) -> Option<Plan> {
    let mut levels = manifest.segments.chunk_by(|newer, older| newer.level == older.level);
    let inputs = levels.find(|segments| segments.len() >= FAN)?;
    let oldest = inputs.last() == manifest.segments.last();
    Some(Plan { inputs: inputs.to_vec(), level: inputs[0].level + 1, oldest })
}

impl Shared {
    /// Merges whenever a tail was sealed and there is something to merge.
    pub(crate) async fn merge_for_ever(&self) {
        loop {
            self.sealed.notified().await;
            loop {
                match self.merge_once().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "cannot merge segments of small values");
                        break;
                    }
                }
            }
        }
    }

    /// Does one merge; false when there is none to do.
    async fn merge_once(&self) -> Result<bool, StoreError> {
        let view = self.fresh().await?;
        let Some(plan) = plan(&view.manifest) else { return Ok(false) };
        let merged = match self.merged(&plan).await {
            // another server was quicker
            Err(RowError::Gone(_)) if self.fresh().await?.generation() != view.generation() => {
                return Ok(true);
            }
            merged => merged.map_err(RowError::into_error)?,
        };
        if !self.offer(&plan.inputs, merged, view.manifest.swept).await? {
            self.drop_segment(&merged).await;
            return Ok(true);
        }
        for input in &plan.inputs {
            self.drop_segment(input).await;
        }
        Ok(true)
    }

    async fn merged(&self, plan: &Plan) -> Result<Entry, RowError> {
        // they come down, and the result is no longer than all of them
        let needed = 2 * plan.inputs.iter().map(|input| input.len).sum::<u64>();
        self.reach.scratch.check(needed)?;
        let mut local = Vec::with_capacity(plan.inputs.len());
        for input in &plan.inputs {
            local.push(fetch(&self.reach.bucket, &self.reach.scratch, *input).await?);
        }
        let rows = plan.inputs.iter().map(|input| input.rows).sum();
        let (scratch, oldest) = (self.reach.scratch.clone(), plan.oldest);
        let built = blocking(move || {
            let mut runs: Vec<Box<dyn Run>> = Vec::with_capacity(local.len());
            for segment in &local {
                runs.push(Box::new(segment.run(&[])?));
            }
            let merge = Merge::new(runs);
            build(&scratch, rows, |builder| merge.write(builder, !oldest))
        });
        let built = built.await?.map_err(building)?;
        Ok(built.upload(&self.reach.bucket, plan.level).await?)
    }

    /// Puts `merged`, uploaded when the manifest had been `swept` so often, in the place of `inputs`; false when they are not
    /// there any more, or when it may have been swept away itself.
    pub(crate) async fn offer(
        &self,
        inputs: &[Entry],
        merged: Entry,
        swept: u64,
    ) -> Result<bool, StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        for _ in 0..OFFERS {
            let view = self.fresh().await?;
            if view.manifest.swept != swept {
                return Ok(false);
            }
            let Some(segments) = replaced(&view, inputs, merged) else { return Ok(false) };
            if self.replace(&view, view.manifest.with(segments), view.tail.clone()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn replaced(view: &Arc<View>, inputs: &[Entry], merged: Entry) -> Option<Vec<Entry>> {
    let mut segments = view.manifest.segments.clone();
    let at = segments.windows(inputs.len()).position(|window| window == inputs)?;
    segments.splice(at..at + inputs.len(), [merged]);
    Some(segments)
}
