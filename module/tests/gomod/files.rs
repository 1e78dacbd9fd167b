//! Random go.mod and go.work files: right, nearly right, and nasty.

use modkeep_harness::dice::Dice;

const PATHS: &[&str] = &[
    "example.com/a",
    "example.com/a",
    "example.com/b/v2",
    "example.com/b/v3",
    "gopkg.in/yaml.v2",
    "gopkg.in/check.v1",
    "gopkg.in/x",
    "rsc.io/quote",
    "golang.org/x/text",
    "x",
    "a/v1",
    "a/v02",
    "\"quoted.com/a\"",
    "\"with space\"",
    "\"\"",
    "\"\\x61.b\"",
    "\"\\xff\"",
    "\"bad\\y\"",
    "\"a\\\nb\"",
    "it's",
    "`raw`",
    "mid\"dle",
    "日本.jp/x",
    "UPPER.com/X",
    "a//b",
    "a/*b",
    "a,b",
    "a[0]",
    "m@v1.0.0",
];

const VERSIONS: &[&str] = &[
    "v1.0.0",
    "v1.2.3",
    "v1.2.3",
    "v1.10.0",
    "v1.9.0-rc.1",
    "v0.0.0-20240102030405-abcdef012345",
    "v2.0.0",
    "v2.1.0+incompatible",
    "v3.0.0",
    "v1",
    "v1.2",
    "v1.2.3+meta",
    "v01.2.3",
    "1.2.3",
    "master",
    "major",
    "broken",
    "refused",
    "latest",
    "\"v1.2.3\"",
    "\"v1.2\\x2e3\"",
    "`v1.2.3`",
    "v1.2.3'",
    "v99999999999999999999.0.0",
];

const DIRECTORIES: &[&str] = &[
    "./a",
    "../b",
    ".",
    "..",
    "/abs",
    "C:\\x",
    ".\\win",
    "\"./with space\"",
    "./a\\b",
    "dir",
    "...",
    "\"./\\xfe\"",
];

const GO_VERSIONS: &[&str] = &[
    "1.21",
    "1.27.0",
    "1.13",
    "1.21rc1",
    "1.20",
    "v1.13.5beta",
    "1.21.x",
    "1",
    "go1.21",
    "1.02",
    "\"1.21\"",
    "2.0",
    "1.21-foo",
];

const TOOLCHAINS: &[&str] = &["go1.27.3", "default", "go1", "go1.21-suffix", "go2", "local", "go11", "none"];

const COMMENTS: &[&str] = &[
    "// indirect",
    "//indirect",
    "// indirect; why",
    "// indirect;",
    "// indirect why",
    "//",
    "// a comment",
    "// Deprecated: use something else",
    "// Deprecated:",
    "//Deprecated:x",
    "// trailing space \t",
    "// \u{a0}wide\u{3000}",
    "// a // b /* c */",
    "//\u{7}\u{0}",
];

/// The text of a file. `work` says which kind; either kind may hold directives of the other.
pub(crate) fn file(dice: &mut Dice, work: bool) -> Vec<u8> {
    let mut text = String::new();
    if dice.once_in(30) {
        text.push('\u{feff}');
    }
    if !work && !dice.once_in(6) {
        comments_above(dice, &mut text, "");
        text.push_str("module ");
        text.push_str(if dice.once_in(4) { dice.pick(PATHS) } else { "example.com/m" });
        end_line(dice, &mut text);
    }
    for _ in 0..dice.below(12) {
        statement(dice, &mut text, work);
    }
    if dice.once_in(4) {
        comments_above(dice, &mut text, "");
    }
    if dice.once_in(5) {
        text.truncate(text.trim_end().len());
    }
    if dice.once_in(5) {
        text = text.replace('\n', "\r\n");
    }
    if dice.once_in(6) {
        text = dice.spoil(&text, SPOILERS);
    }
    let mut bytes = text.into_bytes();
    if dice.once_in(12) && !bytes.is_empty() {
        let at = dice.below(bytes.len());
        bytes[at] = *[0xff, 0xc2, 0, b'\n', b'(', b'"'].get(dice.below(6)).unwrap_or(&0xe2);
    }
    bytes
}

