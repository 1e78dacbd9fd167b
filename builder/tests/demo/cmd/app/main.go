//go:debug http2client=0

// App prints what cgo has too.
package main

import (
	"example.com/demo/lib/assets"
	"example.com/demo/lib/calc"
	"example.com/demo/lib/cbits"
)

var version, text = "none", "none"

func main() {
	println(version, text, calc.Add(40, 2), assets.Text, cbits.Double(21))
}
