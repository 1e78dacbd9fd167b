// Package assets has files in it.
package assets

import "embed"

// Text is one file.
//
//go:embed hello.txt
var Text string

//go:embed all:files
var files embed.FS

// Count says how many there are.
func Count() int {
	entries, err := files.ReadDir("files")
	if err != nil {
		return missing()
	}
	return len(entries)
}

// What happens here is nobody's business who imports the package.
//
//go:noinline
func missing() int { return -1 }