/// A file in which every directive is right, for edits; comments and blocks are as wild as elsewhere.
pub(crate) fn sound_file(dice: &mut Dice, work: bool) -> Vec<u8> {
    let mut text = String::new();
    if !work && !dice.once_in(8) {
        comments_above(dice, &mut text, "");
        text.push_str("module example.com/m");
        end_line(dice, &mut text);
    }
    if !dice.once_in(3) {
        comments_above(dice, &mut text, "");
        text.push_str(dice.pick(&["go 1.16", "go 1.20", "go 1.21", "go 1.21rc1", "go 1.27.0"]));
        end_line(dice, &mut text);
    }
    if dice.once_in(3) {
        text.push_str("toolchain go1.27.3");
        end_line(dice, &mut text);
    }
    for _ in 0..dice.below(8) {
        let verbs: &[&str] = if work {
            &["use", "use", "replace", "godebug"]
        } else {
            &["require", "require", "require", "exclude", "replace", "retract", "tool", "ignore", "godebug"]
        };
        let verb = dice.pick(verbs);
        comments_above(dice, &mut text, "");
        if dice.once_in(2) {
            text.push_str(&format!("{verb} {}", sound_args(dice, verb)));
            end_line(dice, &mut text);
        } else {
            block(dice, &mut text, verb, |dice| sound_args(dice, verb));
        }
    }
    text.into_bytes()
}

/// A file as most dependencies have them: words without quotes and brackets. Not every directive in it is right.
pub(crate) fn plain_file(dice: &mut Dice) -> Vec<u8> {
    let mut text = String::new();
    let verbs = ["module", "go", "require", "retract", "ignore", "exclude", "new"];
    for verb in
        verbs.into_iter().flat_map(|verb| [verb].repeat(if matches!(verb, "module" | "go") { 1 } else { 2 }))
    {
        let args = |dice: &mut Dice| match verb {
            "retract" => dice.pick(&["v1.0.0", "v1.2.3"]).to_owned(),
            verb => sound_args(dice, verb),
        };
        comments_above(dice, &mut text, "");
        match dice.below(5) {
            0 => {}
            1 | 2 if verb != "go" => block(dice, &mut text, verb, args),
            _ => {
                text.push_str(&format!("{verb} {}", args(dice)));
                end_line(dice, &mut text);
            }
        }
    }
    if dice.once_in(10) { dice.spoil(&text, SPOILERS).into_bytes() } else { text.into_bytes() }
}

const SPOILERS: &[&str] = &[
    "\n", "\n\n", " ", "\t", "\r", "(", ")", "()", "[", "]", ",", "\"", "`", "'", "//", "/*", "\\", "\u{a0}",
    "=>", "\u{0}", "(\n", "\n)",
];

fn statement(dice: &mut Dice, text: &mut String, work: bool) {
    let verbs: &[&str] = if work {
        &["use", "use", "use", "replace", "replace", "godebug", "go", "toolchain", "require", "surprise"]
    } else {
        &[
            "require",
            "require",
            "require",
            "require",
            "exclude",
            "replace",
            "retract",
            "tool",
            "ignore",
            "godebug",
            "go",
            "toolchain",
            "module",
            "use",
            "surprise",
            "(",
            "\"quoted\"",
        ]
    };
    let verb = dice.pick(verbs);
    comments_above(dice, text, "");
    if dice.once_in(3) || (!dice.once_in(8) && matches!(verb, "go" | "toolchain" | "module")) {
        text.push_str(&format!("{verb} {}", args(dice, verb)));
        end_line(dice, text);
    } else {
        block(dice, text, verb, |dice| args(dice, verb));
    }
}

fn block(dice: &mut Dice, text: &mut String, verb: &str, args: impl Fn(&mut Dice) -> String) {
    if dice.once_in(15) {
        text.push_str(&format!("{verb} ()"));
        end_line(dice, text);
        return;
    }
    text.push_str(verb);
    text.push_str(if dice.once_in(80) { " x (" } else { dice.pick(&[" (", "(", "\t(", " ("]) });
    end_line(dice, text);
    for _ in 0..dice.below(5) {
        comments_above(dice, text, "\t");
        text.push_str(dice.pick(&["\t", "\t", "\t", "", "    "]));
        text.push_str(&args(dice));
        end_line(dice, text);
    }
    comments_above(dice, text, "\t");
    text.push_str(dice.pick(&[")", ")", ")", "\t)"]));
    end_line(dice, text);
}

fn comments_above(dice: &mut Dice, text: &mut String, indent: &str) {
    while dice.once_in(4) {
        if dice.once_in(3) {
            text.push('\n');
        } else {
            text.push_str(indent);
            text.push_str(dice.pick(COMMENTS));
            text.push('\n');
        }
    }
}

fn end_line(dice: &mut Dice, text: &mut String) {
    if dice.once_in(4) {
        text.push_str(dice.pick(&[" ", "", "  "]));
        text.push_str(dice.pick(COMMENTS));
    }
    text.push('\n');
}

