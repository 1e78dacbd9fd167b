package main

import (
	"encoding/json"
	"path"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

func init() {
	check := func(f func(string) error) operation {
		return func(args arguments) (any, error) { return nil, f(args.text(0)) }
	}
	convert := func(f func(string) (string, error)) operation {
		return func(args arguments) (any, error) { return f(args.text(0)) }
	}
	register("module.CheckPath", check(module.CheckPath))
	register("module.CheckImportPath", check(module.CheckImportPath))
	register("module.CheckFilePath", check(module.CheckFilePath))
	// The same of a path in base64, which need not be UTF-8.
	register("module.CheckFilePathBytes", func(args arguments) (any, error) {
		return nil, module.CheckFilePath(string(args.bytes(0)))
	})
	register("module.Check", func(args arguments) (any, error) {
		return nil, module.Check(args.text(0), args.text(1))
	})
	register("module.EscapePath", convert(module.EscapePath))
	register("module.EscapeVersion", convert(module.EscapeVersion))
	register("module.UnescapePath", convert(module.UnescapePath))
	register("module.UnescapeVersion", convert(module.UnescapeVersion))
	register("module.SplitPathVersion", func(args arguments) (any, error) {
		prefix, major, ok := module.SplitPathVersion(args.text(0))
		return []any{prefix, major, ok}, nil
	})
	register("module.CheckPathMajor", func(args arguments) (any, error) {
		return nil, module.CheckPathMajor(args.text(0), args.text(1))
	})
	register("module.PathMajorPrefix", func(args arguments) (any, error) {
		return module.PathMajorPrefix(args.text(0)), nil
	})
	register("module.CanonicalVersion", func(args arguments) (any, error) {
		return module.CanonicalVersion(args.text(0)), nil
	})
	register("module.MatchPrefixPatterns", func(args arguments) (any, error) {
		return module.MatchPrefixPatterns(args.text(0), args.text(1)), nil
	})
	register("module.IsPseudoVersion", func(args arguments) (any, error) {
		return module.IsPseudoVersion(args.text(0)), nil
	})
	register("module.IsZeroPseudoVersion", func(args arguments) (any, error) {
		return module.IsZeroPseudoVersion(args.text(0)), nil
	})
	register("module.ZeroPseudoVersion", func(args arguments) (any, error) {
		return module.ZeroPseudoVersion(args.text(0)), nil
	})
	register("module.PseudoVersionBase", convert(module.PseudoVersionBase))
	register("module.PseudoVersionRev", convert(module.PseudoVersionRev))
	register("module.PseudoVersionTime", func(args arguments) (any, error) {
		t, err := module.PseudoVersionTime(args.text(0))
		return t.Format(time.RFC3339), err
	})
	// Arguments: major, older, time as RFC 3339, revision.
	register("module.PseudoVersion", func(args arguments) (any, error) {
		t, err := time.Parse(time.RFC3339, args.text(2))
		if err != nil {
			return nil, err
		}
		return module.PseudoVersion(args.text(0), args.text(1), t, args.text(3)), nil
	})
	// What the go command reads in an .info document (in base64): version, time, origin.
	register("modfetch.RevInfo", func(args arguments) (any, error) {
		var info struct {
			Version string
			Time    time.Time
			Origin  *struct{ VCS, URL, Subdir, Hash, TagPrefix, TagSum, Ref, RepoSum string }
		}
		err := json.Unmarshal(args.bytes(0), &info)
		return []any{info.Version, info.Time.Format(time.RFC3339), info.Origin}, err
	})
	register("path.Match", func(args arguments) (any, error) { return path.Match(args.text(0), args.text(1)) })
	register("strings.EqualFold", func(args arguments) (any, error) {
		return strings.EqualFold(args.text(0), args.text(1)), nil
	})
}
