//! Names that escape, clash, or are read in two ways.

use super::Corpus;
use super::Verdict::{Other, Refused, Same};
use crate::raw_zip::{Part, UTF8, extra};

/// Names of one more file, which must be refused.
const BAD: &[&str] = &[
    "../escape.go",
    "..",
    ".",
    "...",
    "/absolute.go",
    "a//b.go",
    "./a2.go",
    "d/./b.go",
    "d/../b.go",
    "d/..",
    "d/...",
    "d/.../b.go",
    "d//",
    "/",
    "//",
    "trailing.",
    "d./b.go",
    "back\\slash.go",
    "..\\..\\escape.go",
    "C:drive.go",
    "colon:stream.go",
    "star*.go",
    "question?.go",
    "quote\".go",
    "quote'.go",
    "back`tick.go",
    "less<.go",
    "more>.go",
    "pipe|.go",
    "semi;colon.go",
    "tab\t.go",
    "new\nline.go",
    "return\r.go",
    "nul\0.go",
    "delete\u{7f}.go",
    "escape\u{1b}[31m.go",
    "CON",
    "con",
    "CoN.txt",
    "d/PRN.go",
    "aux/b.go",
    "NUL.tar.gz",
    "com1",
    "COM9.x",
    "lpt1.go",
    "LPT9",
    "rtl\u{202e}og.exe",
    "bom\u{feff}.go",
    "zero\u{200b}width.go",
    "combining\u{301}.go",
    "digit\u{663}.go",
    "emoji\u{1f600}.go",
    "space\u{a0}.go",
    "line\u{2028}.go",
    "private\u{e000}.go",
    "replacement\u{fffd}.go",
    "noncharacter\u{ffff}.go",
];

/// Names of one more file, which are odd and allowed.
const ODD: &[&str] = &[
    ".hidden",
    ".git/config",
    "vendor/x/y.go",
    "vendor/modules.txt",
    "a b.go",
    " leading.go",
    "trailing .go",
    "-dash.go",
    "~tilde.go",
    "name~1.go",
    "d~1/b.go",
    "!#$%&()+,-=@[]^_{}~",
    "COM0",
    "COM10.go",
    "CONIN$",
    "conx.go",
    "ünïcode.go",
    "日本語.go",
    "ﬁ.go",
    "modules.go",
    "gomod",
    "go.mod.orig",
    "xgo.mod",
    "sub/LICENSE",
    "trailing-slash/",
    "sub/",
];

/// Two names that may not stand in one module.
const CLASHES: &[(&str, &str)] = &[
    ("twice.go", "twice.go"),
    ("case.go", "Case.go"),
    ("case.go", "CASE.GO"),
    ("kelvin.go", "\u{212a}elvin.go"),
    ("s.go", "\u{17f}.go"),
    ("straße.go", "straẞe.go"),
    ("σ.go", "ς.go"),
    ("µ.go", "μ.go"),
    ("å.go", "\u{212b}.go"),
    ("ǆ.go", "ǅ.go"),
    ("\u{1c80}.go", "в.go"),
    ("ﬅ.go", "ﬆ.go"),
    ("d/one.go", "D/two.go"),
    ("d/e/one.go", "d/E/two.go"),
    ("d/e/f/one.go", "D/e/f/one.go"),
    ("d", "d/file.go"),
    ("d/file.go", "d"),
    ("d/", "d"),
    ("d", "d/"),
    ("D", "d/file.go"),
    ("a.go/", "x.go"),
    ("x.go", "a.go/y"),
    ("x.go", "SUB/c.go"),
    ("x.go", "Sub/"),
    ("x.go", "A.go"),
    ("x.go", "license"),
];

pub(super) fn add(corpus: &mut Corpus) {
    let of = corpus.of.clone();
    for name in BAD {
        corpus.with(format!("name {name:?}"), Refused, [Part::new(of.name(name), "package evil\n")]);
    }
    for name in ODD {
        let content = if name.ends_with('/') { "" } else { "package odd\n" };
        corpus.with(format!("odd name {name:?}"), Other, [Part::new(of.name(name), content)]);
    }
    for (one, other) in CLASHES {
        let parts = [one, other].map(|name| Part::new(of.name(name), ""));
        corpus.with(format!("names {one:?} and {other:?}"), Refused, parts);
    }
    for (what, bytes) in [
        ("no UTF-8", &b"\xff.go"[..]),
        ("an overlong slash", b"..\xc0\xafescape.go"),
        ("a surrogate", b"\xed\xa0\x80.go"),
        ("a cut off character", b"a\xe2\x82"),
        ("Latin-1", b"caf\xe9.go"),
    ] {
        corpus.with(format!("name with {what}"), Refused, [Part::new(of.name(bytes), "")]);
    }
    add_prefixes(corpus);
    add_go_mods(corpus);
    add_cloaks(corpus);
}

