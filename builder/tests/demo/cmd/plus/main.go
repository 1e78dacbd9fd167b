// Plus prints what C++ says.
package main

import "example.com/demo/lib/plus"

func main() { println(plus.Length(3)) }
