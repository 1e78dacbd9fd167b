// Package back is called back by C, and has assembly of the C compiler's.
package back

// int each(int n);
// int sum(int a, int b);
import "C"

//export next
func next(n C.int) C.int { return n + 1 }

// Each is twice the next one.
func Each(n int) int { return int(C.each(C.int(n))) }

// Sum adds.
func Sum(a, b int) int { return int(C.sum(C.int(a), C.int(b))) }
