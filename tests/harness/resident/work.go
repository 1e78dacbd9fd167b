package work

// BeginAnew forgets the command before.
func BeginAnew() {
	buildInitStarted = false
}
