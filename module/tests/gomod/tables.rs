//! The tables of x/mod's own tests, read from its source: every row holds here too.

use modkeep_harness::judge::x_mod_folder;
use modkeep_harness::place::skip;
use modkeep_harness::tables::rows;
use modkeep_module::gomod::{FixError, ParseErrors, module_path};
use modkeep_module::{GoMod, GoWork, quote};

use crate::facts::Parsed;

#[test]
fn the_tables_of_edits_hold() {
    let Some(source) = x_mod("the_tables_of_edits_hold", "rule_test.go") else { return };
    let mut seen = 0;
    // Rows are a name, the file before, the arguments, the file after.
    for (table, edit, cleans) in [
        ("addRequireTests", "AddRequire", true),
        ("setRequireTests", "SetRequire", true),
        ("setRequireSeparateIndirectTests", "SetRequireSeparateIndirect", true),
        ("setRequireSimplifyTests", "SetRequireAtMostTwo", true),
        ("addGoTests", "AddGoStmt", false),
        ("dropGoTests", "DropGoStmt", false),
        ("addToolchainTests", "AddToolchainStmt", false),
        ("dropToolchainTests", "DropToolchainStmt", false),
        ("addExcludeTests", "AddExclude", false),
        ("addRetractTests", "AddRetract", false),
        ("dropRetractTests", "DropRetract", true),
        ("addGodebugTests", "AddGodebug", true),
        ("dropGodebugTests", "DropGodebug", true),
        ("addToolTests", "AddTool", true),
        ("dropToolTests", "DropTool", true),
        ("addIgnoreTests", "AddIgnore", true),
        ("dropIgnoreTests", "DropIgnore", true),
    ] {
        for row in rows(&source, &format!("var {table} = ")) {
            let [name, before, cells @ .., after] = &row[..] else { panic!("{table} {row:?}") };
            let args: Vec<String> = cells.iter().flat_map(|cell| args(cell)).collect();
            check(&format!("{table} {name}"), GoMod::parse, [before, after], edit, &args, cleans);
            if table.contains("Godebug") {
                let work = |cell: &String| cell.replace("module m", "use foo");
                let name = format!("{table} {name} in go.work");
                check(&name, GoWork::parse, [&work(before), &work(after)], edit, &args, cleans);
            }
            seen += 1;
        }
    }
    for row in rows(&source, "var sortBlocksTests = ") {
        let [name, before, after, strict] = &row[..] else { panic!("{row:?}") };
        let parse = if strict == "true" { GoMod::parse } else { GoMod::parse_lax };
        check(name, parse, [before, after], "SortBlocks", &[], false);
        seen += 1;
    }
    assert!(seen >= 90, "{seen} rows");
}

#[test]
fn the_tables_of_go_work_edits_hold() {
    let Some(source) = x_mod("the_tables_of_go_work_edits_hold", "work_test.go") else { return };
    for (table, edit, cleans) in [
        ("workAddUseTests", "AddUse", false),
        ("workDropUseTests", "DropUse", true),
        ("workAddGoTests", "AddGoStmt", false),
        ("workAddToolchainTests", "AddToolchainStmt", false),
        ("workSortBlocksTests", "SortBlocks", false),
    ] {
        for row in rows(&source, &format!("var {table} = ")) {
            let [name, before, cells @ .., after] = &row[..] else { panic!("{table} {row:?}") };
            let args: Vec<String> = cells.iter().flat_map(|cell| args(cell)).collect();
            check(&format!("{table} {name}"), GoWork::parse, [before, after], edit, &args, cleans);
        }
    }
}