fn args(dice: &mut Dice, verb: &str) -> String {
    if !dice.once_in(5) {
        return sound_args(dice, verb);
    }
    let args = match verb {
        "go" => dice.pick(GO_VERSIONS).to_owned(),
        "toolchain" => dice.pick(TOOLCHAINS).to_owned(),
        "module" | "tool" => dice.pick(PATHS).to_owned(),
        "ignore" | "use" if dice.once_in(2) => dice.pick(PATHS).to_owned(),
        "ignore" | "use" => dice.pick(DIRECTORIES).to_owned(),
        "godebug" => dice.pick(&["a=b", "a", "a=b=c", "=", "a='b'", "a=\"b\"", "a=b,c", "a b"]).to_owned(),
        "replace" => {
            let old = match dice.below(3) {
                0 => format!("{} {}", dice.pick(PATHS), dice.pick(VERSIONS)),
                _ => dice.pick(PATHS).to_owned(),
            };
            let new = match dice.below(3) {
                0 => dice.pick(DIRECTORIES).to_owned(),
                1 => dice.pick(PATHS).to_owned(),
                _ => {
                    let paths = if dice.once_in(4) { DIRECTORIES } else { PATHS };
                    format!("{} {}", dice.pick(paths), dice.pick(VERSIONS))
                }
            };
            format!("{old} {} {new}", dice.pick(&["=>", "=>", "=>", "=", "=> =>"]))
        }
        "retract" => interval(dice),
        _ => format!("{} {}", dice.pick(PATHS), dice.pick(VERSIONS)),
    };
    match dice.below(12) {
        0 => format!("{args} more"),
        1 => String::new(),
        2 => args.split(' ').next().unwrap_or_default().to_owned(),
        3 => dice.spoil(&args, SPOILERS),
        _ => args,
    }
}

fn interval(dice: &mut Dice) -> String {
    let (low, high) = (dice.pick(VERSIONS), dice.pick(VERSIONS));
    match dice.below(8) {
        0 => low.to_owned(),
        1 => format!("[{low}, {high}"),
        2 => format!("[{low} {high}]"),
        3 => format!("[{low},]"),
        4 => format!("[ {low} , {high} ] x"),
        5 => format!("({low}, {high})"),
        6 => "[".to_owned(),
        _ => format!("[{low}, {high}]"),
    }
}

/// Arguments that are right for a verb.
pub(crate) fn sound_args(dice: &mut Dice, verb: &str) -> String {
    let (path, version) = sound_pair(dice);
    match verb {
        "go" => dice.pick(&["1.21", "1.27.0", "1.16", "1.21rc1"]).to_owned(),
        "toolchain" => dice.pick(&["go1.27.3", "default"]).to_owned(),
        "module" => "example.com/m".to_owned(),
        "tool" => format!("{path}/cmd/{}", dice.pick(&["a", "b"])),
        "ignore" | "use" => sound_directory(dice).to_owned(),
        "godebug" => {
            format!("{}={}", dice.pick(&["default", "http2", "panicnil"]), dice.pick(&["0", "1", "go1.21"]))
        }
        "replace" => {
            let old = if dice.once_in(2) { path.to_owned() } else { format!("{path} {version}") };
            if dice.once_in(2) {
                format!("{old} => {}", sound_directory(dice))
            } else {
                let (path, version) = sound_pair(dice);
                format!("{old} => {path} {version}")
            }
        }
        "retract" => {
            let (low, high) = (dice.pick(&["v1.0.0", "v1.2.3", "v1.10.0"]), dice.pick(&["v1.3.0", "v1.9.0"]));
            if dice.once_in(2) { low.to_owned() } else { format!("[{low}, {high}]") }
        }
        _ => format!("{path} {version}"),
    }
}

/// A directory, as it may stand in a line.
pub(crate) fn sound_directory(dice: &mut Dice) -> &'static str {
    ["./a", "../b", ".", "/abs/c", "./a/b"][dice.below(5)]
}

/// A module path and a version that fits it.
pub(crate) fn sound_pair(dice: &mut Dice) -> (&'static str, &'static str) {
    let pairs = [
        ("example.com/a", "v1.0.0"),
        ("example.com/a", "v1.10.0"),
        ("example.com/a", "v1.9.0"),
        ("example.com/a", "v1.2.3-pre"),
        ("example.com/b/v2", "v2.0.0"),
        ("example.com/b/v2", "v2.3.4"),
        ("gopkg.in/yaml.v2", "v2.4.0"),
        ("gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405"),
        ("rsc.io/quote", "v1.5.2"),
        ("rsc.io/quote", "v2.0.0+incompatible"),
        ("golang.org/x/text", "v0.14.0"),
        ("a", "v0.1.0"),
    ];
    pairs[dice.below(pairs.len())]
}
