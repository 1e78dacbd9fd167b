// Judge answers questions about Go modules with golang.org/x/mod itself.
//
// One JSON object a line in, {"op":"semver.Compare","args":["v1","v2"]}, and one a line out, in the same order:
// {"ok":-1}, or {"error":"text"} where the function asked gave an error or panicked. Each file registers the
// operations of its room in an init function.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
)

// An operation answers one question.
type operation func(args arguments) (any, error)

var operations = map[string]operation{}

// register names an operation; each file does so for its own.
func register(name string, op operation) {
	if operations[name] != nil {
		log.Fatalf("operation %s is registered twice", name)
	}
	operations[name] = op
}

type question struct {
	Op   string    `json:"op"`
	Args arguments `json:"args"`
}

type answer struct {
	OK    any     `json:"ok"`
	Error *string `json:"error,omitempty"`
}

// arguments are read by position; a wrong kind is a panic, which the asker sees as an error.
type arguments []json.RawMessage

func (a arguments) into(i int, value any) {
	if err := json.Unmarshal(a[i], value); err != nil {
		panic(fmt.Sprintf("argument %d: %v", i, err))
	}
}

func (a arguments) text(i int) (s string)    { a.into(i, &s); return }
func (a arguments) texts(i int) (s []string) { a.into(i, &s); return }
func (a arguments) number(i int) (n int64)   { a.into(i, &n); return }
func (a arguments) flag(i int) (b bool)      { a.into(i, &b); return }

// bytes reads a text in base64, for what need not be UTF-8.
func (a arguments) bytes(i int) []byte {
	data, err := base64.StdEncoding.DecodeString(a.text(i))
	if err != nil {
		panic(fmt.Sprintf("argument %d: %v", i, err))
	}
	return data
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		var q question
		if err == nil {
			err = json.Unmarshal(line, &q)
		}
		if err != nil {
			log.Fatalf("reading a question: %v", err)
		}
		if err := encoder.Encode(ask(q)); err != nil {
			log.Fatalf("answering %s: %v", q.Op, err)
		}
		// Questions come in bulk: what is answered leaves when no more questions wait.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				log.Fatal(err)
			}
		}
	}
}

func ask(q question) (a answer) {
	defer func() {
		if reason := recover(); reason != nil {
			text := fmt.Sprintf("panic: %v", reason)
			a = answer{Error: &text}
		}
	}()
	op := operations[q.Op]
	if op == nil {
		panic("no operation " + q.Op)
	}
	ok, err := op(q.Args)
	if err != nil {
		text := err.Error()
		return answer{Error: &text}
	}
	return answer{OK: ok}
}
