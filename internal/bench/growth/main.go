// Command growth shows how costs grow. In a folder of documents it reads the output of
// benchmarks with several sizes, growth/benchmarks.txt, and writes the plots next to it and
// the tables in performance.md.
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
)

const (
	measured = "growth/benchmarks.txt"
	page     = "performance.md"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1) //nolint:forbidigo // It is main that exits.
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("have %d arguments, want the folder of the documents", len(args))
	}
	folder, err := os.OpenRoot(args[0])
	if err != nil {
		return fmt.Errorf("opening the documents: %w", err)
	}
	defer folder.Close()
	files, err := documents(folder.FS())
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := folder.WriteFile(name, content, 0o644); err != nil {
			return fmt.Errorf("writing a document: %w", err)
		}
	}
	return nil
}

// documents returns the files that show the measurements, by their names in the folder.
func documents(folder fs.FS) (map[string][]byte, error) {
	printed, err := fs.ReadFile(folder, measured)
	if err != nil {
		return nil, fmt.Errorf("reading what was measured: %w", err)
	}
	all, err := read(bytes.NewReader(printed))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", measured, err)
	}
	text, err := fs.ReadFile(folder, page)
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	for _, t := range tables {
		if text, err = t.into(text, all); err != nil {
			return nil, fmt.Errorf("writing the table %q into %q: %w", t.name, page, err)
		}
	}
	files := map[string][]byte{page: text}
	for _, c := range charts {
		name := "growth/" + c.name + ".svg"
		if files[name], err = c.svg(all); err != nil {
			return nil, fmt.Errorf("drawing %q: %w", name, err)
		}
	}
	return files, nil
}
