package base

import (
	"os"
	"sync"
)

// Leave ends a command, where the go command ends its process.
var Leave = os.Exit

// BeginAnew forgets the command before.
func BeginAnew() {
	cwdOnce = sync.OnceValue(UncachedCwd)
	atExitFuncs = nil
	exitStatus = 0
	goflags = nil
}
