use super::*;

fn shown(x: &Expression) -> String {
    match x {
        Expression::Tag(tag) => tag.clone(),
        Expression::Not(x) => format!("!{}", shown(x)),
        Expression::And(x, y) => format!("({} && {})", shown(x), shown(y)),
        Expression::Or(x, y) => format!("({} || {})", shown(x), shown(y)),
    }
}

fn check(line: &str, expected: &str) {
    let got = match parse(line) {
        Ok(x) => shown(&x),
        Err(ConstraintError::Syntax { offset, text }) => format!("{offset}: {text}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(got, expected, "{line}");
}

#[test]
fn the_newer_lines() {
    let cases = [
        ("//go:build linux", "linux"),
        ("//go:build\tlinux\n", "linux"),
        ("//go:build a && b || c", "((a && b) || c)"),
        ("//go:build a||b&&c", "(a || (b && c))"),
        ("//go:build a && b && c", "((a && b) && c)"),
        ("//go:build !(a || !b) && x.y_1", "(!(a || !b) && x.y_1)"),
        ("//go:build 386 || größe", "(386 || größe)"),
        ("//go:build", "0: unexpected end of expression"),
        ("//go:build (a", "0: missing close paren"),
        ("//go:build (a || (b)", "0: missing close paren"),
        ("//go:build (", "1: missing close paren"),
        ("//go:build a b", "2: unexpected token b"),
        ("//go:build a )", "2: unexpected token )"),
        ("//go:build a &&", "4: unexpected end of expression"),
        ("//go:build && a", "0: unexpected token &&"),
        ("//go:build !!a", "1: double negation not allowed"),
        ("//go:build ! !a", "2: double negation not allowed"),
        ("//go:build a & b", "2: invalid syntax at &"),
        ("//go:build a, b", "1: invalid syntax at ,"),
        ("//go:build a #", "2: invalid syntax at #"),
        ("//go:buildx", "not a build constraint"),
        (" //go:build x", "not a build constraint"),
        ("//go:build x\n\n", "not a build constraint"),
        ("// go:build x", "not a build constraint"),
    ];
    for (line, expected) in cases {
        check(line, expected);
    }
}

#[test]
fn the_older_lines() {
    let cases = [
        ("// +build linux", "linux"),
        ("//+build linux", "linux"),
        ("// +build a,b c,!d", "((a && b) || (c && !d))"),
        ("// +build", "ignore"),
        ("// +build !!a", "ignore"),
        ("// +build ! a", "(ignore || a)"),
        ("// +build a-b", "ignore"),
        ("// +build !a-b", "!ignore"),
        ("// +build a,,b", "((a && ignore) && b)"),
        ("// +buildx", "not a build constraint"),
        ("/ +build x", "not a build constraint"),
    ];
    for (line, expected) in cases {
        check(line, expected);
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let of = |count: usize, between: &str| vec!["a"; count].join(between);
    assert!(parse(&format!("//go:build {}", of(1000, "||"))).is_ok());
    check(&format!("//go:build {}", of(1001, "||")), "2998: build expression too large");
    check(&format!("//go:build {}", "(".repeat(100_000)), "999: build expression too large");
    assert!(parse(&format!("// +build {}", of(101, " "))).is_ok());
    check(&format!("// +build {}", of(102, ",")), "expression too complex for // +build lines");
}
