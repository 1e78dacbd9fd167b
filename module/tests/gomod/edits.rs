//! Random edits, made by Go and by us on the same files: the same bytes, the same errors.

use data_encoding::BASE64;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::Judge;
use modkeep_module::{GoMod, GoWork};
use serde_json::{Value, json};

use crate::facts::Parsed;
use crate::files;

type Edit = Vec<String>;

struct Case {
    work: bool,
    data: Vec<u8>,
    edits: Vec<Edit>,
    cleans: bool,
}

#[test]
fn files_are_edited_as_go_edits_them() {
    let test = "files_are_edited_as_go_edits_them";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let mut dice = Dice::of(test);
    let (mut edited, mut total) = (0, 0);
    for _ in 0..cases() / 1_000 {
        let cases: Vec<Case> = (0..1_000).map(|_| case(&mut dice)).collect();
        total += cases.len();
        let questions: Vec<_> = cases.iter().map(|case| ("modfile.Edit", question(case))).collect();
        for (case, theirs) in cases.iter().zip(judge.ask_all(&questions)) {
            let ours = answer(case);
            edited += usize::from(ours.is_ok());
            if ours != theirs {
                let text = |answer: &Result<Value, String>| match answer {
                    Ok(answer) => format!(
                        "{}\n{}{}",
                        crate::shown(&answer["format"]),
                        answer["file"],
                        answer["refusals"]
                    ),
                    Err(error) => error.clone(),
                };
                panic!(
                    "{}\n{:?} cleans={}\n--- Go\n{}\n--- ours\n{}",
                    String::from_utf8_lossy(&case.data),
                    case.edits,
                    case.cleans,
                    text(&theirs),
                    text(&ours)
                );
            }
        }
    }
    assert!(edited > total * 9 / 10, "only {edited} of {total} files could be edited");
}

fn question(case: &Case) -> Value {
    let kind = if case.work { "work" } else { "mod" };
    json!([kind, BASE64.encode(&case.data), case.edits, case.cleans])
}

fn answer(case: &Case) -> Result<Value, String> {
    if case.work {
        let file = GoWork::parse("go.mod", &case.data).map_err(|errors| errors.to_string())?;
        Ok(edited(file, case))
    } else {
        let file = GoMod::parse("go.mod", &case.data).map_err(|errors| errors.to_string())?;
        Ok(edited(file, case))
    }
}

fn edited(mut file: impl Parsed, case: &Case) -> Value {
    let refusals: Vec<_> =
        case.edits.iter().map(|edit| file.edit(&edit[0], &edit[1..]).unwrap_or_default()).collect();
    if case.cleans {
        file.edit("Cleanup", &[]);
    }
    json!({ "file": file.facts(false), "format": BASE64.encode(&file.format()), "refusals": refusals })
}

fn case(dice: &mut Dice) -> Case {
    let work = dice.once_in(4);
    let data = files::sound_file(dice, work);
    let mut edits = Vec::new();
    let mut dropped = false;
    for _ in 0..dice.below(8) {
        let edit = edit(dice, work);
        // Go crashes when the whole list is set while one that was dropped isn't cleaned up yet.
        if edit[0].starts_with("SetRequire") && dropped {
            edits.push(vec!["Cleanup".to_owned()]);
            dropped = false;
        }
        dropped |=
            matches!(edit[0].as_str(), "DropRequire" | "AddRequire") || edit[0].starts_with("SetRequire");
        edits.push(edit);
    }
    Case { work, data, edits, cleans: !dice.once_in(4) }
}

