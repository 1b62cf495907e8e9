//go:build unix

package postgrestest

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

func runAs(cmd *exec.Cmd, uid, gid int) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // IDs have 32 bits.
}

// chownLike gives a file to the owner of another one.
func chownLike(file string, other fs.FileInfo) error {
	stat := other.Sys().(*syscall.Stat_t)
	return os.Chown(file, int(stat.Uid), int(stat.Gid))
}
