//! Opening the store that the settings name, whatever home it has.

use std::sync::Arc;

use modkeep_store::{Folder, Options, S3, S3Options, Store};

use crate::config::places::Place;
use crate::report::Failure;

/// Opens the store, making it if there is none. A bucket has to prove first that it keeps its conditions.
pub(crate) async fn open(place: Place, options: Options) -> Result<Arc<dyn Store>, Failure> {
    match place {
        Place::Folder(folder) => Ok(Arc::new(Folder::open(&folder, options).map_err(Failure::of)?)),
        Place::Bucket(bucket) => {
            let bucket = S3Options { free_floor: options.free_floor, ..bucket };
            Ok(Arc::new(S3::open(bucket).await.map_err(Failure::of)?))
        }
    }
}

/// Opens a store that somebody has made.
pub(crate) async fn open_existing(place: Place) -> Result<Arc<dyn Store>, Failure> {
    let missing = Failure::of(format!("there is no store in `{place}`"));
    match place {
        Place::Folder(folder) if !folder.is_dir() => Err(missing),
        Place::Folder(_) => open(place, Options::default()).await,
        Place::Bucket(bucket) => {
            let store = S3::open(bucket).await.map_err(Failure::of)?;
            if store.is_new() { Err(missing) } else { Ok(Arc::new(store)) }
        }
    }
}
