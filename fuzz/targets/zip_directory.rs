//! A zip from anybody: read, checked, proved. What is proved passes the check and has the hash that reading it gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::dirhash::hash_zip;
use modkeep_module::zip::{Archive, check, prove, strict};
use modkeep_module::{ModulePath, ModuleVersion, Version};

fuzz_target!(|bytes: &[u8]| {
    let (path, version) = (ModulePath::parse("example.com/m").unwrap(), Version::parse("v1.0.0").unwrap());
    let module = ModuleVersion::new(path, version).unwrap();
    let length = bytes.len() as u64;
    let strict = strict(bytes, length);
    let proved = prove(bytes, length, &module);
    let Ok(archive) = Archive::open(bytes, length) else {
        assert!(proved.is_err(), "proved and can't be opened");
        return;
    };
    for index in 0..archive.len().min(64) {
        let entry = archive.entry(index);
        if entry.size() < 1 << 20 && let Ok(content) = archive.bytes(index) {
            assert_eq!(content.len() as u64, entry.size());
        }
    }
    if let Ok(facts) = proved {
        assert!(check(&archive, &module).verdict().is_ok(), "proved and against the rules");
        assert_eq!(hash_zip(&archive).unwrap(), facts.h1);
    }
    drop(strict);
});
