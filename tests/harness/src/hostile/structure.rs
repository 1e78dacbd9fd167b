//! End records, directories and offsets that lie.

use super::Corpus;
use super::Verdict::{Other, Refused, Same};
use crate::raw_zip::{End64, Part, RawZip, extra, extra64};

pub(super) fn add(corpus: &mut Corpus) {
    add_surroundings(corpus);
    add_comments(corpus);
    add_ends(corpus);
    add_ends64(corpus);
    add_headers(corpus);
    add_extras(corpus);
    add_cuts(corpus);
}

/// An archive with one file that is not the genuine one.
fn evil(corpus: &Corpus) -> RawZip {
    RawZip::new([Part::new(corpus.of.name("evil.go"), "package evil\n")])
}

fn add_surroundings(corpus: &mut Corpus) {
    let evil = evil(corpus).bytes();
    for (what, before) in [
        ("a script", b"#!/bin/sh\nexec evil\n".to_vec()),
        ("one byte", b"x".to_vec()),
        ("another zip", evil.clone()),
        ("a megabyte", vec![b'x'; 1 << 20]),
        ("a spanning mark", b"PK\x07\x08".to_vec()),
    ] {
        corpus.changed(format!("{what} before the archive"), Same, |zip| zip.before = before.clone());
        corpus.changed(format!("{what} before the archive, counted in all offsets"), Same, |zip| {
            let shift = before.len() as u32;
            let mut at = 0;
            for part in &mut zip.parts {
                part.at = Some(at + shift);
                at += local_length(part);
            }
            zip.before = before.clone();
            zip.offset = Some(at + shift);
        });
    }
    for (what, after) in [
        ("one byte", b"x".to_vec()),
        ("a KiB", vec![b'x'; 1024]),
        ("65515 bytes", vec![b'x'; 65515]),
        ("66538 bytes", vec![b'x'; 65 * 1024 - 22]),
        ("zeros", vec![0; 100]),
        ("end records that are cut off", b"PK\x05\x06\0\0".repeat(3)),
    ] {
        corpus.changed(format!("{what} behind the archive"), Same, |zip| zip.after = after.clone());
    }
    for (what, after) in [
        ("66539 bytes", vec![b'x'; 65 * 1024 - 21]),
        ("a megabyte", vec![b'x'; 1 << 20]),
        (
            "an end record with a comment that is cut off",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0xy".to_vec(),
        ),
    ] {
        corpus.changed(format!("{what} behind the archive"), Refused, |zip| zip.after = after.clone());
    }
    corpus.changed("another zip behind the archive", Other, |zip| zip.after = evil.clone());
    corpus.changed("bytes between the contents and the directory", Same, |zip| zip.between = vec![b'x'; 99]);
    corpus.changed("bytes between the directory and its end record", Same, |zip| {
        zip.behind_directory = vec![b'x'; 99];
    });
    corpus.changed("another zip between the contents and the directory", Same, |zip| {
        zip.between = evil.clone()
    });
    corpus.changed("another zip between the directory and its end record", Same, |zip| {
        zip.behind_directory = evil;
    });
}

fn local_length(part: &Part) -> u32 {
    let name = part.local_name.as_ref().unwrap_or(&part.name);
    (30 + name.len() + part.local_extra.len() + part.body.len() + part.descriptor.len()) as u32
}

fn add_comments(corpus: &mut Corpus) {
    let empty_end = RawZip::default().bytes();
    corpus.changed("a comment", Same, |zip| zip.comment = b"hello".to_vec());
    corpus.changed("the longest comment", Same, |zip| zip.comment = vec![b'c'; 65535]);
    corpus.changed("a comment of 1002 bytes", Same, |zip| zip.comment = vec![b'c'; 1002]);
    corpus.changed("a comment of 1003 bytes", Same, |zip| zip.comment = vec![b'c'; 1003]);
    corpus.changed("an end record without entries in the comment", Other, |zip| {
        zip.comment = empty_end.clone()
    });
    corpus.changed("an end record without entries early in the comment", Other, |zip| {
        zip.comment = [&empty_end[..], &[b'c'; 2000]].concat();
    });
    let evil = evil(corpus).bytes();
    corpus.changed("a whole zip in the comment", Other, |zip| zip.comment = evil.clone());
    corpus.changed("a signature of an end in the comment", Same, |zip| zip.comment = b"PK\x05\x06".to_vec());
    corpus.changed("an end record in the comment whose comment is cut off", Refused, |zip| {
        zip.comment = RawZip { comment_length: Some(9), ..RawZip::default() }.bytes();
    });
    corpus.changed("a comment longer than the file", Refused, |zip| zip.comment_length = Some(1));
    corpus.changed("a comment much longer than the file", Refused, |zip| zip.comment_length = Some(65535));
    corpus.changed("a comment shorter than it is", Same, |zip| {
        zip.comment = b"hello".to_vec();
        zip.comment_length = Some(3);
    });
}

