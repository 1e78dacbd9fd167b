// Back prints what C computes with Go's help.
package main

import "example.com/demo/lib/back"

func main() { println(back.Each(20), back.Sum(40, 2)) }
