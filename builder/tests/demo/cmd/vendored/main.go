// Vendored needs packages that the standard library has vendored.
package main

import (
	"net"

	"example.com/demo/lib/generic"
)

func main() {
	var tree generic.Tree[string, int]
	for _, text := range []string{"::1", "127.0.0.1"} {
		tree.Put(net.ParseIP(text).String(), len(text))
	}
	for key, value := range tree.All {
		println(key, value)
	}
}
