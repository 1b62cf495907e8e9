//go:build unix

package regular

import "syscall"

// nonBlocking lets a pipe be opened that has no writer. os.OpenFile closes files on
// exec by itself.
const nonBlocking = syscall.O_NONBLOCK
