//! A bucket as a home: on a real server, and on one that fails and cheats on request.
#![cfg(test)]

mod damage;
mod faults;
mod servers;
#[path = "../homes/suite.rs"]
mod suite;
mod tidy;

use modkeep_harness::bucket::{Bucket, Sin};
use modkeep_harness::s3::{ACCESS, Gateway, SECRET};
use modkeep_store::{ErrorKind, S3, S3Options, StoreError, check};
use suite::check_home;

pub(crate) fn options(endpoint: String, prefix: &str) -> S3Options {
    S3Options {
        endpoint: Some(endpoint),
        region: Some("us-east-1".into()),
        path_style: true,
        credentials: Some((ACCESS.into(), SECRET.into())),
        ..S3Options::parse(&format!("s3://modkeep/{prefix}")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_versitygw_is_a_home() {
    let Some(gateway) = Gateway::start_or_skip("a_bucket_of_versitygw_is_a_home", "modkeep") else { return };
    check_home(S3::open(options(gateway.endpoint(), "")).await.unwrap()).await;
    let store = S3::open(options(gateway.endpoint(), "")).await.unwrap();
    let report = check(&store).await.unwrap();
    assert!(report.is_clean() && report.blobs > 20 && report.rows > 50, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_seals_and_merges_all_the_time_is_a_home() {
    let bucket = Bucket::start(Sin::None);
    let open = async || S3::open(S3Options { tail_full: Some(300), ..options(bucket.endpoint(), "") }).await;
    check_home(open().await.unwrap()).await;
    let segments = || bucket.names().iter().filter(|name| name.contains("values/segment-")).count();
    assert!(segments() > 0, "{:?}", bucket.names());
    let report = check(&open().await.unwrap()).await.unwrap();
    assert!(report.is_clean() && report.rows > 50, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_in_a_bucket_is_a_home() {
    let bucket = Bucket::start(Sin::None);
    check_home(S3::open(options(bucket.endpoint(), "some/where")).await.unwrap()).await;
    let names = bucket.names();
    assert!(names.iter().all(|name| name.starts_with("some/where/")), "{names:?}");
}

async fn refusal(sin: Sin) -> StoreError {
    let bucket = Bucket::start(sin);
    let refused = S3::open(options(bucket.endpoint(), "")).await.unwrap_err();
    assert!(bucket.names().is_empty(), "the probe leaves nothing behind");
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_does_not_keep_its_conditions_is_refused() {
    for sin in [Sin::IgnoresConditions, Sin::ChecksThenWrites] {
        let refused = refusal(sin).await;
        assert_eq!(refused.kind(), ErrorKind::Refused, "{sin:?}: {refused}");
        let text = refused.to_string();
        assert!(text.starts_with("bucket `modkeep` does not keep the condition `If-"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_an_error() {
    let gone = Bucket::start(Sin::None).endpoint();
    let error = S3::open(options(gone, "")).await.unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Refused, "{error}");
}
