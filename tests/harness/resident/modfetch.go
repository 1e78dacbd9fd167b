package modfetch

import (
	"sync"

	"cmd/internal/par"

	"golang.org/x/mod/module"
)

// BeginAnew forgets the command before.
func BeginAnew() {
	proxyOnce.Once, proxyOnce.list, proxyOnce.err = sync.Once{}, nil, nil
	statCacheOnce, statCacheErr = sync.Once{}, nil
	dbOnce, dbName, db, dbErr = sync.Once{}, "", nil, nil
	downloadZipCache = par.ErrCache[module.Version, string]{}
	lookupLocalCache = new(par.Cache[string, Repo])
}
