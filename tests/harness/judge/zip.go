package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

func init() {
	// All verdicts on one zip: arguments are a module's path, its version and the zip's bytes.
	register("zip.Judge", func(args arguments) (any, error) {
		folder, err := os.MkdirTemp("", "judge")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(folder)
		file := filepath.Join(folder, "z.zip")
		if err := os.WriteFile(file, args.bytes(2), 0666); err != nil {
			return nil, err
		}
		return judgeZip(moduleVersion(args), file, folder), nil
	})
	// The same of a file on disk.
	register("zip.JudgeFile", func(args arguments) (any, error) {
		folder, err := os.MkdirTemp("", "judge")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(folder)
		return judgeZip(moduleVersion(args), args.text(2), folder), nil
	})
	register("zip.CheckFiles", func(args arguments) (any, error) {
		return report(zip.CheckFiles(files(args, 0))), nil
	})
	register("zip.CheckDir", func(args arguments) (any, error) {
		return report(zip.CheckDir(args.text(0))), nil
	})
	// Both create a zip in a file, and answer its h1.
	register("zip.Create", func(args arguments) (any, error) {
		return create(args.text(3), func(w io.Writer) error {
			return zip.Create(w, moduleVersion(args), files(args, 2))
		})
	})
	register("zip.CreateFromDir", func(args arguments) (any, error) {
		return create(args.text(3), func(w io.Writer) error {
			return zip.CreateFromDir(w, moduleVersion(args), args.text(2))
		})
	})
	register("dirhash.HashZip", func(args arguments) (any, error) {
		return dirhash.HashZip(args.text(0), dirhash.Hash1)
	})
	register("dirhash.HashDir", func(args arguments) (any, error) {
		return dirhash.HashDir(args.text(0), args.text(1), dirhash.Hash1)
	})
	register("dirhash.DirFiles", func(args arguments) (any, error) {
		files, err := dirhash.DirFiles(args.text(0), args.text(1))
		return append([]string{}, files...), err
	})
	// How long one HashZip takes, in nanoseconds.
	register("dirhash.Time", func(args arguments) (any, error) {
		start := time.Now()
		_, err := dirhash.HashZip(args.text(0), dirhash.Hash1)
		return time.Since(start).Nanoseconds(), err
	})
}

func moduleVersion(args arguments) module.Version {
	return module.Version{Path: string(args.bytes(0)), Version: string(args.bytes(1))}
}

// Verdict is a hash or an error.
type verdict struct {
	Hash  string  `json:"hash"`
	Error *string `json:"error"`
}

func verdictOf(hash string, err error) (v verdict) {
	if err != nil {
		text := err.Error()
		return verdict{Error: &text}
	}
	return verdict{Hash: hash}
}

func judgeZip(m module.Version, file, folder string) any {
	target := filepath.Join(folder, "unzipped")
	unzipped := func() (string, error) {
		if err := zip.Unzip(target, m, file); err != nil {
			return "", errors.Unwrap(err) // without the file's name
		}
		return dirhash.HashDir(target, m.Path+"@"+m.Version, dirhash.Hash1)
	}
	return map[string]any{
		"check": report(zip.CheckZip(m, file)),
		"hash":  verdictOf(dirhash.HashZip(file, dirhash.Hash1)),
		"unzip": verdictOf(unzipped()),
	}
}

// Report is what zip.CheckedFiles and its error say.
func report(checked zip.CheckedFiles, err error) any {
	list := func(errors []zip.FileError) []string {
		texts := []string{}
		for _, err := range errors {
			texts = append(texts, err.Error())
		}
		return texts
	}
	return map[string]any{
		"valid":   append([]string{}, checked.Valid...),
		"omitted": list(checked.Omitted),
		"invalid": list(checked.Invalid),
		"verdict": verdictOf("", err),
	}
}

func create(file string, fill func(io.Writer) error) (string, error) {
	out, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer out.Close()
	if err := fill(out); err != nil {
		return "", err
	}
	return dirhash.HashZip(file, dirhash.Hash1)
}

// A givenFile is made up by the asker. Data that is missing is as many zero bytes as Length says.
type givenFile struct {
	Name   []byte `json:"name"`
	Kind   string `json:"kind"`
	Length int64  `json:"length"`
	Data   []byte `json:"data"`
}

func files(args arguments, i int) []zip.File {
	var given []givenFile
	args.into(i, &given)
	var files []zip.File
	for _, file := range given {
		files = append(files, file)
	}
	return files
}

func (f givenFile) Path() string                 { return string(f.Name) }
func (f givenFile) Lstat() (os.FileInfo, error)  { return givenInfo{f}, nil }
func (f givenFile) Open() (io.ReadCloser, error) { return &givenReader{f, 0}, nil }

type givenReader struct {
	file givenFile
	at   int64
}

func (r *givenReader) Close() error { return nil }

func (r *givenReader) Read(b []byte) (n int, err error) {
	if r.file.Data != nil {
		n = copy(b, r.file.Data[r.at:])
	} else {
		n = int(min(int64(len(b)), r.file.Length-r.at))
		clear(b[:n])
	}
	r.at += int64(n)
	if n == 0 {
		err = io.EOF
	}
	return n, err
}

type givenInfo struct{ f givenFile }

func (i givenInfo) Name() string       { return path.Base(string(i.f.Name)) }
func (i givenInfo) Size() int64        { return i.f.Length }
func (i givenInfo) ModTime() time.Time { return time.Time{} }
func (i givenInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i givenInfo) Sys() any           { return nil }
func (i givenInfo) Mode() fs.FileMode {
	switch i.f.Kind {
	case "directory":
		return fs.ModeDir | 0755
	case "symlink":
		return fs.ModeSymlink | 0777
	case "irregular":
		return fs.ModeNamedPipe | 0644
	}
	return 0644
}
