package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/manager"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// fingerprint returns what changes with the content of the configuration file. For a file
// that cannot be read it returns why, so that this is noticed and logged once.
func (c *command) fingerprint() string {
	defer c.tasks.begin("reading the configuration")()
	content, err := regular.ReadFile(c.configFile, config.MaxFileSize)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(content)
	return string(sum[:])
}

// reloadOnChange reloads the configuration when its content has changed since loaded was
// taken, until ctx is done.
func (c *command) reloadOnChange(ctx context.Context, operations *manager.Manager, loaded string) {
	ticker := time.NewTicker(c.autoReloadInterval.Duration)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		current := c.fingerprint()
		if current == loaded || errors.Is(operations.Reload(ctx), manager.ErrReloading) {
			continue
		}
		loaded = current
	}
}
