package store

import (
	"errors"
	"io/fs"
	"testing"
)

func TestMemory_KeepsCopy(t *testing.T) {
	var memory Memory
	if _, err := memory.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("have %v, want fs.ErrNotExist", err)
	}
	state := []byte("1")
	if err := memory.Save(state); err != nil {
		t.Fatal(err)
	}
	state[0] = 'x'
	loaded, err := memory.Load()
	if err != nil || string(loaded) != "1" {
		t.Fatalf("have %q, %v", loaded, err)
	}
	loaded[0] = 'y'
	if again, _ := memory.Load(); string(again) != "1" {
		t.Errorf("have %q", again)
	}
	if err := memory.Save(nil); err != nil {
		t.Fatal(err)
	}
	if empty, err := memory.Load(); err != nil || len(empty) != 0 {
		t.Errorf("have %q, %v; want an empty state", empty, err)
	}
}
