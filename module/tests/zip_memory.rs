//! Memory that a hostile zip can take, counted by the allocator: alone in its program, so that nothing else counts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};

use modkeep_harness::hostile::hostile_zips;
use modkeep_module::ModuleVersion;
use modkeep_module::zip::prove;

/// What proving any zip may take, in bytes.
const MEMORY: usize = 64 << 20;

#[test]
fn proving_a_hostile_zip_takes_little_memory() {
    let module = ModuleVersion::parse("example.com/m", "v1.2.3").unwrap();
    for hostile in hostile_zips("example.com/m", "v1.2.3") {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("hostile.zip");
        #[allow(clippy::disallowed_methods, reason = "files of a test need not outlive it")]
        std::fs::write(&path, hostile.zip()).unwrap();
        let file = File::open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        let (_, peak) = peak_of(|| prove(&file, length, &module));
        assert!(peak <= MEMORY, "{}: {peak} bytes", hostile.name);
    }
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all duties are the system allocator's, to which every call is handed as it is.
#[allow(unsafe_code, reason = "an allocator can be counted only by being one")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(used, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}

/// How many bytes more than before were in use at most while `work` ran, as far as nothing else does.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let output = work();
    (output, PEAK.load(Ordering::Relaxed).saturating_sub(before))
}
