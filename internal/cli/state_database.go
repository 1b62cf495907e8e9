package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// runDatabaseState runs one of the state commands on a database.
func (c *command) runDatabaseState(ctx context.Context) error {
	defer c.tasks.begin("the database")()
	db, err := postgres.Open(ctx, c.database)
	if err != nil {
		return err
	}
	defer db.Close()
	switch c.command {
	case stateListCommand:
		return c.listDatabase(db)
	case stateMigrateCommand:
		return c.migrate(db)
	case stateImportCommand, stateExportCommand:
		return c.copyStates(db)
	case stateRenameCommand:
		if err := config.CheckName(c.state.newName); err != nil {
			return err
		}
		if err := db.Rename(c.state.name, c.state.newName); err != nil {
			return err
		}
		c.printRenamed()
	default:
		if err := db.Remove(c.state.name); err != nil {
			return err
		}
		c.printRemoved()
	}
	return nil
}

// listDatabase lists the states in a database. It loads each of them.
func (c *command) listDatabase(db *postgres.DB) error {
	saved, err := db.List()
	if err != nil {
		return err
	}
	states := make([]store.State, len(saved))
	for i, s := range saved {
		_, err := loadChecked(db.Operation(s.Operation))
		states[i] = store.State{Operation: s.Operation, Size: s.Size, Saved: s.Saved, Err: err}
	}
	return printStates(states, "database "+db.Target(), c.stdout)
}

func (c *command) migrate(db *postgres.DB) error {
	from, err := db.Migrate(c.state.grant)
	if err != nil {
		return err
	}
	if to := postgres.SchemaVersion(); from == to {
		fmt.Fprintf(c.stdout, "the schema in database %s has version %d already\n", db.Target(), to)
	} else {
		fmt.Fprintf(c.stdout, "the schema in database %s has version %d now\n", db.Target(), to)
	}
	return nil
}

// copyStates copies all states from the folder into the database, or back. The folder is
// locked meanwhile, so no exporter uses it.
func (c *command) copyStates(db *postgres.DB) error {
	if c.command == stateImportCommand { // store.Open would create a missing folder.
		if exists, err := store.Probe(c.storagePath); err != nil || !exists {
			return cmp.Or(err, fmt.Errorf("storage folder %q does not exist", c.storagePath))
		}
	}
	folder, err := store.Open(c.storagePath)
	if err != nil {
		return err
	}
	if c.command == stateImportCommand {
		err = c.importStates(folder, db)
	} else {
		err = c.exportStates(folder, db)
	}
	return cmp.Or(err, folder.Close())
}

// source is where a state is loaded from.
type source interface{ Load() ([]byte, error) }

// loadChecked loads a state and returns an error if it cannot be used.
func loadChecked(from source) ([]byte, error) {
	state, err := from.Load()
	if err == nil {
		_, err = ledger.Unmarshal(state, ledger.Options{}, time.Now())
	}
	return state, err
}

// isFree returns an error if a state that differs from the given one would be replaced.
func (c *command) isFree(to source, state []byte, operation, where string) error {
	if c.state.replace {
		return nil
	}
	switch existing, err := to.Load(); {
	case errors.Is(err, fs.ErrNotExist), err == nil && bytes.Equal(existing, state):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("operation %q has another saved state in %s: nothing was copied; use --replace to lose that one", operation, where)
	}
}

// importStates checks all states before it copies the first one.
func (c *command) importStates(folder *store.Folder, db *postgres.DB) error {
	saved, err := store.List(c.storagePath, func([]byte) error { return nil })
	if err != nil {
		return err
	}
	states := make([][]byte, len(saved))
	for i, s := range saved {
		if err := config.CheckName(s.Operation); err != nil {
			return fmt.Errorf("importing %q: %w", s.Operation, err)
		}
		if states[i], err = loadChecked(folder.File(s.Operation)); err != nil {
			return err
		}
		if err := c.isFree(db.Operation(s.Operation), states[i], s.Operation, "database "+db.Target()); err != nil {
			return err
		}
	}
	for i, s := range saved {
		if err := db.Operation(s.Operation).Import(states[i]); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "imported the state of operation %q\n", s.Operation)
	}
	fmt.Fprintf(c.stdout, "%d states are in database %s\n", len(saved), db.Target())
	return nil
}

// exportStates checks all states before it copies the first one.
func (c *command) exportStates(folder *store.Folder, db *postgres.DB) error {
	saved, err := db.List()
	if err != nil {
		return err
	}
	states := make([][]byte, len(saved))
	for i, s := range saved {
		if states[i], err = loadChecked(db.Operation(s.Operation)); err != nil {
			return err
		}
		if err := c.isFree(folder.File(s.Operation), states[i], s.Operation, fmt.Sprintf("%q", c.storagePath)); err != nil {
			return err
		}
	}
	for i, s := range saved {
		if err := folder.File(s.Operation).Save(states[i]); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "exported the state of operation %q\n", s.Operation)
	}
	fmt.Fprintf(c.stdout, "%d states are in %q\n", len(saved), c.storagePath)
	return nil
}
