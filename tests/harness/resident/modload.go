package modload

import (
	"sync"

	"cmd/internal/par"

	"golang.org/x/mod/module"
)

// BeginAnew forgets the command before.
func BeginAnew() {
	ExplicitWriteGoMod = false
	rawGoVersion.Clear()
	rawGoModSummaryCache = par.ErrCache[module.Version, *modFileSummary]{}
	latestVersionIgnoringRetractionsCache = par.ErrCache[string, module.Version]{}
	haveGoModCache = par.Cache[string, bool]{}
	haveGoFilesCache = par.ErrCache[string, bool]{}
	vendorOnce = sync.Once{}
	vendorList, vendorReplaced, vendorVersion, vendorPkgModule, vendorMeta = nil, nil, nil, nil, nil
}
