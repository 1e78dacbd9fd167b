use super::{MOST_AGAIN, Parser, is_well_formed, tokens};

#[test]
fn statements_and_expressions_that_the_parser_takes_are_taken() {
    for body in [
        "x := 1; x++; x <<= 2",
        "if x := f(); x > 0 { g() } else if y { } else { h() }",
        "for i := range 10 { }",
        "for range ch { }",
        "for k, v = range m[T{1}.x] { _ = k }",
        "for { break }",
        "for i := 0; i < 3; i++ { continue L }",
        "for ; ; { }",
        "switch x := y.(type) { case int, []string, *T, map[string]chan<- int, func(int) error: default: f() }",
        "switch y.(type) { }",
        "switch { case a == b: fallthrough; case c: }",
        "switch x := f(); x { }",
        "select { case v, ok := <-c: _ = v; case c <- 1: default: }",
        "L: for { goto L }",
        "M:",
        "defer func() { recover() }()",
        "go f(a, b...)",
        "return a, struct{ X int }{1}, []T{{1, 2}, {3: 4}}, map[K]V{k: {v}}",
        "a, b = b, a; *p = <-c; c <- -x",
        "_ = x[1:2:3] + x[:] + x[a:] + g[int, string](1) + T[int]{}.y",
        "_ = (*T)(nil); _ = (<-chan int)(c); _ = x.(*T); _ = []byte(\"x\"); _ = [...]int{1, 2}",
        "if f(T{1}) == (T{2}) { }",
        "if a := (func() bool { return T{} == u })(); a { }",
        "var x, y int = 1, 2; const c = iota; type t = int; type g[P any] struct{ p P }",
        "_ = 1e+5 + .5 + 0x1p-2 + 'a' + 1i; _ = `a\nb`",
        "{ }; ;",
    ] {
        let file = format!("package p\n\nfunc f() {{\n{body}\n}}\n");
        assert!(is_well_formed(file.as_bytes()), "{body}");
    }
}

#[test]
fn declarations_that_the_parser_takes_are_taken() {
    for text in [
        "import \"a\"\nimport (\n\t. \"b\"\n\t_ `c`\n)\n",
        "const (\n\ta = iota\n\tb\n)\nvar (\n\tx int\n\ty = 1\n)\n",
        "type T struct {\n\ta, b int `x:\"y\"`\n\t*E\n\tq.F\n\tG[int]\n\th [3]int\n\tI\n}\n",
        "type I interface {\n\tm(a, b int, c ...string) (x, y int)\n\t~int | string\n\tq.J\n\tK[int]\n}\n",
        "type A[P any, Q interface{ ~int }] map[P]Q\ntype B [N]int\ntype C [N * 2]int\ntype D[P *E,] int\n",
        "func (t *T[P]) m() {}\nfunc g[K comparable, V int | string](m map[K]V) (r []V, err error) { return }\n",
        "func a(int, ...string)\nfunc b(x, y []int, z [3]T) (<-chan int)\nfunc c(f func(int) (int, error), q.T, T[int])\n",
        "",
    ] {
        let is_bare_mixed = text.contains("func c(");
        assert_eq!(is_well_formed(format!("package p\n\n{text}").as_bytes()), !is_bare_mixed, "{text}");
    }
}

#[test]
fn what_the_parser_refuses_is_refused() {
    for text in [
        "x := 1",
        "func f() { x := := 1 }",
        "func f() { if x { }",
        "func f() { } }",
        "func f() { a b }",
        "func f() { a, b }",
        "func f() { if { } }",
        "func f() { if x := 1 { } }",
        "func f() { if x == T{} { } }",
        "func f() { for x := 1 { } }",
        "func f() { for a; b { } }",
        "func f() { x = y.(type) }",
        "func f() { defer x }",
        "func f() { go (f()) }",
        "func f() { x[1::] }",
        "func f() { _ = []int{1\n} }",
        "func f() { f(a\n) }",
        "func f(a int, string) { }",
        "func f(a ...int, b int) { }",
        "func (a, b T) f() { }",
        "var x",
        "const c int",
        "type T",
        "type T struct { a, }",
        "import \"b\"\nvar x = 1\nimport \"a\"",
        "var x = 08",
        "var x = 'ab'",
        "var x = \"\\q\"",
        "var x = \"a",
        "ʕ◔ϖ◔ʔ",
        "func f() { case 1: }",
        "func f() { switch { f() } }",
        "func f() { L }; func",
        "# x",
    ] {
        assert!(!is_well_formed(format!("package p\n\n{text}\n").as_bytes()), "{text}");
    }
    assert!(!is_well_formed(b"package p\nvar x = \"\xff\"\n"));
    assert!(!is_well_formed(b"package _\n"));
}

#[test]
fn what_can_be_read_in_two_ways_all_the_way_down_is_not_read_without_end() {
    let nested = |begin: &str, open: &str, close: &str, end: &str, depth: usize| {
        format!("package p\n\n{begin}{}int{}{end}\n", open.repeat(depth), close.repeat(depth))
    };
    let field = |depth| nested("type T ", "struct{A[", "]}", "", depth);
    let parameter = |depth| nested("func f(", "A[func(", ")]", ")", depth);
    for (text, is_taken) in
        [(field(3), true), (parameter(3), true), (field(160), false), (parameter(160), false)]
    {
        let tokens = tokens(text.as_bytes()).unwrap();
        let count = tokens.len();
        let mut parser = Parser::new(tokens);
        assert_eq!(parser.file().is_some(), is_taken, "{text}");
        assert!(parser.again <= MOST_AGAIN + count, "{} tokens again: {text}", parser.again);
    }
}
