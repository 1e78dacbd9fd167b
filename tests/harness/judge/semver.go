package main

import "golang.org/x/mod/semver"

func init() {
	text := func(f func(string) string) operation {
		return func(args arguments) (any, error) { return f(args.text(0)), nil }
	}
	register("semver.IsValid", func(args arguments) (any, error) { return semver.IsValid(args.text(0)), nil })
	register("semver.Canonical", text(semver.Canonical))
	register("semver.Major", text(semver.Major))
	register("semver.MajorMinor", text(semver.MajorMinor))
	register("semver.Prerelease", text(semver.Prerelease))
	register("semver.Build", text(semver.Build))
	register("semver.Compare", func(args arguments) (any, error) {
		return semver.Compare(args.text(0), args.text(1)), nil
	})
	register("semver.Max", func(args arguments) (any, error) {
		return semver.Max(args.text(0), args.text(1)), nil
	})
	register("semver.Sort", func(args arguments) (any, error) {
		list := args.texts(0)
		semver.Sort(list)
		return list, nil
	})
}