#[test]
fn the_tables_of_refused_edits_hold() {
    let Some(source) = x_mod("the_tables_of_refused_edits_hold", "rule_test.go") else { return };
    for row in rows(&source, "var addRetractValidateVersionTests = ") {
        let [_, path, low, high, error] = &row[..] else { panic!("{row:?}") };
        let mut file = GoMod::new();
        if !text(path).is_empty() {
            file.edit("AddModuleStmt", &[text(path)]);
        }
        assert_eq!(file.edit("AddRetract", &[text(low), text(high), String::new()]), Some(text(error)));
    }
    for row in rows(&source, "var addExcludeValidateVersionTests = ") {
        let [_, path, version, error] = &row[..] else { panic!("{row:?}") };
        assert_eq!(GoMod::new().edit("AddExclude", &[text(path), text(version)]), Some(text(error)));
    }
}

#[test]
fn the_tables_of_comments_and_versions_hold() {
    let test = "the_tables_of_comments_and_versions_hold";
    let Some(source) = x_mod(test, "rule_test.go") else { return };
    let parse = |cell: &str| GoMod::parse("in", text(cell).as_bytes());
    for row in rows(&source, "var retractRationaleTests = ") {
        let file = parse(&row[1]).unwrap();
        assert_eq!(*file.retracts()[0].rationale, *text(&row[2]), "{row:?}");
    }
    for row in rows(&source, "var moduleDeprecatedTests = ") {
        let file = parse(&row[1]).unwrap();
        assert_eq!(file.module().unwrap().deprecated, text(&row[2]), "{row:?}");
    }
    let mut fix = |_: &str, version: &str| -> Result<String, FixError> { Ok(format!("v{version}")) };
    for row in rows(&source, "var fixVersionTests = ") {
        // What comes after the text is the file or the error.
        match GoMod::parse_with("in", text(&row[1]).as_bytes(), &mut fix) {
            Ok(file) => assert_eq!(file.format(), parse(&row[2]).unwrap().format(), "{row:?}"),
            Err(errors) => assert!(errors.to_string().contains(&text(&row[2])), "{row:?}: {errors}"),
        }
    }
    let Some(source) = x_mod(test, "read_test.go") else { return };
    for row in rows(&source, "var modulePathTests = ") {
        let input = row[0].strip_prefix("[]byte(").and_then(|cell| cell.strip_suffix(')')).unwrap();
        assert_eq!(module_path(text(input).as_bytes()).unwrap_or_default(), text(&row[1]), "{row:?}");
    }
}

/// Makes an edit of the text before, and compares what is written with the text after, written in the same style.
fn check<T: Parsed>(
    name: &str,
    parse: fn(&str, &[u8]) -> Result<T, ParseErrors>,
    texts: [&String; 2],
    edit: &str,
    args: &[String],
    cleans: bool,
) {
    let [mut file, after] = texts.map(|cell| match parse("in", text(cell).as_bytes()) {
        Ok(file) => file,
        Err(errors) => panic!("{name}: {errors}"),
    });
    assert_eq!(file.edit(edit, args), None, "{name}");
    if cleans {
        file.edit("Cleanup", &[]);
    }
    let shown = |file: T| String::from_utf8_lossy(&file.format()).into_owned();
    assert_eq!(shown(file), shown(after), "{name}");
}

/// The arguments in a cell: one text, or a list of requirements in braces.
fn args(cell: &str) -> Vec<String> {
    if !cell.starts_with("[]require") {
        return vec![text(cell)];
    }
    let indirect = |flag: &str| if flag == "true" { "indirect".to_owned() } else { String::new() };
    rows(cell, "[]require").iter().flat_map(|row| [text(&row[0]), text(&row[1]), indirect(&row[2])]).collect()
}

/// The meaning of a string literal.
fn text(cell: &str) -> String {
    let raw = cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    let bytes = raw.map(|raw| raw.as_bytes().to_vec()).or_else(|| quote::unquote(cell.as_bytes()));
    String::from_utf8(bytes.unwrap_or_else(|| panic!("`{cell}` is no literal"))).expect("UTF-8")
}

fn x_mod(test: &str, file: &str) -> Option<String> {
    let folder = x_mod_folder().inspect_err(|missing| skip(test, missing)).ok()?;
    Some(std::fs::read_to_string(folder.join("modfile").join(file)).expect("a file of x/mod"))
}
