//! The store of a program with a home of its own, opened beside it.

use std::path::Path;
use std::sync::Arc;

use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::s3;
use modkeep_store::{Folder, Options, S3, S3Options, Store};

/// Opens the store, be it in a folder or in a bucket.
pub(crate) async fn open(home: &Path) -> Arc<dyn Store> {
    let Some(place) = s3::shared(home) else {
        return Arc::new(Folder::open(&Modkeep::store(home), Options::default()).unwrap());
    };
    let bucket = S3Options {
        endpoint: Some(place.endpoint()),
        path_style: true,
        credentials: Some((s3::ACCESS.into(), s3::SECRET.into())),
        ..S3Options::parse(&format!("s3://modkeep/{}", place.prefix())).unwrap()
    };
    Arc::new(S3::open(bucket).await.unwrap())
}