fn add_ends(corpus: &mut Corpus) {
    let honest = corpus.genuine.clone();
    let count = honest.parts.len() as u16;
    for lie in [0, 1, count - 1, count + 1, 0x8000, 0xfffe, 0xffff] {
        corpus.changed(format!("a count of {lie} entries"), Refused, |zip| zip.count = Some(lie));
    }
    let size: u32 = honest.parts.iter().map(|part| 46 + part.name.len() as u32).sum();
    let offset: u32 = honest.parts.iter().map(local_length).sum();
    corpus.changed("a directory of no length", Same, |zip| zip.size = Some(0));
    corpus.changed("a directory one byte short", Same, |zip| zip.size = Some(size - 1));
    corpus.changed("a directory one byte long", Refused, |zip| zip.size = Some(size + 1));
    corpus.changed("a directory longer than the file", Refused, |zip| zip.size = Some(1 << 30));
    corpus.changed("a directory of 4 GiB", Refused, |zip| zip.size = Some(u32::MAX));
    corpus.changed("a directory one byte early", Refused, |zip| zip.offset = Some(offset - 1));
    corpus.changed("a directory one byte late", Refused, |zip| zip.offset = Some(offset + 1));
    corpus.changed("a directory at the start", Refused, |zip| zip.offset = Some(0));
    corpus.changed("a directory behind the file", Refused, |zip| zip.offset = Some(1 << 30));
    corpus.changed("a directory at 4 GiB", Refused, |zip| zip.offset = Some(u32::MAX));
    corpus.changed("a directory of one header at the last one", Refused, |zip| {
        let last = 46 + honest.parts[3].name.len() as u32;
        (zip.count, zip.size) = (Some(1), Some(last));
    });
    corpus.changed("a directory of one header at the last one, with its offset", Other, |zip| {
        let last = 46 + honest.parts[3].name.len() as u32;
        (zip.count, zip.size, zip.offset) = (Some(1), Some(last), Some(offset + size - last));
    });
    // Bytes before the archive hold a directory at the very place that the end record, taken as it is, names.
    let decoy = evil(corpus);
    corpus.changed("a directory hidden before the archive", Other, |zip| {
        let mut before = decoy.bytes();
        before.truncate(before.len() - 22);
        let at = local_length(&decoy.parts[0]);
        zip.before = before;
        (zip.offset, zip.count) = (Some(at), Some(1));
    });
    corpus.bytes("an end record alone", Other, RawZip::default().bytes());
    corpus.bytes("an end record alone, cut off", Refused, RawZip::default().bytes()[..21].to_vec());
    corpus.bytes("no bytes", Refused, Vec::new());
    corpus.bytes("zeros", Refused, vec![0; 4096]);
    corpus.bytes("a page", Refused, b"<!DOCTYPE html><html><body>404</body></html>".to_vec());
    corpus.bytes("end signatures only", Refused, b"PK\x05\x06".repeat(10_000));
    corpus.bytes("directory signatures only", Refused, b"PK\x01\x02".repeat(10_000));
    corpus.bytes("a gzip", Refused, [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[0; 100]].concat());
    corpus.bytes("nested end records", Other, RawZip::default().bytes().repeat(1000));
}

/// A change of the 64-bit end record.
type Change = fn(&mut End64);

