// Vendored needs packages that the standard library has vendored, and whatever needs no C compiler.
package main

import (
	"net"

	"example.com/demo/lib/assets"
	"example.com/demo/lib/calc"
	"example.com/demo/lib/cbits"
	"example.com/demo/lib/generic"
	"example.org/quote"
)

func main() {
	var tree generic.Tree[string, int]
	for _, text := range []string{"::1", "127.0.0.1"} {
		tree.Put(net.ParseIP(text).String(), len(text))
	}
	for key, value := range tree.All {
		println(key, value)
	}
	println(calc.Add(40, 2), assets.Count(), cbits.Double(21), quote.Go())
}