/// Names that are not below `path@version/`.
fn add_prefixes(corpus: &mut Corpus) {
    let of = corpus.of.clone();
    let (path, version) = of.prefix.trim_end_matches('/').split_once('@').unwrap_or_default();
    for name in [
        String::new(),
        "go.mod".to_owned(),
        "/".to_owned(),
        format!("{path}@{version}"),
        format!("{path}@{version}.0/x.go"),
        format!("{path}/x.go"),
        format!("{path}@v0.0.1/x.go"),
        format!("{}@{version}/x.go", path.to_uppercase()),
        format!("./{}x.go", of.prefix),
        format!("/{}x.go", of.prefix),
        format!("x/../{}x.go", of.prefix),
        of.prefix.replace('/', "\\"),
    ] {
        corpus.with(format!("name outside of the module: {name:?}"), Refused, [Part::new(name, "")]);
    }
    corpus.with("the prefix itself", Other, [Part::new(of.name(""), "")]);
    corpus.with("the prefix itself, twice", Other, [Part::new(of.name(""), ""), Part::new(of.name(""), "")]);
    corpus.with("the prefix itself, with content", Refused, [Part::new(of.name(""), "content")]);
    corpus.with("a directory twice", Other, [Part::new(of.name("d/"), ""), Part::new(of.name("d/"), "")]);
    corpus.with("a directory with content", Refused, [Part::new(of.name("d/"), "content")]);
    let odd_size = Part::new(of.name("d/"), "").but(|part| part.compressed_size = 7);
    corpus.with("a directory with compressed content only", Other, [odd_size]);
}

fn add_go_mods(corpus: &mut Corpus) {
    let of = corpus.of.clone();
    for name in
        ["sub/go.mod", "sub/GO.MOD", "other/Go.Mod", "Go.mod", "GO.MOD", "go.mod", "go.mod/", "go.mod/x"]
    {
        let content = if name.ends_with('/') { "" } else { "module evil\n" };
        corpus.with(format!("one more go.mod: {name:?}"), Refused, [Part::new(of.name(name), content)]);
    }
    corpus.changed("no go.mod", Other, |zip| drop(zip.parts.remove(0)));
    corpus.changed("a folder go.mod", Other, |zip| {
        zip.parts[0] = Part::new(of.name("go.mod/x.go"), "package x\n")
    });
    corpus.changed("another go.mod", Other, |zip| {
        zip.parts[0] = Part::new(of.name("go.mod"), "module evil.example/m\n");
    });
}

/// Entries that show one name in the local header, or to readers of extra fields, and another in the directory.
fn add_cloaks(corpus: &mut Corpus) {
    let of = corpus.of.clone();
    corpus.changed("another local name", Same, |zip| zip.parts[2].local_name = Some(of.name("z.go")));
    corpus.changed("a local name that escapes", Same, |zip| {
        zip.parts[2].local_name = Some(b"../../../../etc/passwd".to_vec());
    });
    corpus.changed("an empty local name", Same, |zip| zip.parts[2].local_name = Some(Vec::new()));
    corpus.changed("a long local name", Same, |zip| zip.parts[2].local_name = Some(vec![b'x'; 65535]));
    corpus.changed("two local names swapped", Same, |zip| {
        zip.parts[2].local_name = Some(of.name("sub/b.go"));
        zip.parts[3].local_name = Some(of.name("a.go"));
    });
    corpus.changed("two names swapped", Other, |zip| {
        zip.parts[2].name = of.name("sub/b.go");
        zip.parts[3].name = of.name("a.go");
    });
    let unicode_name = [&[1, 0, 0, 0, 0][..], &of.name("evil.go")].concat();
    corpus.changed("a Unicode name in an extra field", Same, |zip| {
        zip.parts[2].extra = extra(0x7075, &unicode_name);
        zip.parts[2].local_extra = extra(0x7075, &unicode_name);
    });
    corpus.changed("an ASCII name marked as UTF-8", Same, |zip| zip.parts[2].flags |= UTF8);
    let unmarked = Part::new(of.name("é.go"), "").but(|part| part.flags = 0);
    corpus.with("a UTF-8 name that is not marked", Other, [unmarked]);
}
