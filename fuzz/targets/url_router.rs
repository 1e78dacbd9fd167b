//! The path of a request from anybody: what is taken has one URL and one key in the store, and neither leaves its place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::Resource;

fuzz_target!(|path: &str| {
    let Ok(resource) = Resource::parse(path) else { return };
    let again = Resource::parse(&resource.url_path()).expect("the URL that we ask for can be parsed");
    assert_eq!(again, resource);
    let key = resource.store_key();
    assert!(key.len() <= 900, "{key}");
    assert!(key.split('/').all(|element| !matches!(element, "" | "." | "..")), "{key}");
    assert!(key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{key}");
});