fn edit(dice: &mut Dice, work: bool) -> Edit {
    let names: &[&str] = if work {
        &[
            "AddGoStmt",
            "DropGoStmt",
            "AddToolchainStmt",
            "DropToolchainStmt",
            "AddGodebug",
            "DropGodebug",
            "AddUse",
            "AddUse",
            "AddNewUse",
            "DropUse",
            "AddReplace",
            "DropReplace",
            "SortBlocks",
            "Cleanup",
        ]
    } else {
        &[
            "AddModuleStmt",
            "AddComment",
            "AddGoStmt",
            "DropGoStmt",
            "AddToolchainStmt",
            "DropToolchainStmt",
            "AddGodebug",
            "DropGodebug",
            "AddRequire",
            "AddNewRequire",
            "DropRequire",
            "SetRequire",
            "SetRequireSeparateIndirect",
            "SetRequireSeparateIndirect",
            "SetRequireAtMostTwo",
            "SetRequireAtMostTwo",
            "AddExclude",
            "DropExclude",
            "AddReplace",
            "AddReplace",
            "DropReplace",
            "AddRetract",
            "DropRetract",
            "AddTool",
            "DropTool",
            "AddIgnore",
            "DropIgnore",
            "SortBlocks",
            "Cleanup",
        ]
    };
    let name = dice.pick(names);
    let mut edit = vec![name.to_owned()];
    edit.extend(args(dice, name).into_iter().map(str::to_owned));
    edit
}

fn args(dice: &mut Dice, name: &str) -> Vec<&'static str> {
    let (path, version) = files::sound_pair(dice);
    let interval = |dice: &mut Dice| {
        let low = ["v1.0.0", "v1.2.3", "v1.10.0", "v2.0.0", "v1", ""][dice.below(6)];
        vec![low, if dice.once_in(2) { low } else { ["v1.3.0", "v1.9.0"][dice.below(2)] }]
    };
    let indirect = |dice: &mut Dice| ["", "indirect"][dice.below(2)];
    match name {
        "AddModuleStmt" => vec![["example.com/n", "with space"][dice.below(2)]],
        "AddComment" => vec!["// added"],
        "AddGoStmt" => vec![["1.16", "1.20", "1.21", "1.27.0", "1.x"][dice.below(5)]],
        "AddToolchainStmt" => vec![["go1.27.3", "default", "local"][dice.below(3)]],
        "AddGodebug" => vec![["default", "http2", "new"][dice.below(3)], ["0", "go1.21"][dice.below(2)]],
        "DropGodebug" => vec![["default", "http2", "panicnil"][dice.below(3)]],
        "AddRequire" => vec![path, version],
        "AddNewRequire" => vec![path, version, indirect(dice)],
        "DropRequire" => vec![path],
        "SetRequire" | "SetRequireSeparateIndirect" | "SetRequireAtMostTwo" => {
            let mut all = Vec::new();
            for _ in 0..dice.below(9) {
                let (path, version) = files::sound_pair(dice);
                if !all.contains(&path) {
                    all.extend([path, version, indirect(dice)]);
                }
            }
            all
        }
        "AddExclude" => {
            vec![path, if dice.once_in(4) { ["v2.0.0", "v1", ""][dice.below(3)] } else { version }]
        }
        "DropExclude" => vec![path, version],
        "AddReplace" => {
            let version = if dice.once_in(2) { "" } else { version };
            if dice.once_in(2) {
                vec![path, version, files::sound_directory(dice), ""]
            } else {
                let (new_path, new_version) = files::sound_pair(dice);
                vec![path, version, new_path, new_version]
            }
        }
        "DropReplace" => vec![path, if dice.once_in(2) { "" } else { version }],
        "AddRetract" => {
            let mut args = interval(dice);
            args.push(["", "why", "why\nand how\n"][dice.below(3)]);
            args
        }
        // Go crashes on a second retraction without versions.
        "DropRetract" => interval(dice)
            .into_iter()
            .map(|version| if version.is_empty() { "v1" } else { version })
            .collect(),
        "AddTool" | "DropTool" => {
            vec![["example.com/a/cmd/a", "rsc.io/quote/cmd/b", "new.com/cmd"][dice.below(3)]]
        }
        "AddUse" | "AddNewUse" => vec![files::sound_directory(dice), ["", "example.com/m"][dice.below(2)]],
        "AddIgnore" | "DropIgnore" | "DropUse" => vec![files::sound_directory(dice)],
        _ => vec![],
    }
}
