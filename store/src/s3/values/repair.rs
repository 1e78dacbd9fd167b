//! Reading every row there is, and taking the damaged ones out. What was damaged stays under `quarantine/`.

use std::io;

use crate::check::{Damage, Report};
use crate::error::{ErrorKind, StoreError};
use crate::packed::merge::RunError;
use crate::packed::name::{Shelf, parse_row_name};
use crate::packed::walk::Met;
use crate::s3::values::commit::building;
use crate::s3::values::local::{blocking, build, fetch};
use crate::s3::values::manifest::{Entry, Tail};
use crate::s3::values::segment::RowError;
use crate::s3::values::view::View;
use crate::s3::values::{FOLDER, MANIFEST, Shared};

impl Shared {
    /// Reads all rows.
    pub(crate) async fn examine(&self) -> Result<Report, StoreError> {
        self.looking(|view| async move {
            let mut report = Report::default();
            self.examine_tail(&view, &mut report).await;
            for entry in &view.manifest.segments {
                self.examine_segment(&view, *entry, &mut report).await?;
            }
            Ok(report)
        })
        .await
    }

    /// Rows, bytes and objects.
    pub(crate) async fn count(&self) -> Result<(u64, u64, u64), StoreError> {
        let view = self.fresh().await?;
        let segments = &view.manifest.segments;
        let rows = segments.iter().map(|entry| entry.rows).sum::<u64>() + view.tail.rows.len() as u64;
        let bytes = segments.iter().map(|entry| entry.len).sum::<u64>() + view.tail.len() as u64;
        Ok((rows, bytes, segments.len() as u64 + u64::from(!view.is_new())))
    }

    /// Makes damaged rows absent.
    pub(crate) async fn repair(&self) -> Result<(), StoreError> {
        self.repair_tail().await?;
        let view = self.fresh().await?;
        for entry in &view.manifest.segments {
            let mut report = Report::default();
            match self.examine_segment(&view, *entry, &mut report).await {
                // merged away since
                Err(RowError::Gone(_)) => continue,
                examined => examined.map_err(RowError::into_error)?,
            }
            if !report.is_clean() {
                self.repair_segment(*entry, view.manifest.swept).await.map_err(RowError::into_error)?;
            }
        }
        Ok(())
    }

    async fn examine_tail(&self, view: &View, report: &mut Report) {
        report.rows += (view.tail.rows.len() + view.tail.damaged.len()) as u64;
        if view.tail.head_damaged {
            report.damage.push(Damage::Bytes { file: MANIFEST.into(), at: 0 });
        }
        for (name, at) in &view.tail.damaged {
            report.damage.push(damage(view, name, MANIFEST, *at).await);
        }
    }

    async fn examine_segment(&self, view: &View, entry: Entry, report: &mut Report) -> Result<(), RowError> {
        let segment = match fetch(&self.reach.bucket, &self.reach.scratch, entry).await {
            Err(RowError::Damaged(file, at)) => {
                report.damage.push(Damage::Bytes { file, at });
                return Ok(());
            }
            segment => segment?,
        };
        let file = entry.object();
        let walked = blocking(move || -> io::Result<_> {
            let (mut rows, mut damaged) = (0, Vec::new());
            if let Some(at) = segment.head_damage()? {
                damaged.push((Vec::new(), at));
            }
            segment.walk(&mut |met| {
                rows += 1;
                match met {
                    Met::Row(_) => {}
                    Met::BadRow { name, at } => damaged.push((name.to_vec(), at)),
                    Met::Lost { at } => damaged.push((Vec::new(), at)),
                }
                Ok(())
            })?;
            Ok((rows, damaged))
        });
        let (rows, damaged) = walked.await?.map_err(|error| StoreError::io("reading a segment", error))?;
        report.rows += rows;
        for (name, at) in damaged {
            report.damage.push(damage(view, &name, &file, at).await);
        }
        Ok(())
    }

    async fn repair_tail(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        let view = self.fresh().await?;
        if view.tail.damaged.is_empty() && !view.tail.head_damaged {
            return Ok(());
        }
        let name = format!("quarantine/manifest-{}", view.generation());
        self.reach.bucket.copy(MANIFEST, &name).await?;
        let tail = Tail { rows: view.tail.rows.clone(), ..Tail::default() };
        match self.replace(&view, view.manifest.clone(), tail).await? {
            true => Ok(()),
            false => {
                Err(StoreError::new(ErrorKind::Io, "repairing small values: others write at the same time"))
            }
        }
    }

    async fn repair_segment(&self, entry: Entry, swept: u64) -> Result<(), RowError> {
        let name = entry.object();
        let plain = name.strip_prefix(FOLDER).unwrap_or(&name);
        self.reach.bucket.copy(&name, &format!("quarantine/{plain}")).await?;
        let built = match fetch(&self.reach.bucket, &self.reach.scratch, entry).await {
            // nothing can be made out in it
            Err(RowError::Damaged(..)) => {
                let scratch = self.reach.scratch.clone();
                blocking(move || build(&scratch, 0, |_| Ok(()))).await?
            }
            segment => {
                let (segment, scratch) = (segment?, self.reach.scratch.clone());
                blocking(move || {
                    build(&scratch, entry.rows, |builder| {
                        let walked = segment.walk(&mut |met| match met {
                            Met::Row(row) => builder.push(row),
                            Met::BadRow { .. } | Met::Lost { .. } => Ok(()),
                        });
                        walked.map_err(RunError::Io)
                    })
                })
                .await?
            }
        };
        let repaired = built.map_err(building)?.upload(&self.reach.bucket, entry.level).await?;
        let dropped = if self.offer(&[entry], repaired, swept).await? { entry } else { repaired };
        self.drop_segment(&dropped).await;
        Ok(())
    }
}

/// The damage of a row that seems to have this name: by key if that is what reading the key says too.
async fn damage(view: &View, name: &[u8], file: &str, at: u64) -> Damage {
    match parse_row_name(name) {
        Some((key, shelf)) if view.find(name).await.is_err() => match shelf {
            Shelf::Cell => Damage::Cell(key),
            Shelf::Value => Damage::Value(key),
        },
        _ => Damage::Bytes { file: file.into(), at },
    }
}
