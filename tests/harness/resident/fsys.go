package fsys

import "sync"

// BeginAnew forgets the command before.
func BeginAnew() {
	cwd = sync.OnceValue(cwdOnce)
	overlay, binds = nil, nil
}
