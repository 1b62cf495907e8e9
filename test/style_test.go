package test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// refusedPhrases are refused in comments, strings and documents, in any case. Each has the plain words to use instead.
var refusedPhrases = [][2]string{
	{"nobody", "no one, or name what does not happen"},
	{"somebody", "name the actor"},
	{"whoever", "name the actor: a client, a caller"},
	{"anew", "again"},
	{"lest", "so that … not"},
	{"that which", "what, or the noun"},
	{"of which", "whose, or two sentences"},
	{"is wanted", "must be"},
	{"are wanted", "must be"},
	{"tells", "reports whether, returns, shows"},
	{"to be had", "available, installed"},
	{"as it is[.,;:)]", "unchanged, or name the state"},
	{"at all events", "in any case"},
	{"mend", "repair, fix"},
	{"mended", "repaired, fixed"},
}

// refusedWords are refused as a word of an identifier that Go code declares.
var refusedWords = [][2]string{
	{"goodbye", "say what happens: shutdown"},
	{"farewell", "say what happens: shutdown"},
	{"patient", "say for what it waits"},
	{"patience", "timeout, limit"},
	{"haste", "factor, speed"},
	{"taker", "sink"},
	{"taking", "acquire"},
	{"inform", "refresh, notify"},
	{"informed", "refreshed, notified"},
	{"gossip", "leak"},
	{"told", "done, sent, message"},
	{"nobody", "none"},
	{"book", "ledger"},
	{"books", "ledgers"},
	{"sheet", "overlay"},
	{"exemplify", "setExemplar"},
	{"look", "probe, peek, warning"},
	{"mend", "repair"},
}

// allowedOf are the functions that may be named like countOf: their callers are clear, as in TruthOf(until, isOpen).
var allowedOf = []string{"TruthOf"}

var (
	camelWord = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
	nameOf    = regexp.MustCompile(`[a-z]Of$`)
	testName  = regexp.MustCompile(`^(Test|Fuzz|Benchmark)([A-Z].*)$`)
)

func TestStyle_UsesPlainEnglish(t *testing.T) {
	skipUnlessLinting(t)
	t.Parallel()
	for _, file := range styledFiles(t, ".go", ".md", ".yml", ".yaml", ".sh", "Makefile", ".ci/run") {
		text := []byte(read(t, file))
		if strings.HasSuffix(file, ".go") {
			text = keepProse(text)
		}
		for _, refused := range refusedPhrases {
			// A phrase may continue on the next line of a comment.
			pattern := `(?i)\b` + strings.ReplaceAll(refused[0], " ", `(?:\s|//|#)+`)
			if !strings.HasSuffix(pattern, "]") {
				pattern += `\b`
			}
			phrase := regexp.MustCompile(pattern)
			for _, at := range phrase.FindAllIndex(text, -1) {
				line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
				t.Errorf("%s:%d: %q: use %s", file, line, text[at[0]:at[1]], refused[1])
			}
		}
	}
}

// keepProse replaces all tokens of Go code but comments and strings by spaces. Offsets and lines stay the same.
func keepProse(source []byte) []byte {
	text := slices.Clone(source)
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return text
		}
		if tok == token.COMMENT || tok == token.STRING || tok == token.SEMICOLON && literal == "\n" {
			continue
		}
		start := file.Offset(pos)
		for i := range max(len(literal), len(tok.String())) {
			if at := start + i; at < len(text) && text[at] != '\n' {
				text[at] = 0
			}
		}
	}
}

func TestStyle_NamesIdentifiersPlainly(t *testing.T) {
	skipUnlessLinting(t)
	t.Parallel()
	for _, file := range styledFiles(t, ".go") {
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			for _, name := range declaredNames(node) {
				for _, word := range camelWord.FindAllString(name.Name, -1) {
					if i := slices.IndexFunc(refusedWords, func(refused [2]string) bool { return strings.EqualFold(word, refused[0]) }); i >= 0 {
						t.Errorf("%s: %s: use %s", fset.Position(name.Pos()), name.Name, refusedWords[i][1])
					}
				}
			}
			if function, ok := node.(*ast.FuncDecl); ok && nameOf.MatchString(function.Name.Name) && !strings.HasPrefix(function.Name.Name, "Test") && !slices.Contains(allowedOf, function.Name.Name) {
				t.Errorf("%s: %s: use a method, toX or newX", fset.Position(function.Name.Pos()), function.Name.Name)
			}
			return true
		})
	}
}

// declaredNames returns the names that a node of Go code declares.
func declaredNames(node ast.Node) []*ast.Ident {
	switch node := node.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{node.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{node.Name}
	case *ast.ValueSpec:
		return node.Names
	case *ast.Field:
		return node.Names
	case *ast.AssignStmt:
		var names []*ast.Ident
		for _, left := range node.Lhs {
			if name, ok := left.(*ast.Ident); ok && node.Tok == token.DEFINE {
				names = append(names, name)
			}
		}
		return names
	}
	return nil
}

// A test is named after a type, command or feature, and its behaviour. A test of one function may have the
// function's name alone.
func TestStyle_NamesTestsByTypeAndBehaviour(t *testing.T) {
	skipUnlessLinting(t)
	t.Parallel()
	for _, file := range styledFiles(t, "_test.go") {
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Recv != nil || !strings.HasPrefix(function.Name.Name, "Test") {
				continue
			}
			name := testName.FindStringSubmatch(function.Name.Name)
			if name == nil || len(camelWord.FindAllString(name[2], -1)) > 3 && !strings.Contains(name[2], "_") {
				t.Errorf("%s: %s: use TestType_Behaviour", fset.Position(function.Name.Pos()), function.Name.Name)
			}
		}
	}
}

// styledFiles returns the files of the repository with one of the suffixes. The Spanish pages, tools and built files
// are left out, and this file, which lists what it refuses.
func styledFiles(t *testing.T, suffixes ...string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if entry.IsDir() {
			hidden := strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 1
			if path == "docs/es" || hidden && path != ".ci" && path != ".github" {
				return filepath.SkipDir
			}
			return nil
		}
		matches := func(suffix string) bool { return strings.HasSuffix(path, suffix) }
		if slices.ContainsFunc(suffixes, matches) && !strings.HasSuffix(path, ".es.md") && path != "test/style_test.go" {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("have %d files, want those of the whole repository", len(files))
	}
	return files
}

// skipUnlessLinting leaves the checks to make lint: the race detector would make them slow.
func skipUnlessLinting(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: make lint runs it")
	}
}