fn add_ends64(corpus: &mut Corpus) {
    let marked = |zip: &mut RawZip| {
        (zip.count, zip.size, zip.offset) = (Some(0xffff), Some(u32::MAX), Some(u32::MAX));
        zip.end64 = Some(End64::default());
    };
    corpus.changed("64-bit records that nobody asks for", Same, |zip| zip.end64 = Some(End64::default()));
    corpus.changed("64-bit records that nobody asks for and that lie", Same, |zip| {
        zip.end64 = Some(End64 { count: Some(99), size: Some(99), offset: Some(99), ..End64::default() });
    });
    corpus.changed("64-bit records", Same, marked);
    corpus.changed("marks for 64-bit records that are not there", Refused, |zip| {
        marked(zip);
        zip.end64 = None;
    });
    let changes: [(&str, super::Verdict, Change); 16] = [
        ("count one more", Refused, |end| end.count = Some(5)),
        ("count 65536 more", Same, |end| end.count = Some(65536 + 4)),
        ("count 2^48 more", Same, |end| end.count = Some((1 << 48) + 4)),
        ("count 2^64 - 1", Refused, |end| end.count = Some(u64::MAX)),
        ("size 0", Same, |end| end.size = Some(0)),
        ("size 2^63", Refused, |end| end.size = Some(1 << 63)),
        ("size 2^64 - 1", Refused, |end| end.size = Some(u64::MAX)),
        ("size 2^62", Refused, |end| end.size = Some(1 << 62)),
        ("offset 2^63", Refused, |end| end.offset = Some(1 << 63)),
        ("offset 2^63 - 1", Refused, |end| end.offset = Some((1 << 63) - 1)),
        ("a place behind the file", Refused, |end| end.at = Some(1 << 40)),
        ("a place at 2^63", Refused, |end| end.at = Some(1 << 63)),
        ("a place at 0", Refused, |end| end.at = Some(0)),
        ("another disk", Refused, |end| end.disk = 1),
        ("two disks", Refused, |end| end.more_disks = 1),
        ("no signature", Refused, |end| end.has_bad_signature = true),
    ];
    for (what, verdict, change) in changes {
        corpus.changed(format!("64-bit records with {what}"), verdict, |zip| {
            marked(zip);
            zip.end64.iter_mut().for_each(change);
        });
    }
    // The locator leads to a record in the bytes before, which describes another directory.
    let decoy = evil(corpus).but(|zip| zip.end64 = Some(End64::default())).bytes();
    corpus.changed("a locator that leads to another archive's record", Other, |zip| {
        marked(zip);
        let at = decoy.len() - 22 - 20 - 56;
        zip.before = decoy;
        zip.end64 = Some(End64 { at: Some(at as u64), ..End64::default() });
    });
}

fn add_headers(corpus: &mut Corpus) {
    corpus.changed("a header with another signature", Refused, |zip| zip.parts[2].signature = 0);
    corpus.changed("a last header with another signature, not counted", Other, |zip| {
        zip.parts[3].signature = 0;
        zip.count = Some(3);
    });
    corpus.changed("a header that is not counted", Refused, |zip| zip.count = Some(3));
    corpus.changed("a local header with another signature", Refused, |zip| zip.parts[2].local_signature = 0);
    corpus.changed("a header twice", Refused, |zip| zip.parts[3].times = 2);
    corpus.changed("an entry that is not listed", Other, |zip| zip.parts[3].times = 0);
    for (what, at) in [
        ("in the directory", 600),
        ("at 4 GiB", u32::MAX),
        ("behind the file", 1 << 30),
        ("one byte late", 1),
    ] {
        corpus.changed(format!("a local header {what}"), Refused, |zip| zip.parts[0].at = Some(at));
    }
    // A content that holds a local header and a content of its own.
    let inner = RawZip::new([Part::new(corpus.of.name("a.go"), "package hidden\n")]).bytes();
    let of = corpus.of.clone();
    corpus.changed("an entry inside another's content", Other, |zip| {
        let outer = Part::new(of.name("outer.bin"), &inner);
        let start: u32 = zip.parts.iter().map(local_length).sum();
        let inside = start + 30 + outer.name.len() as u32;
        let hidden = Part::new(of.name("hidden.go"), "package hidden\n").but(|part| {
            part.is_there = false;
            part.at = Some(inside);
        });
        zip.parts.extend([outer, hidden]);
    });
    corpus.changed("two names for one content", Other, |zip| {
        let twin = zip.parts[0].clone().but(|part| {
            (part.name, part.is_there, part.at) = (of.name("twin.txt"), false, Some(0));
        });
        zip.parts.push(twin);
    });
    for (what, creator, external) in [
        ("a symbolic link", 0x0314, 0o120777 << 16),
        ("a device", 0x0314, 0o060644 << 16),
        ("a pipe", 0x0314, 0o010644 << 16),
        ("a socket", 0x0314, 0o140644 << 16),
        ("a directory", 0x0314, 0o040755 << 16),
        ("a setuid file", 0x0314, 0o104755 << 16),
        ("a directory of DOS", 0x0014, 0x10),
        ("something unknown", 0xff14, u32::MAX),
    ] {
        corpus.changed(format!("mode bits of {what}"), Same, |zip| {
            (zip.parts[2].creator, zip.parts[2].external) = (creator, external);
        });
    }
    let link = Part::new(of.name("link"), "/etc/passwd").but(|part| part.external = 0o120777 << 16);
    corpus.with("one more symbolic link", Other, [link]);
    corpus.changed("a comment on an entry", Same, |zip| zip.parts[1].comment = vec![b'c'; 65535]);
    corpus.changed("an end record in a comment on an entry", Same, |zip| {
        zip.parts[3].comment = RawZip::default().bytes();
    });
}

