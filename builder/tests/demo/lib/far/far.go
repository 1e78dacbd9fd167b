// Package far is compiled once more for the tests of what it imports.
package far

import "example.com/demo/lib/calc"

// Twice doubles.
func Twice(n int64) int64 { return calc.Add(n, n) }
