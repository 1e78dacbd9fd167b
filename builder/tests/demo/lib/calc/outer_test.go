package calc_test

import (
	"os"
	"testing"

	"example.com/demo/lib/calc"
	"example.com/demo/lib/far"
)

func TestMain(m *testing.M) { os.Exit(m.Run()) }

func TestTwice(t *testing.T) {
	if got := far.Twice(21); got != 42 {
		t.Fatal(got)
	}
}

func BenchmarkAdd(b *testing.B) {
	for b.Loop() {
		calc.Add(1, 2)
	}
}

func ExampleAdd() {
	println(calc.Add(1, 2))
	// Output:
}