fn add_extras(corpus: &mut Corpus) {
    let sizes = |part: &Part| [u64::from(part.size), u64::from(part.compressed_size)];
    corpus.changed("64-bit sizes", Same, |zip| {
        let part = &mut zip.parts[1];
        part.extra = extra64(&sizes(part));
        (part.size, part.compressed_size) = (u32::MAX, u32::MAX);
    });
    corpus.changed("a 64-bit offset", Same, |zip| {
        zip.parts[0].extra = extra64(&[0]);
        zip.parts[0].at = Some(u32::MAX);
    });
    corpus.changed("64-bit sizes that nobody asks for and that lie", Same, |zip| {
        zip.parts[1].extra = extra64(&[1, 1, 1]);
    });
    corpus.changed("64-bit sizes behind other fields", Same, |zip| {
        let part = &mut zip.parts[1];
        part.extra = [extra(0x5455, &[1, 0, 0, 0, 0]), extra64(&sizes(part))].concat();
        (part.size, part.compressed_size) = (u32::MAX, u32::MAX);
    });
    corpus.changed("64-bit sizes twice, the first a lie", Same, |zip| {
        let part = &mut zip.parts[1];
        part.extra = [extra64(&[7, 7]), extra64(&sizes(part))].concat();
        (part.size, part.compressed_size) = (u32::MAX, u32::MAX);
    });
    corpus.changed("64-bit sizes twice, the last a lie", Refused, |zip| {
        let part = &mut zip.parts[1];
        part.extra = [extra64(&sizes(part)), extra64(&[7, 7])].concat();
        (part.size, part.compressed_size) = (u32::MAX, u32::MAX);
    });
    corpus.changed("a 64-bit offset twice, the last a lie", Same, |zip| {
        zip.parts[0].extra = [extra64(&[0]), extra64(&[99])].concat();
        zip.parts[0].at = Some(u32::MAX);
    });
    for (what, values) in
        [("2^63", 1 << 63), ("2^64 - 1", u64::MAX), ("2^40", 1 << 40), ("500 MiB", 500 << 20)]
    {
        corpus.changed(format!("a 64-bit size of {what}"), Refused, |zip| {
            let part = &mut zip.parts[1];
            part.extra = extra64(&[values]);
            part.size = u32::MAX;
        });
        corpus.changed(format!("a 64-bit offset of {what}"), Refused, |zip| {
            zip.parts[0].extra = extra64(&[values]);
            zip.parts[0].at = Some(u32::MAX);
        });
    }
    corpus.changed("64-bit sizes that are cut off", Refused, |zip| {
        zip.parts[1].extra = extra(1, &[0; 7]);
        zip.parts[1].size = u32::MAX;
    });
    corpus.changed("an extra field that is cut off", Same, |zip| zip.parts[1].extra = vec![1, 0, 99, 0, 1]);
    corpus.changed("an extra field of three bytes", Same, |zip| zip.parts[1].extra = vec![1, 0, 0]);
    corpus.changed("an extra field of encryption", Same, |zip| zip.parts[1].extra = extra(0x9901, &[0; 7]));
    corpus.changed("extra fields in local headers", Same, |zip| zip.parts[1].local_extra = vec![b'x'; 65535]);
}

/// The genuine zip, cut off somewhere.
fn add_cuts(corpus: &mut Corpus) {
    let whole = corpus.genuine.bytes();
    for part in 1..16 {
        let at = whole.len() * part / 16;
        corpus.bytes(format!("cut off after {part}/16"), Refused, whole[..at].to_vec());
    }
    for less in [1, 2, 21, 22, 23] {
        corpus.bytes(format!("cut off {less} bytes early"), Refused, whole[..whole.len() - less].to_vec());
    }
    for missing in [1, 30, 100] {
        corpus.bytes(format!("the first {missing} bytes missing"), Refused, whole[missing..].to_vec());
    }
}
