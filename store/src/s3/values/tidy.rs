//! Deleting segments that no manifest names: those of servers that were killed between uploading one and naming it.
//!
//! Safe in every order beside servers that write. A manifest says how often it was swept; it is swept, that is replaced by its
//! like with one more, after the nameless segments were listed and before they are deleted. Whoever names a segment that was
//! uploaded under an older count loses: a tail's seal is written on the very manifest that was read before the upload, and a
//! merge is offered only while the count is what it was then ([`offer`](Shared::offer)). So after the count no segment of the list
//! can get a name, and one that got it before is seen in the manifest that the count is written on. The age only spares
//! servers their work.

use std::collections::HashSet;
use std::time::SystemTime;

use crate::check::Tidied;
use crate::error::{ErrorKind, StoreError};
use crate::s3::bucket::{Listed, Pages};
use crate::s3::values::manifest::Entry;
use crate::s3::values::view::View;
use crate::s3::values::{SEGMENT, Shared};

/// How often the count is offered while others write.
const OFFERS: usize = 64;

impl Shared {
    /// Deletes segments that were last written before `moment` and have no name.
    pub(crate) async fn tidy(&self, moment: SystemTime) -> Result<Tidied, StoreError> {
        let mut old = Vec::new();
        let mut pages = Pages::new(&self.reach.bucket, SEGMENT.into());
        while let Some(page) = pages.next().await? {
            old.extend(page.into_iter().filter(|object| object.written < moment));
        }
        let nameless = self.count_sweep(old).await?;
        let mut tidied = Tidied::default();
        for object in nameless {
            self.reach.bucket.delete(&object.name).await?;
            tidied += Tidied { files: 1, bytes: object.len };
        }
        Ok(tidied)
    }

    /// Those that have no name, after which none of them can get one.
    async fn count_sweep(&self, objects: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        for _ in 0..OFFERS {
            let view = self.fresh().await?;
            let nameless = nameless(&view, &objects);
            // without a manifest nothing is known of any segment
            if nameless.is_empty() || view.is_new() {
                return Ok(Vec::new());
            }
            if !view.tail.damaged.is_empty() {
                let why = "sweeping small values: rows of the tail are damaged; `scrub` takes them out";
                return Err(StoreError::new(ErrorKind::Damaged, why));
            }
            let manifest = view.manifest.clone().swept_once();
            if self.replace(&view, manifest, view.tail.clone()).await? {
                return Ok(nameless);
            }
        }
        Err(StoreError::new(ErrorKind::Io, "sweeping small values: others write all the time"))
    }
}

fn nameless(view: &View, objects: &[Listed]) -> Vec<Listed> {
    let named: HashSet<String> = view.manifest.segments.iter().map(Entry::object).collect();
    objects.iter().filter(|object| !named.contains(&object.name)).cloned().collect()
}
