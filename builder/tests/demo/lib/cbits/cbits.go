// Package cbits is written in C where that can be.
package cbits

// #cgo CFLAGS: -DFACTOR=2 -I${SRCDIR}
// #cgo LDFLAGS: -lm
// #include "twice.h"
import "C"

// Double doubles.
func Double(n int) int { return int(C.twice(C.int(n))) }
