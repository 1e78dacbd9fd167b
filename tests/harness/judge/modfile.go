package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

func init() {
	// Arguments: strict, lax or work; the name of the file; its content; whether versions go through fixVersion.
	register("modfile.Parse", func(args arguments) (any, error) {
		var fix modfile.VersionFixer
		if args.flag(3) {
			fix = fixVersion
		}
		f, err := parse(args.text(0), args.text(1), args.bytes(2), fix)
		if err != nil {
			return nil, err
		}
		return map[string]any{"file": f.facts(true), "format": f.format()}, nil
	})
	// Arguments: mod or work; content; a list of edits, each its name and its arguments; whether to clean up at the end.
	register("modfile.Edit", func(args arguments) (any, error) {
		mode := "strict"
		if args.text(0) == "work" {
			mode = "work"
		}
		f, err := parse(mode, "go.mod", args.bytes(1), nil)
		if err != nil {
			return nil, err
		}
		var edits [][]string
		args.into(2, &edits)
		refusals := []string{}
		for _, edit := range edits {
			text := ""
			if err := f.edit(edit[0], edit[1:]); err != nil {
				text = err.Error()
			}
			refusals = append(refusals, text)
		}
		if args.flag(3) {
			f.edit("Cleanup", nil)
		}
		return map[string]any{"file": f.facts(false), "format": f.format(), "refusals": refusals}, nil
	})
	register("modfile.ModulePath", func(args arguments) (any, error) {
		return modfile.ModulePath(args.bytes(0)), nil
	})
	register("modfile.AutoQuote", func(args arguments) (any, error) {
		return []byte(modfile.AutoQuote(args.text(0))), nil
	})
	register("modfile.IsDirectoryPath", func(args arguments) (any, error) {
		return modfile.IsDirectoryPath(args.text(0)), nil
	})
	register("module.Sort", func(args arguments) (any, error) {
		list := []module.Version{}
		for _, pair := range args.pairs(0) {
			list = append(list, module.Version{Path: pair[0], Version: pair[1]})
		}
		module.Sort(list)
		sorted := [][2]string{}
		for _, m := range list {
			sorted = append(sorted, [2]string{m.Path, m.Version})
		}
		return sorted, nil
	})
}

func (a arguments) pairs(i int) (list [][2]string) { a.into(i, &list); return }

// fixVersion answers as the go command's fixer might: some names mean versions, some are errors of either kind.
func fixVersion(path, version string) (string, error) {
	switch version {
	case "master":
		return "v1.2.4-0.20240102030405-abcdef012345", nil
	case "major":
		return "v2.0.0", nil
	case "broken":
		return "", fmt.Errorf("asking about %s: no such thing", path)
	case "refused":
		return "", &module.ModuleError{Path: path, Version: version, Err: errors.New("refused")}
	}
	if fixed := module.CanonicalVersion(version); fixed != "" {
		return fixed, nil
	}
	return version, nil
}

// A parsed is a go.mod or go.work file: what the questions need of both.
type parsed interface {
	facts(positions bool) map[string]any
	format() []byte
	edit(name string, args []string) error
}

func parse(mode, name string, data []byte, fix modfile.VersionFixer) (parsed, error) {
	switch mode {
	case "strict":
		f, err := modfile.Parse(name, data, fix)
		return modFile{f}, err
	case "lax":
		f, err := modfile.ParseLax(name, data, fix)
		return modFile{f}, err
	case "work":
		f, err := modfile.ParseWork(name, data, fix)
		return workFile{f}, err
	}
	panic("no mode " + mode)
}

type modFile struct{ *modfile.File }
type workFile struct{ *modfile.WorkFile }

func (f modFile) format() []byte  { return append([]byte{}, modfile.Format(f.Syntax)...) }
func (f workFile) format() []byte { return append([]byte{}, modfile.Format(f.Syntax)...) }

// fact is the values of a directive, and where its line begins.
func fact(positions bool, line *modfile.Line, values ...any) []any {
	if positions {
		values = append(values, line.Start.Line, line.Start.LineRune, line.Start.Byte)
	}
	return values
}

// facts leaves out what edits have cleared, and sorts requirements after edits: Go adds new ones in random order.
func (f modFile) facts(positions bool) map[string]any {
	all := shared(positions, f.Go, f.Toolchain, f.Godebug, f.Replace)
	for _, kind := range []string{"module", "require", "exclude", "retract", "tool", "ignore"} {
		all[kind] = [][]any{}
	}
	add := func(kind string, line *modfile.Line, values ...any) {
		if line != nil {
			all[kind] = append(all[kind].([][]any), fact(positions, line, values...))
		}
	}
	if f.Module != nil {
		add("module", f.Module.Syntax, f.Module.Mod.Path, f.Module.Deprecated)
	}
	if !positions {
		slices.SortStableFunc(f.Require, func(a, b *modfile.Require) int { return cmp.Compare(a.Mod.Path, b.Mod.Path) })
	}
	for _, x := range f.Require {
		add("require", x.Syntax, x.Mod.Path, x.Mod.Version, x.Indirect)
	}
	for _, x := range f.Exclude {
		add("exclude", x.Syntax, x.Mod.Path, x.Mod.Version)
	}
	for _, x := range f.Retract {
		add("retract", x.Syntax, x.Low, x.High, x.Rationale)
	}
	for _, x := range f.Tool {
		add("tool", x.Syntax, x.Path)
	}
	for _, x := range f.Ignore {
		add("ignore", x.Syntax, x.Path)
	}
	return all
}

