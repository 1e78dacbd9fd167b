// The go command as one process that answers many command lines, one after the other.
//
// One JSON object a line in, what a shell would give the go command, and one a line out, what it said. Commands run as
// they are; only the end of the process is kept from happening, and what lives as long as a process begins anew for
// each command (the files beside this one, each laid over the package of its name).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"cmd/go/internal/base"
	"cmd/go/internal/cfg"
	"cmd/go/internal/envcmd"
	"cmd/go/internal/fsys"
	"cmd/go/internal/gover"
	"cmd/go/internal/modfetch"
	"cmd/go/internal/modindex"
	"cmd/go/internal/modload"
	"cmd/go/internal/toolchain"
	"cmd/go/internal/work"
)

type call struct {
	Folder  string
	GOPATH  string
	GOPROXY string
	GOWORK  string
	GOFLAGS string
	Args    []string
}

type said struct {
	Status int
	Stdout string
	Stderr string
	// Why there is no answer: a panic, or no end.
	Failed string
}

// A go command of this release can wait for itself for ever.
const patience = 20 * time.Second

// This file is sorted behind main.go, whose init function makes the table of commands.
func init() {
	if os.Getenv("MODKEEP_RESIDENT") != "1" {
		return
	}
	os.Unsetenv("PWD")
	log.SetFlags(0)
	gover.Startup.GOTOOLCHAIN = "local"
	cfg.OrigEnv = toolchain.FilterEnv(os.Environ())
	cfg.CmdEnv = envcmd.MkEnv()
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			os.Exit(0)
		}
		var c call
		if err == nil {
			err = json.Unmarshal(line, &c)
		}
		if err != nil {
			log.Fatalf("reading a call: %v", err)
		}
		if err := out.Encode(answer(c)); err != nil {
			log.Fatal(err)
		}
	}
}

func answer(c call) said {
	if err := os.Chdir(c.Folder); err != nil {
		log.Fatal(err)
	}
	for name, value := range map[string]string{"GOPATH": c.GOPATH, "GOPROXY": c.GOPROXY, "GOWORK": c.GOWORK, "GOFLAGS": c.GOFLAGS} {
		os.Setenv(name, value)
	}
	cfg.BuildContext.GOPATH = c.GOPATH
	cfg.GOMODCACHE = c.GOPATH + "/pkg/mod"
	cfg.SumdbDir = c.GOPATH + "/pkg/sumdb"
	cfg.GOPROXY = c.GOPROXY
	cfg.BuildMod, cfg.BuildModReason, cfg.BuildModExplicit, cfg.ModulesEnabled = "", "", false, false
	base.BeginAnew()
	fsys.BeginAnew()
	modfetch.BeginAnew()
	modindex.BeginAnew()
	modload.BeginAnew()
	work.BeginAnew()

	stdout, stderr := file(), file()
	defer stdout.Close()
	defer stderr.Close()
	terminal, errors := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = stdout, stderr
	log.SetOutput(stderr)
	defer func() {
		os.Stdout, os.Stderr = terminal, errors
		log.SetOutput(errors)
	}()

	end := make(chan said, 1)
	var once sync.Once
	finish := func(status int, failed string) {
		// A process that ends takes what wasn't written with it.
		once.Do(func() { end <- said{status, content(stdout), content(stderr), failed} })
	}
	base.Leave = func(status int) {
		finish(status, "")
		runtime.Goexit()
	}
	go func() {
		defer func() {
			if reason := recover(); reason != nil {
				finish(2, "panic")
			}
		}()
		obey(c.Args)
	}()
	select {
	case s := <-end:
		return s
	case <-time.After(patience):
		return said{Failed: "no end"}
	}
}

func obey(args []string) {
	cmd, used := lookupCmd(args)
	if cmd == nil || cmd.Run == nil {
		log.Fatalf("no command in %q", args)
	}
	cfg.CmdName = strings.Join(args[:used], " ")
	cmd.Flag.VisitAll(func(f *flag.Flag) {
		if f.Value.String() != f.DefValue {
			f.Value.Set(f.DefValue)
		}
	})
	// Flags that don't show what they are.
	for _, name := range []string{"u", "t", "tool"} {
		if f := cmd.Flag.Lookup(name); f != nil && cfg.CmdName == "get" {
			f.Value.Set("false")
		}
	}
	cfg.BuildMod, cfg.BuildModExplicit = "", false
	cmd.Flag.Usage = func() { cmd.Usage() }
	base.SetFromGOFLAGS(&cmd.Flag)
	cmd.Flag.Parse(args[used:])
	cmd.Run(context.Background(), cmd, cmd.Flag.Args())
	base.Exit()
}

func file() *os.File {
	f, err := os.CreateTemp("", "resident-")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func content(f *os.File) string {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		log.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		log.Fatal(err)
	}
	return string(data)
}
