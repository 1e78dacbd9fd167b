//! Three versions from anybody: one order for all, and a canonical form that stays.
#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use modkeep_module::escape::{escape_version, unescape_version};
use modkeep_module::{pseudo, semver};

fuzz_target!(|versions: (&str, &str, &str)| {
    let (a, b, c) = versions;
    assert_eq!(semver::compare(a, b), semver::compare(b, a).reverse());
    if semver::compare(a, b) != Ordering::Greater && semver::compare(b, c) != Ordering::Greater {
        assert_ne!(semver::compare(a, c), Ordering::Greater, "{a:?} {b:?} {c:?}");
    }
    if let Some(canonical) = semver::canonical(a) {
        assert_eq!(semver::canonical(&canonical).as_ref(), Some(&canonical));
        assert_eq!(semver::compare(a, &canonical), Ordering::Equal);
    }
    if pseudo::is_pseudo_version(a) {
        drop((pseudo::pseudo_version_time(a), pseudo::pseudo_version_rev(a), pseudo::pseudo_version_base(a)));
    }
    if let Ok(escaped) = escape_version(a) {
        assert_eq!(unescape_version(&escaped).as_deref(), Ok(a));
    }
});
