//! An `.info` document from anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::Resource;
use modkeep_module::info::Info;

fuzz_target!(|bytes: &[u8]| {
    let Ok(info) = Info::parse(bytes) else { return };
    let asked = Resource::parse("/example.com/m/@v/v1.0.0.info").unwrap();
    let latest = Resource::parse("/example.com/m/@latest").unwrap();
    drop((info.answers(&asked), info.answers(&latest), info.carries_credentials()));
});
