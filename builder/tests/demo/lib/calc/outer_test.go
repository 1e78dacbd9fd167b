package calc_test

import (
	"os"
	"testing"

	"example.com/demo/lib/calc"
)

func TestMain(m *testing.M) { os.Exit(m.Run()) }

func BenchmarkAdd(b *testing.B) {
	for b.Loop() {
		calc.Add(1, 2)
	}
}

func ExampleAdd() {
	println(calc.Add(1, 2))
	// Output:
}
