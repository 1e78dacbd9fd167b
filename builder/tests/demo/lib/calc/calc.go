// Package calc adds, in assembly where there is some.
package calc

// Limit is asked for by assembly.
const Limit = 1 << 40

type pair struct{ a, b int64 }
