// Package quote is a module of its own.
package quote

// Go says something.
func Go() string { return "values of any kind" }
