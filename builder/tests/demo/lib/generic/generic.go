// Package generic has types and functions with parameters.
package generic

import "cmp"

// A Pair holds two values.
type Pair[K cmp.Ordered, V any] struct {
	Key   K
	Value V
}

// A Tree is sorted by its keys.
type Tree[K cmp.Ordered, V any] struct {
	left, right *Tree[K, V]
	pair        Pair[K, V]
	full        bool
}

// Put adds a pair.
func (t *Tree[K, V]) Put(key K, value V) {
	switch {
	case !t.full:
		t.pair, t.full = Pair[K, V]{key, value}, true
		t.left, t.right = new(Tree[K, V]), new(Tree[K, V])
	case key < t.pair.Key:
		t.left.Put(key, value)
	default:
		t.right.Put(key, value)
	}
}

// All yields the pairs in the order of their keys.
func (t *Tree[K, V]) All(yield func(K, V) bool) {
	t.all(yield)
}

func (t *Tree[K, V]) all(yield func(K, V) bool) bool {
	return !t.full || t.left.all(yield) && yield(t.pair.Key, t.pair.Value) && t.right.all(yield)
}