func (f workFile) facts(positions bool) map[string]any {
	all := shared(positions, f.Go, f.Toolchain, f.Godebug, f.Replace)
	uses := [][]any{}
	for _, x := range f.Use {
		if x.Syntax != nil {
			uses = append(uses, fact(positions, x.Syntax, x.Path, x.ModulePath))
		}
	}
	all["use"] = uses
	return all
}

func shared(
	positions bool, g *modfile.Go, toolchain *modfile.Toolchain, godebugs []*modfile.Godebug, replaces []*modfile.Replace,
) map[string]any {
	goes, toolchains, settings, replacements := [][]any{}, [][]any{}, [][]any{}, [][]any{}
	if g != nil {
		goes = append(goes, fact(positions, g.Syntax, g.Version))
	}
	if toolchain != nil {
		toolchains = append(toolchains, fact(positions, toolchain.Syntax, toolchain.Name))
	}
	for _, x := range godebugs {
		if x.Syntax != nil {
			settings = append(settings, fact(positions, x.Syntax, x.Key, x.Value))
		}
	}
	for _, x := range replaces {
		if x.Syntax != nil {
			replacements = append(replacements,
				fact(positions, x.Syntax, x.Old.Path, x.Old.Version, x.New.Path, x.New.Version))
		}
	}
	return map[string]any{"go": goes, "toolchain": toolchains, "godebug": settings, "replace": replacements}
}

func (f modFile) edit(name string, args []string) error {
	requires := func() (list []*modfile.Require) {
		for ; len(args) > 0; args = args[3:] {
			mod := module.Version{Path: args[0], Version: args[1]}
			list = append(list, &modfile.Require{Mod: mod, Indirect: args[2] != ""})
		}
		return list
	}
	switch name {
	case "AddModuleStmt":
		return f.AddModuleStmt(args[0])
	case "AddComment":
		f.AddComment(args[0])
	case "AddGoStmt":
		return f.AddGoStmt(args[0])
	case "DropGoStmt":
		f.DropGoStmt()
	case "AddToolchainStmt":
		return f.AddToolchainStmt(args[0])
	case "DropToolchainStmt":
		f.DropToolchainStmt()
	case "AddGodebug":
		return f.AddGodebug(args[0], args[1])
	case "DropGodebug":
		return f.DropGodebug(args[0])
	case "AddRequire":
		return f.AddRequire(args[0], args[1])
	case "AddNewRequire":
		f.AddNewRequire(args[0], args[1], args[2] != "")
	case "DropRequire":
		return f.DropRequire(args[0])
	case "SetRequire":
		f.SetRequire(requires())
	case "SetRequireSeparateIndirect":
		f.SetRequireSeparateIndirect(requires())
	case "SetRequireAtMostTwo":
		f.SetRequireAtMostTwo(requires())
	case "AddExclude":
		return f.AddExclude(args[0], args[1])
	case "DropExclude":
		return f.DropExclude(args[0], args[1])
	case "AddReplace":
		return f.AddReplace(args[0], args[1], args[2], args[3])
	case "DropReplace":
		return f.DropReplace(args[0], args[1])
	case "AddRetract":
		return f.AddRetract(modfile.VersionInterval{Low: args[0], High: args[1]}, args[2])
	case "DropRetract":
		return f.DropRetract(modfile.VersionInterval{Low: args[0], High: args[1]})
	case "AddTool":
		return f.AddTool(args[0])
	case "DropTool":
		return f.DropTool(args[0])
	case "AddIgnore":
		return f.AddIgnore(args[0])
	case "DropIgnore":
		return f.DropIgnore(args[0])
	case "SortBlocks":
		f.SortBlocks()
	case "Cleanup":
		f.Cleanup()
	default:
		panic("no edit " + name)
	}
	return nil
}

func (f workFile) edit(name string, args []string) error {
	switch name {
	case "AddGoStmt":
		return f.AddGoStmt(args[0])
	case "DropGoStmt":
		f.DropGoStmt()
	case "AddToolchainStmt":
		return f.AddToolchainStmt(args[0])
	case "DropToolchainStmt":
		f.DropToolchainStmt()
	case "AddGodebug":
		return f.AddGodebug(args[0], args[1])
	case "DropGodebug":
		return f.DropGodebug(args[0])
	case "AddUse":
		return f.AddUse(args[0], args[1])
	case "AddNewUse":
		f.AddNewUse(args[0], args[1])
	case "DropUse":
		return f.DropUse(args[0])
	case "AddReplace":
		return f.AddReplace(args[0], args[1], args[2], args[3])
	case "DropReplace":
		return f.DropReplace(args[0], args[1])
	case "SortBlocks":
		f.SortBlocks()
	case "Cleanup":
		f.Cleanup()
	default:
		panic("no edit " + name)
	}
	return nil
}
