package main

import (
	"net/url"
	"strconv"
	"unicode"
)

func init() {
	// The release of Go and of Unicode that this judge was built with is no matter of taste: tables depend on it.
	register("unicode.Version", func(arguments) (any, error) { return unicode.Version, nil })
	// Each answers for all characters at once: [first, last, first, last, …] of the ranges in which it holds.
	ranges := func(holds func(rune) bool) operation {
		return func(arguments) (any, error) {
			list := []rune{}
			for r := rune(0); r <= unicode.MaxRune; r++ {
				if !holds(r) {
					continue
				}
				if n := len(list); n > 0 && list[n-1] == r-1 {
					list[n-1] = r
				} else {
					list = append(list, r, r)
				}
			}
			return list, nil
		}
	}
	register("unicode.IsLetter", ranges(unicode.IsLetter))
	register("unicode.IsSpace", ranges(unicode.IsSpace))
	register("unicode.IsPrint", ranges(unicode.IsPrint))
	register("strconv.IsPrint", ranges(strconv.IsPrint))
	// [character, least, …] for each character that is not the least of those that fold together.
	register("unicode.SimpleFold", func(arguments) (any, error) {
		list := []rune{}
		for r := rune(0); r <= unicode.MaxRune; r++ {
			least := r
			for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
				least = min(least, other)
			}
			if least != r {
				list = append(list, r, least)
			}
		}
		return list, nil
	})
	register("strconv.Quote", func(args arguments) (any, error) { return strconv.Quote(string(args.bytes(0))), nil })
	register("strconv.Unquote", func(args arguments) (any, error) {
		text, err := strconv.Unquote(string(args.bytes(0)))
		return []byte(text), err
	})
	register("url.PathEscape", func(args arguments) (any, error) { return url.PathEscape(args.text(0)), nil })
}
