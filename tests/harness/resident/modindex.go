package modindex

import "cmd/internal/par"

// BeginAnew forgets the command before.
func BeginAnew() {
	mcache = par.ErrCache[string, *Module]{}
	pcache = par.ErrCache[[2]string, *IndexPackage]{}
}
