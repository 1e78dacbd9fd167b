// Package plus is written in C++.
package plus

// #include "plus.h"
import "C"

// Length is how long a text is.
func Length(n int) int { return int(C.length(C.int(n))) }
