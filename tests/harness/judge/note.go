package main

import (
	"crypto/ed25519"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func init() {
	register("note.NewVerifier", func(args arguments) (any, error) {
		v, err := note.NewVerifier(args.text(0))
		if err != nil {
			return nil, err
		}
		return []any{v.Name(), v.KeyHash()}, nil
	})
	register("note.NewSigner", func(args arguments) (any, error) {
		s, err := note.NewSigner(args.text(0))
		if err != nil {
			return nil, err
		}
		return []any{s.Name(), s.KeyHash()}, nil
	})
	// Arguments: message in base64, verifier keys. Answer: text, verified and unverified signatures.
	register("note.Open", func(args arguments) (any, error) {
		n, err := note.Open(args.bytes(0), verifiers(args.texts(1)))
		if err != nil {
			return nil, err
		}
		return []any{n.Text, signatures(n.Sigs), signatures(n.UnverifiedSigs)}, nil
	})
	// Arguments: message in base64, verifier keys to open it with, signer keys to sign it again with.
	register("note.Sign", func(args arguments) (any, error) {
		n, err := note.Open(args.bytes(0), verifiers(args.texts(1)))
		if err != nil {
			return nil, err
		}
		var signers []note.Signer
		for _, key := range args.texts(2) {
			s, err := note.NewSigner(key)
			if err != nil {
				return nil, err
			}
			signers = append(signers, s)
		}
		message, err := note.Sign(n, signers...)
		return string(message), err
	})
	// Arguments, all in base64: public key, message, signature.
	register("ed25519.Verify", func(args arguments) (any, error) {
		return ed25519.Verify(args.bytes(0), args.bytes(1), args.bytes(2)), nil
	})
	register("tlog.ParseTree", func(args arguments) (any, error) {
		tree, err := tlog.ParseTree(args.bytes(0))
		if err != nil {
			return nil, err
		}
		return []any{tree.N, tree.Hash.String()}, nil
	})
	register("tlog.ParseRecord", func(args arguments) (any, error) {
		id, text, rest, err := tlog.ParseRecord(args.bytes(0))
		if err != nil {
			return nil, err
		}
		return []any{id, text, rest}, nil
	})
	register("tlog.FormatRecord", func(args arguments) (any, error) {
		return tlog.FormatRecord(args.number(0), args.bytes(1))
	})
	register("tlog.ParseTilePath", func(args arguments) (any, error) {
		t, err := tlog.ParseTilePath(args.text(0))
		if err != nil {
			return nil, err
		}
		return []any{t.H, t.L, t.N, t.W}, nil
	})
	register("tlog.NewTiles", func(args arguments) (any, error) {
		paths := []string{}
		for _, t := range tlog.NewTiles(8, args.number(0), args.number(1)) {
			paths = append(paths, t.Path())
		}
		return paths, nil
	})
	register("tlog.StoredHashIndex", func(args arguments) (any, error) {
		return tlog.StoredHashIndex(int(args.number(0)), args.number(1)), nil
	})
	register("tlog.StoredHashCount", func(args arguments) (any, error) {
		return tlog.StoredHashCount(args.number(0)), nil
	})
	// The log whose records read "record 0", "record 1", …
	register("tlog.TreeHash", func(args arguments) (any, error) {
		h, err := tlog.TreeHash(args.number(0), counted(args.number(0)))
		return h.String(), err
	})
	register("tlog.ProveRecord", func(args arguments) (any, error) {
		p, err := tlog.ProveRecord(args.number(0), args.number(1), counted(args.number(0)))
		return texts(p), err
	})
	register("tlog.ProveTree", func(args arguments) (any, error) {
		p, err := tlog.ProveTree(args.number(0), args.number(1), counted(args.number(0)))
		return texts(p), err
	})
	// Arguments: proof, size, root, record number, record hash.
	register("tlog.CheckRecord", func(args arguments) (any, error) {
		return nil, tlog.CheckRecord(hashes(args.texts(0)), args.number(1), hash(args.text(2)), args.number(3), hash(args.text(4)))
	})
	// Arguments: proof, size, root, older size, older root.
	register("tlog.CheckTree", func(args arguments) (any, error) {
		return nil, tlog.CheckTree(hashes(args.texts(0)), args.number(1), hash(args.text(2)), args.number(3), hash(args.text(4)))
	})
	// Arguments: size, root, record numbers, object of tile paths with their bytes in base64.
	// Answer: the hashes of the records, and the paths of the tiles that would be kept.
	register("tlog.TileHashReader", func(args arguments) (any, error) {
		var tiles given
		args.into(3, &tiles.data)
		var ids, indexes []int64
		args.into(2, &ids)
		for _, id := range ids {
			indexes = append(indexes, tlog.StoredHashIndex(0, id))
		}
		tree := tlog.Tree{N: args.number(0), Hash: hash(args.text(1))}
		found, err := tlog.TileHashReader(tree, &tiles).ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		return []any{texts(found), tiles.saved}, nil
	})
}

// given is a reader of tiles that are all there from the start.
type given struct {
	data  map[string][]byte
	saved []string
}

func (g *given) Height() int { return 8 }

func (g *given) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		bytes, ok := g.data[t.Path()]
		if !ok {
			return nil, fmt.Errorf("no %s", t.Path())
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (g *given) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for _, t := range tiles {
		g.saved = append(g.saved, t.Path())
	}
}

func verifiers(keys []string) note.Verifiers {
	var list []note.Verifier
	for _, key := range keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			panic(err)
		}
		list = append(list, v)
	}
	return note.VerifierList(list...)
}

func signatures(list []note.Signature) [][]any {
	all := [][]any{}
	for _, s := range list {
		all = append(all, []any{s.Name, s.Hash, s.Base64})
	}
	return all
}

var countedHashes []tlog.Hash
var countedSize int64

// counted reads the stored hashes of the log of counted records, which grows as needed.
func counted(size int64) tlog.HashReader {
	r := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = countedHashes[index]
		}
		return found, nil
	})
	for ; countedSize < size; countedSize++ {
		more, err := tlog.StoredHashes(countedSize, fmt.Appendf(nil, "record %d", countedSize), r)
		if err != nil {
			panic(err)
		}
		countedHashes = append(countedHashes, more...)
	}
	return r
}

func hash(text string) tlog.Hash {
	h, err := tlog.ParseHash(text)
	if err != nil {
		panic(err)
	}
	return h
}

func hashes(list []string) (all []tlog.Hash) {
	for _, text := range list {
		all = append(all, hash(text))
	}
	return all
}

func texts(list []tlog.Hash) []string {
	all := []string{}
	for _, h := range list {
		all = append(all, h.String())
	}
	return all
}
