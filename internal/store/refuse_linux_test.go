//go:build amd64 || arm64

package store

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// operations are the system calls of a Save. fileSystem has one write for opening, writing,
// flushing, closing and renaming a file. Here the kernel refuses each of these calls.
var operations = []struct {
	name   string
	number uintptr
	least  uint32 // the smallest third argument that is refused: the count of a write
	errs   []syscall.Errno
	fails  int // calls that fail the save
}{
	// The new file, the folder twice.
	{"open", syscall.SYS_OPENAT, 0, []syscall.Errno{syscall.EACCES, syscall.ENOSPC, syscall.EMFILE}, 3},
	// Go's runtime writes 8 bytes to wake its threads.
	{"write", syscall.SYS_WRITE, 9, []syscall.Errno{syscall.ENOSPC, syscall.EIO}, 1},
	// The magic is written, the state is not.
	{"short write", syscall.SYS_WRITE, 100, []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}, 1},
	// The new file, the folder twice.
	{"fsync", syscall.SYS_FSYNC, 0, []syscall.Errno{syscall.EIO, syscall.ENOSPC}, 3},
	// Some network file systems report a full disk only now.
	{"close", syscall.SYS_CLOSE, 0, []syscall.Errno{syscall.EIO, syscall.ENOSPC}, 1},
	// The new file, the previous generation, the current one.
	{"rename", syscall.SYS_RENAMEAT, 0, []syscall.Errno{syscall.EACCES, syscall.ENOSPC}, 3},
	// A copy works instead.
	{"link", syscall.SYS_LINKAT, 0, []syscall.Errno{syscall.EPERM, syscall.ENOSPC}, 0},
	// A leftover only takes space.
	{"unlink", syscall.SYS_UNLINKAT, 0, []syscall.Errno{syscall.EACCES}, 0},
}

// It runs in its own process: a thread passes its filter on to the threads that it starts, and
// the test binary writes files at its end.
func TestFile_HasOldOrNewStateAfterAnyFailedSystemCall(t *testing.T) {
	if os.Getenv("STORE_TEST_REFUSED") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "STORE_TEST_REFUSED=1")
		output, err := cmd.CombinedOutput()
		if bytes.Contains(output, []byte("--- SKIP")) {
			t.Skipf("%s", output)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	if err := onOwnThread(func() error { return refuseCall(syscall.SYS_FSYNC, 0, syscall.EIO) }); err != nil {
		t.Skipf("this kernel refuses nothing on request: %v", err)
	}
	for _, operation := range operations {
		for _, errno := range operation.errs {
			refused := fault{fmt.Sprintf("finds that every %s fails with %q", operation.name, errno), errno, func(do func() error) error {
				return onOwnThread(func() error {
					if err := refuseCall(operation.number, operation.least, errno); err != nil {
						return err
					}
					return do()
				})
			}}
			failed := 0
			for at, reached := 1, true; reached; at++ {
				var err error
				if reached, err = faultySave(t, refused, 2, at); err != nil {
					failed++
				}
			}
			if failed != operation.fails {
				t.Errorf("a call that %s: have %d failed saves, want %d", refused.name, failed, operation.fails)
			}
		}
	}
}

// onOwnThread runs a function on a thread that ends with it.
func onOwnThread(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- do()
	}()
	return <-done
}

// refuseCall makes a system call of this thread fail from now on.
func refuseCall(number uintptr, least uint32, errno syscall.Errno) error {
	const (
		setNoNewPrivs = 38
		filterMode    = 2
		fail          = 0x00050000
		allow         = 0x7fff0000

		theNumber, thirdArgument = 0, 16 + 2*8 // in struct seccomp_data, on machines with the low half first
	)
	filter := []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: theNumber},
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: uint32(number), Jf: 3},
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: thirdArgument},
		{Code: syscall.BPF_JMP | syscall.BPF_JGE | syscall.BPF_K, K: least, Jf: 1},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: fail | uint32(errno)},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: allow},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: unsafe.SliceData(filter)}
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_SECCOMP, filterMode, uintptr(unsafe.Pointer(&program))); err != 0 {
		return fmt.Errorf("setting a filter: %w", err)
	}
	return nil
}
