//! Archives of a size that Go bears and that a server should not.

use super::Corpus;
use super::Verdict::{Other, Stricter};
use crate::raw_zip::{Part, RawZip};

pub(super) fn add(corpus: &mut Corpus) {
    let of = corpus.of.clone();
    // Directories, so that nobody who unpacks them makes as many files.
    let folders = move |count: usize| {
        let of = of.clone();
        (0..count).map(move |i| {
            Part::new(of.name(format!("d{i}/")), "").but(|part| {
                part.at = Some(0);
                part.is_there = i == 0;
            })
        })
    };
    let make = folders.clone();
    corpus.made("66000 entries without 64-bit records", Other, move || RawZip::new(make(66_000)).bytes());
    let make = folders.clone();
    corpus.made("300001 entries", Stricter("more than 300000 entries"), move || {
        RawZip::new(make(300_001)).bytes()
    });
    let of = corpus.of.clone();
    let long_names = move |count: usize| {
        let of = of.clone();
        (0..count).map(move |i| {
            let name = format!("{i}{}/", "x".repeat(65_000));
            Part::new(of.name(name), "").but(|part| {
                part.local_name = Some(Vec::new());
                part.at = Some(0);
                part.is_there = i == 0;
            })
        })
    };
    let make = long_names.clone();
    corpus.made("names of 1.3 MB together", Other, move || RawZip::new(make(20)).bytes());
    corpus.made("names of more than 32 MiB together", Stricter("names of more than"), move || {
        RawZip::new(long_names(520)).bytes()
    });
    let make = folders.clone();
    corpus.made("a directory of more than 64 MiB", Stricter("central directory of more than"), move || {
        let commented = make(1_050).map(|part| part.but(|part| part.comment = vec![b'c'; 65_535]));
        RawZip::new(commented).bytes()
    });
    let of = corpus.of.clone();
    corpus.made("half a million folders", Stricter("more than 450000 files and directories"), move || {
        let deep = (0..5_000).map(|i| {
            let name = of.name(format!("d{i}/{}", "a/".repeat(100)));
            Part::new(name, "").but(|part| {
                part.local_name = Some(Vec::new());
                part.at = Some(0);
                part.is_there = i == 0;
            })
        });
        RawZip::new(deep).bytes()
    });
    let of = corpus.of.clone();
    corpus.made("a folder 4000 deep in capitals", Other, move || {
        RawZip::new([Part::new(of.name("A/".repeat(4_000)), "")]).bytes()
    });
    corpus.made("the same folder 20000 times", Other, move || {
        RawZip::new(
            folders(1)
                .cycle()
                .take(20_000)
                .enumerate()
                .map(|(i, part)| part.but(|part| part.is_there = i == 0)),
        )
        .bytes()
    });
}
