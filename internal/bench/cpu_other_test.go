//go:build !unix

package bench

import (
	"testing"
	"time"
)

// cpuTime returns 0: the CPU time is unknown.
func cpuTime(*testing.B) time.Duration { return 0 }
