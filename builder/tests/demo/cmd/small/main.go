// Small prints what the pure packages have.
package main

import (
	"example.com/demo/lib/assets"
	"example.com/demo/lib/calc"
	"example.org/quote"
)

var version = "none"

func main() {
	println(version, calc.Add(40, 2), len(assets.Text), assets.Count(), quote.Go())
}
