use super::*;

fn shown(text: &str) -> String {
    let file = match go_file(text.as_bytes()) {
        Ok(file) => file,
        Err(error) => return error.to_string(),
    };
    if let Some(error) = file.error {
        return error.to_string();
    }
    let imports = file.imports.iter().map(|import| {
        let Position { line, column } = import.position;
        format!(" {}@{line}:{column}{}", import.path, import.cgo.concat())
    });
    file.package + &imports.collect::<String>()
}

#[test]
fn headers_and_their_errors() {
    let cases = [
        ("package p", "p"),
        ("\u{feff}// c\n/* d */ package p; import \"a\"\nvar x = 1", "p a@2:27"),
        ("package p\nimport (\n\tx \"a\"\n\t. `b`; _ \"c\")\nfunc f() {}", "p a@3:2 b@4:2 c@4:9"),
        ("package p\nimport \"a\" \"b\"", "p a@2:8"),
        ("package p // c\n/* d */ import /* e */ \"a\" // f\n", "p a@2:24"),
        ("package p\nvar x = \"\0\"", "p"),
        ("package p q", "p"),
        ("package p\niota := 1", "p"),
        ("package p\n\nimport \"C\"", "p C@3:8"),
        ("package p\n// #cgo CFLAGS: -g\n//\n// int x;\nimport \"C\"", "p C@5:8#cgo CFLAGS: -g"),
        ("package p\n// #cgo CFLAGS: -g\n\nimport \"C\"", "p C@4:8"),
        ("package p\n/*\n #cgo LDFLAGS: -lm \t\n*/\nimport (\n\"C\"\n)", "p C@6:1 #cgo LDFLAGS: -lm"),
        ("package p\nimport (\n// #cgo X: a\n\"C\"\n\"b\")", "p C@4:1#cgo X: a b@5:1"),
        ("", "1:1: expected 'package', found 'EOF'"),
        ("pack p", "1:1: expected 'package', found pack"),
        ("package", "1:8: expected 'IDENT', found 'EOF'"),
        ("package func", "1:9: expected 'IDENT', found 'func'"),
        ("package p; import", "1:18: missing import path"),
        ("package p\nimport 7", "2:8: import path must be a string"),
        ("package p\nimport (\"a\" \"b\")", "2:13: expected ';', found \"b\""),
        ("package p\nimport (\"a\", \"b\")", "2:12: expected ';', found ','"),
        ("package p import \"a\"", "1:11: expected ';', found 'import'"),
        ("package p\nimport \"a b\"", "2:8: invalid import path: a b"),
        ("package p\nimport \"a", "2:8: string literal not terminated"),
        ("package p /* x", "1:11: comment not terminated"),
        ("package \0p", "unexpected NUL in input"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text:?}");
    }
}

#[test]
fn the_first_lines_say_for_whom_a_file_is() {
    let all = |text: &str| match go_file(text.as_bytes()).unwrap().condition {
        Ok(Condition::Always) => "always".to_owned(),
        Ok(Condition::All(expressions)) => format!("{} of them", expressions.len()),
        Err(error) => error.to_string(),
    };
    let cases = [
        ("package p", "always"),
        ("//go:build a\n\npackage p", "1 of them"),
        ("//go:build a\npackage p", "1 of them"),
        ("// +build a\n// +build b\n\npackage p", "2 of them"),
        ("// +build a\npackage p", "always"),
        ("// +build a\n\n//go:build b\n\npackage p", "1 of them"),
        ("/* x\n//go:build a\n*/\npackage p", "always"),
        ("package p\n//go:build a\n", "always"),
        ("//go:build a\n//go:build b\n\npackage p", "multiple //go:build comments"),
        ("//go:build a b\n\npackage p", "parsing //go:build line: unexpected token b"),
    ];
    for (text, expected) in cases {
        assert_eq!(all(text), expected, "{text:?}");
    }
}

#[test]
fn embed_patterns_come_from_the_whole_file() {
    let patterns = |text: &str| -> Vec<(String, u32, u32)> {
        let embeds = go_file(text.as_bytes()).unwrap().embeds.into_iter();
        embeds.map(|embed| (embed.pattern, embed.position.line, embed.position.column)).collect()
    };
    let text = "package p\nimport _ \"embed\"\n//go:embed a  \"b c\" `d`\nvar s = `\n//go:embed no\n` + '\"'\n\
                \t//go:embed e*\n//go:embedx f\n//go:embed \"g\n";
    let expected = [("a", 3, 12), ("b c", 3, 15), ("d", 3, 21), ("e*", 7, 13)];
    assert_eq!(patterns(text), expected.map(|(pattern, line, column)| (pattern.to_owned(), line, column)));
    assert!(patterns("package p\n//go:embed a\nvar s string").is_empty());
}

#[test]
fn directives_stand_before_the_package_clause() {
    let file = go_file(b"//go:debug a=1\r\n\n// x\npackage p\n//go:debug b=1\n").unwrap();
    let expected = Directive { text: "//go:debug a=1".to_owned(), position: Position { line: 1, column: 1 } };
    assert_eq!(file.directives, [expected]);
}

#[test]
fn other_languages_have_conditions_too() {
    assert!(matches!(other_file(b"//go:build a\n\nTEXT x(SB)"), Ok(Condition::All(_))));
    assert_eq!(other_file(b"#include <x.h>\n//go:build a\n"), Ok(Condition::Always));
    assert_eq!(other_file(b"//go:build a\n\n/ not a comment"), Ok(Condition::Always));
}
